"""The house rules that a machine can check: imports go down only, `__all__` is true, the README tells no lies."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import bird_backend
from bird_backend import catalog
from bird_backend.cli.main import app
from bird_backend.datasets.registry import LOADERS
from bird_backend.models.registry import ARCHITECTURES
from tests.conftest import ROOT

LAYERS = [
    {"durations", "errors", "seeds"},
    {"stopping"},
    {"registry"},
    {"settings"},
    {"catalog", "faces of corruptions"},
    {"faces of sources"},
    {"specs"},
    {"faces of transfer", "faces of behaviours"},
    {"measures"},
    {"prediction"},
    {"faces of experiments"},
    {"runs"},
    {"studies", "exports"},
    {"similarity", "datasets", "activations", "corruptions"},
    {"models"},
    {"sources"},
    {"training"},
    {"behaviours"},
    {"transfer", "evaluation"},
    {"attributes"},
    {"experiments"},
    {"jobs", "recording"},
    {"cli"},
    {"__main__"},
]
"""What each part of the backend may import lies above it in this list, or is itself."""

FACES = {
    "behaviours": {"declaration"},
    "corruptions": {"declaration", "sources"},
    "experiments": {"declaration", "documents", "report"},
    "sources": {"code_files", "declaration", "own_code"},
    "transfer": {"declaration"},
}
"""Packages whose entries show a torch-free face: the `__init__` of the package and of its folders, and these files."""

APP_MAY_IMPORT = {
    "durations",
    "faces of behaviours",
    "faces of corruptions",
    "faces of experiments",
    "faces of sources",
    "faces of transfer",
    "runs",
    "studies",
    "specs",
    "measures",
    "prediction",
    "catalog",
    "settings",
    "errors",
    "exports",
}
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(bird_backend.__path__, "bird_backend.")
    if not name.endswith("__main__")
]


def imports(path: Path) -> set[str]:
    """Every module a file names in an import, wherever the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def is_torch_free(path: Path) -> bool:
    return (part(module_of(path)) or "").startswith("faces of")


def asked_for_at_need(path: Path) -> set[str]:
    """What a face imports for types alone, or inside a function: its own body, when somebody carries it out."""
    if not is_torch_free(path):
        return set()
    at_import = [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.ImportFrom)]
    return imports(path) - {f"{node.module}.{alias.name}" for node in at_import for alias in node.names}


def part(module: str) -> str | None:
    """The part of the backend that a module belongs to; of `package.module.name` the name counts where it is a file."""
    pieces = module.split(".")
    if pieces[0] != "bird_backend" or len(pieces) < 2:
        return None
    package, inner = pieces[1], [piece for piece in pieces[2:] if is_module(pieces, piece)]
    if package not in FACES:
        return package
    is_face = not inner or inner[0] in FACES[package] or (len(inner) == 1 and is_folder(package, inner[0]))
    return f"faces of {package}" if is_face else package


def is_module(pieces: list[str], piece: str) -> bool:
    path = ROOT.joinpath(*pieces[: pieces.index(piece, 2) + 1])
    return path.is_dir() or path.with_suffix(".py").is_file()


def is_folder(package: str, name: str) -> bool:
    return (ROOT / "bird_backend" / package / name).is_dir()


def files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", files("bird_backend"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_backend_imports_downwards_only(path: Path) -> None:
    depth = {name: index for index, names in enumerate(LAYERS) for name in names}
    own = part(module_of(path))
    if own is None:
        return
    assert own in depth, f"{own} has no place in the layers"
    for name in imports(path):
        assert not name.startswith("app"), f"{path.name} imports the app"
        other = part(name)
        if other is not None and other != own and other in depth and name not in asked_for_at_need(path):
            assert depth[other] < depth[own], f"{own} imports {other} ({name})"


@pytest.mark.parametrize("path", files("app"), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_app_knows_only_the_torch_free_part(path: Path) -> None:
    for module in imports(path):
        assert module.split(".")[0] not in ("torch", "torchvision", "umap", "sklearn"), module
        other = part(module)
        assert other is None or other in APP_MAY_IMPORT or other == "__version__", module


@pytest.mark.parametrize(
    "path",
    [path for name in FACES for path in files(f"bird_backend/{name}") if is_torch_free(path)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_a_face_imports_nothing_that_does_the_work(path: Path) -> None:
    for module in imports(path) - asked_for_at_need(path):
        assert module.split(".")[0] not in ("torch", "torchvision", "umap", "sklearn"), module


@pytest.mark.parametrize("path", files("app"), ids=lambda path: str(path.relative_to(ROOT)))
def test_one_room_of_the_app_is_the_door_to_runs_studies_and_settings(path: Path) -> None:
    if path.relative_to(ROOT).parts[:2] == ("app", "backend"):
        return
    assert not {part(module) for module in imports(path)} & {"runs", "studies", "settings"}


def test_the_app_and_the_supervisor_never_load_torch() -> None:
    code = (
        "import sys; sys.path.insert(0, '.');"
        "import app.backend.data, app.main, app.router, bird_backend.jobs.supervisor, bird_backend.cli;"
        "loaded = {'torch', 'torchvision', 'umap', 'sklearn'} & set(sys.modules); assert not loaded, loaded"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_offers(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    if name.endswith(("bird_backend.jobs",)):
        return
    assert list(module.__all__) == sorted(set(module.__all__), key=module.__all__.index)
    for offered in module.__all__:
        assert hasattr(module, offered), f"{name}.{offered}"


def test_the_catalogue_names_what_the_registries_hold() -> None:
    assert set(catalog.DATASETS) == set(LOADERS)
    assert set(catalog.models()) == set(ARCHITECTURES)


def test_no_unsafe_calls() -> None:
    for path in [*files("app"), *files("bird_backend")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            call = ast.unparse(node.func)
            assert call not in ("eval", "exec", "os.system", "pickle.load", "pickle.loads"), f"{path}: {call}"
            if call == "torch.load":
                said = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert path.name == "child.py", f"{path} loads a file where nothing limits it"
                assert said["weights_only"] == "True", path
            for keyword in node.keywords:
                if keyword.arg in ("shell", "allow_pickle"):
                    assert ast.unparse(keyword.value) == "False", f"{path}: {call}({keyword.arg}=True)"


def test_the_readme_tree_is_the_tree() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    tree = re.search(r"## The tree\n.*?```(.*?)```", text, re.DOTALL)
    assert tree is not None
    named = set()
    for line in tree[1].strip().splitlines():
        path = line.split()[0]
        assert (ROOT / path).exists(), f"the README's tree names {path}"
        named.add(path.rstrip("/"))
    for folder in ("bird_backend", "app"):
        for entry in (ROOT / folder).iterdir():
            if entry.name.startswith((".", "__")):
                continue
            assert f"{folder}/{entry.name}" in named, f"the README's tree lacks {folder}/{entry.name}"


def test_the_readme_names_every_dependency_and_is_short() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 210, "what a newcomer reads is short; what was measured goes to RESULTS.md"
    table = text.split("## Dependencies\n")[1].split("\n## ")[0]
    named = {name for line in table.splitlines() if line.startswith("|") for name in line.split("|")[1].split(",")}
    for file in ("requirements.txt", "tests/requirements.txt"):
        for line in (ROOT / file).read_text().splitlines():
            if line and not line.startswith("#"):
                name = re.split(r"[><=\[]", line)[0]
                assert name in {entry.strip() for entry in named}, f"the README gives no reason for {name}"


@pytest.mark.parametrize("name", ["README.md", "benchmarks/RESULTS.md"])
def test_documents_link_to_what_exists_name_commands_that_exist_and_have_whole_tables(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"
    for command in re.findall(r"python -m (bird_backend\.\w+|benchmarks\.\w+)", text):
        assert (ROOT / (command.replace(".", "/") + ".py")).exists(), command
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for command in re.findall(r"python -m bird_backend ([\w|]+)", text):
        assert set(command.split("|")) <= set(commands), command
    for example in re.findall(r"assets/examples/[\w-]+\.json", text):
        assert (ROOT / example).exists(), example
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rules = [index for index, line in enumerate(table.splitlines()) if re.fullmatch(r"[|:\s-]+", line)]
        assert rules == [1], f"a table of {name} has its rule in lines {rules}"
        assert len({line.count("|") for line in table.splitlines()}) == 1, f"a table of {name} has ragged rows"


def test_the_two_commands_of_the_readme_are_the_ones_that_are_tested() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "pip install -r requirements.txt && streamlit run app/main.py" in text
    test_command = "pip install -r requirements.txt -r tests/requirements.txt && pytest"
    assert test_command in text
    ci = (ROOT / ".ci/run").read_text("utf-8")
    assert "-r requirements.txt -r tests/requirements.txt" in ci
    assert "pytest" in ci


def test_every_script_and_style_of_the_browser_is_mounted() -> None:
    """A component whose list lacks one of its scripts fails in the browser alone."""
    named = "\n".join(path.read_text("utf-8") for path in files("app"))
    for path in (ROOT / "app/components/browser").iterdir():
        assert f'"{path.name}"' in named, f"nothing mounts {path.name}"
