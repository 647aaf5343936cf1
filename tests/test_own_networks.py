"""A network of one's own code: what it takes to be one, what is said of one that isn't, and whose code is executed."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from app.backend.networks import keep_code_at_home
from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.models import build_model, load_model, save_weights
from bird_backend.models.anatomy import anatomy_of
from bird_backend.models.weights import separate
from bird_backend.runs.identity import identify
from bird_backend.runs.networks import examine_spec
from bird_backend.sources import check_network, fingerprint, require_network, title_of_network
from bird_backend.specs import ModelRef
from bird_backend.training.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from tests.conftest import ROOT
from tests.own_networks import GOOD, name_of, write_network
from tests.test_models import state_bytes
from tests.test_preprocessing import provenance

FORWARD = "self.head(self.second(self.first(images)).mean((2, 3)))"
MAKE = "    return Net(classes)\n"


def test_a_factory_makes_the_network_from_the_seed(tmp_path: Path) -> None:
    name = name_of(write_network(tmp_path))
    first = build_model(name, classes=4, seed=0)
    state = torch.get_rng_state()
    assert state_bytes(first) == state_bytes(build_model(name, classes=4, seed=0))
    assert state_bytes(first) != state_bytes(build_model(name, classes=4, seed=1))
    assert torch.equal(state, torch.get_rng_state())
    assert first.training
    anatomy = anatomy_of(name, first, 32)
    assert anatomy.outline == ("first", "second")
    assert "first.0" in anatomy.layers
    assert anatomy.head == "head"
    assert title_of_network(name) == "make of net.py"


def test_it_gets_the_image_size_if_it_takes_it(tmp_path: Path) -> None:
    text = GOOD.replace("def make(classes):", "def make(classes, image_size):").replace(
        MAKE, "    return Net(classes, width=image_size // 8)\n"
    )
    model = build_model(name_of(write_network(tmp_path, text)), classes=2, seed=0, image_size=64)
    assert model.get_submodule("head").in_features == 16  # type: ignore[union-attr]


def test_a_class_is_a_factory_and_lazy_layers_get_their_shapes(tmp_path: Path) -> None:
    text = GOOD.replace("nn.Linear(2 * width, classes)", "nn.LazyLinear(classes)")
    model = build_model(name_of(write_network(tmp_path, text), "Net"), classes=3, seed=0)
    assert model.get_parameter("head.weight").shape == (3, 16)


def test_what_lies_beside_the_file_is_imported_and_another_files_namesake_is_another(tmp_path: Path) -> None:
    for folder, width in (("one", 8), ("two", 16)):
        write_network(tmp_path / folder, f"WIDTH = {width}\n", "blocks_beside.py")
        text = f"from blocks_beside import WIDTH\n{GOOD}".replace(MAKE, "    return Net(classes, WIDTH)\n")
        write_network(tmp_path / folder, text)
    models = [build_model(name_of(tmp_path / folder / "net.py"), classes=3, seed=0) for folder in ("one", "two", "one")]
    assert [model.get_parameter("head.weight").shape[1] for model in models] == [16, 32, 16]
    assert "blocks_beside" not in sys.modules
    assert str(tmp_path / "one") not in sys.path
    assert not list(tmp_path.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("os", "os is built into Python: it has no file"),
        ("sys", "sys is built into Python: it has no file"),
        ("no_such_package", "There is no module no_such_package that Python finds here"),
        ("only_a_folder", "only_a_folder is a folder of modules without code of its own"),
    ],
)
def test_a_module_without_a_file_is_told_from_one_that_there_is_not(
    module: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "only_a_folder").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=said):
        require_network(f"module:{module}:system")


def test_a_module_of_a_package_is_a_source_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_network(tmp_path / "own_package", "raise RuntimeError('executed')\n", "__init__.py")
    monkeypatch.syspath_prepend(tmp_path)
    name = "module:own_package.net:make"
    with pytest.raises(InputError, match=r"There is no module own_package\.net"):
        require_network(name)
    write_network(tmp_path / "own_package")
    require_network(name)  # which executes nothing
    before = fingerprint(name)
    with pytest.raises(InputError, match=r"Importing net\.py raised RuntimeError in __init__\.py line 1 \(executed\)"):
        build_model(name, classes=2, seed=0)
    write_network(tmp_path / "own_package", "", "__init__.py")
    write_network(tmp_path / "own_package", f"{GOOD}\n# changed\n")
    assert build_model(name, classes=2, seed=0).get_parameter("head.weight").shape == (2, 16)
    assert fingerprint(name) != before

    for text in (
        "from . import blocks",
        "from .blocks import A",
        "import own_package.blocks",
        "from own_package import blocks",
    ):
        write_network(tmp_path / "own_package", f"{text}\n{GOOD}")
        found = []
        for number in (1, 10):
            write_network(tmp_path / "own_package", f"A = {number}\n", "blocks.py")
            found.append(fingerprint(name))
        assert found[0] != found[1], text
    sys.modules.pop("own_package", None)
    sys.modules.pop("own_package.net", None)


WRONG = {
    "raises": (
        (MAKE, "    raise ValueError('no\\nway')\n"),
        r"make in net\.py, called with classes=4, raised ValueError in net\.py line 18 \(no way\); it has to return a",
    ),
    "exits": ((MAKE, "    raise SystemExit\n"), r"raised SystemExit in net\.py line 18 \(without a message\)"),
    "dictionary": (
        (MAKE, "    return {}\n"),
        r"make in net\.py \(line 17\) returned dict; it has to return a torch\.nn\.Module",
    ),
    "class": ((MAKE, "    return Net\n"), "returned the class Net itself; it has to return a torch.nn.Module"),
    "arguments": (
        ("def make(classes):", "def make(width):"),
        r"make in net\.py \(line 17\) takes \(width\); it has to take `classes`",
    ),
    "no factory": (("def make(", "def build("), r"net\.py has no make; it has "),
    "number": (
        ("def make(classes):\n    return Net(classes)", "make = 3"),
        "make in net.py is int, not a function or class",
    ),
    "syntax": (
        ("def make(classes):", "def make(classes:"),
        r"Importing net\.py raised SyntaxError in net\.py line 17",
    ),
    "import": (
        ("import torch\n", "import torhc\n"),
        r"raised ModuleNotFoundError in net\.py line 2 \(No module named 'torhc'\); it has to be importable",
    ),
    "forward": (
        (FORWARD, "self.second(images)"),
        r"given images \[3, 3, 32, 32\], raised RuntimeError in net\.py line 14 .*; it has to return logits \[3, 4\]",
    ),
    "maps": (
        (FORWARD, "self.second(self.first(images))"),
        r"returns \[3, 16, 8, 8\] for three images; its forward pass has to return logits, one tensor \[images, 4\]",
    ),
    "tuple": ((FORWARD, f"({FORWARD}, 1)"), "returns tuple; its forward pass has to return logits"),
    "labels": ((FORWARD, f"{FORWARD}.argmax(1)"), r"returns \[3\] for three images"),
    "classes": (
        ("nn.Linear(2 * width, classes)", "nn.Linear(2 * width, 7)"),
        "tells 7 classes apart where there are 4",
    ),
    "infinite": ((FORWARD, f"{FORWARD} / 0"), "whose outputs are not finite"),
    "half": (
        (MAKE, "    return Net(classes).half()\n"),
        r"a network in float16 \(first\.0\.weight\); return it in float32",
    ),
    "nan": (
        (MAKE, "    model = Net(classes)\n    model.head.bias.data[0] = torch.nan\n    return model\n"),
        r"head\.bias holds numbers that are not finite",
    ),
    "empty": ((MAKE, "    return nn.Flatten()\n"), "a network without parameters, so there is nothing to train"),
}


@pytest.mark.parametrize(("change", "says"), WRONG.values(), ids=WRONG)
def test_what_is_no_network_is_a_sentence_that_says_where_and_what_would_be(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    assert change[0] in GOOD
    name = name_of(write_network(tmp_path, GOOD.replace(*change)))
    with pytest.raises(InputError, match=says) as refused:
        build_model(name, classes=4, seed=0)
    assert "\n" not in str(refused.value)
    assert str(tmp_path) not in sys.path


def test_a_network_whose_parts_are_no_modules_has_no_layer_to_align(tmp_path: Path) -> None:
    text = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, classes))

    def forward(self, images):
        return images.mean((2, 3)) @ self.weight
"""
    with pytest.raises(InputError, match="no module before the classifier returns maps"):
        build_model(name_of(write_network(tmp_path, text), "Net"), classes=2, seed=0)


def test_tied_weights_and_views_are_saved_and_come_back(tmp_path: Path) -> None:
    tied = "    model = Net(classes)\n    model.again = model.head\n"
    tied += "    model.view = nn.Parameter(model.head.weight.data[:2])\n"
    name = name_of(write_network(tmp_path, GOOD.replace(MAKE, f"{tied}    return model\n")))
    model = build_model(name, classes=3, seed=0)
    assert len(separate(model.state_dict())) == len(model.state_dict())
    save_weights(tmp_path / "tied.safetensors", model, provenance(model=name))
    loaded, _ = load_model(ModelRef(model=name, weights=str(tmp_path / "tied.safetensors")), classes=3, seed=1)
    assert state_bytes(loaded) == state_bytes(model)
    optimiser = torch.optim.SGD(model.parameters())
    taken = Checkpoint(step=3, metrics_size=0)
    save_checkpoint(tmp_path / "c.safetensors", taken, model=model, method=nn.Identity(), optimiser=optimiser)
    loaded = build_model(name, classes=3, seed=1)
    load_checkpoint(tmp_path / "c.safetensors", model=loaded, method=nn.Identity(), optimiser=optimiser)
    assert state_bytes(loaded) == state_bytes(model)


def test_one_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "NETWORK_SECONDS", 0.2)
    swallowing = "    import time\n    try:\n        time.sleep(60)\n    except Exception:\n        pass\n"
    text = GOOD.replace(MAKE, f"{swallowing}{MAKE}")
    with pytest.raises(InputError, match=r"make in net\.py took more than 0 seconds to make a network"):
        build_model(name_of(write_network(tmp_path, text)), classes=2, seed=0)


def test_what_it_prints_goes_to_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO, "bird")
    text = GOOD.replace(MAKE, "    print('width', 8)\n    print('x' * 10, end='')\n    return Net(classes)\n")
    build_model(name_of(write_network(tmp_path, text)), classes=2, seed=0)
    assert [record.getMessage() for record in caplog.records] == [
        "make in net.py prints: width 8",
        "make in net.py prints: xxxxxxxxxx",
    ]
    assert capsys.readouterr().out == ""


def test_hooks_that_change_outputs_in_place_change_no_capture_before_them(tmp_path: Path) -> None:
    hook = "    model.second.register_forward_hook(lambda module, given, output: output.add_(1))\n"
    text = GOOD.replace(MAKE, f"    model = Net(classes)\n{hook}    return model\n")
    name = name_of(write_network(tmp_path, text))
    anatomy = anatomy_of(name, build_model(name, classes=2, seed=0), 32)
    assert anatomy.outline == ("first", "second")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("file:net.txt:make", "named file:PATH.py:FACTORY, with a .py file, not 'net.txt'"),
        ("file:net.py", "named file:PATH.py:FACTORY, with a function's name at the end, not 'net.py'"),
        ("file:net.py:2", "with a function's name at the end"),
        ("module:a..b:make", "with a module's name, not 'a..b'"),
        ("timm:resnet18.a1_in1k", "without the tag of its weights"),
        ("net.py:make", r"Unknown source of networks 'net\.py'"),
    ],
)
def test_a_name_has_a_form(name: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        check_network(name)


def test_the_owner_says_whose_code_is_executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_network(tmp_path / "mine")
    link = tmp_path / "mine" / "link.py"
    link.symlink_to(write_network(tmp_path / "theirs"))
    own = name_of(path)

    def refused(name: str) -> str:
        with pytest.raises(InputError) as error:
            require_network(name)
        with pytest.raises(InputError):
            build_model(name, classes=2, seed=0)
        return str(error.value)

    monkeypatch.setenv("BIRD_NETWORKS", "")
    assert "switched off here: BIRD_NETWORKS is empty" in refused(own)
    assert "switched off" in refused("module:torchvision.models:resnet18")
    assert "switched off" in refused("file:/no/such/file.py:make"), "nor whether it is there"
    require_network("torchvision:resnet18")

    monkeypatch.setenv("BIRD_NETWORKS", f"{tmp_path / 'mine'}:torchvision.models")
    require_network(own)
    require_network("module:torchvision.models.resnet:resnet18")
    assert "in none of the places that BIRD_NETWORKS allows" in refused(name_of(link))
    assert "in none of the places" in refused(name_of(tmp_path / "mine" / ".." / "theirs" / "net.py"))
    assert "torchvision.ops is in none" in refused("module:torchvision.ops:nms")

    monkeypatch.delenv("BIRD_NETWORKS")
    require_network(name_of(link))
    assert "There is no file" in refused("file:/no/such/file.py:make")


def test_the_code_is_part_of_a_runs_identity(tmp_path: Path) -> None:
    path = write_network(tmp_path, f"import blocks_beside\n{GOOD}")
    beside = write_network(tmp_path, "A = 1\n", "blocks_beside.py")
    spec = examine_spec(ModelRef(model=name_of(path)), 32)
    first = identify(spec).digest
    assert identify(spec).digest == first
    write_network(tmp_path, "A = 2\n", beside.name)
    second = identify(spec).digest
    write_network(tmp_path, f"import blocks_beside\n{GOOD}\n# other")
    third = identify(spec).digest
    path.unlink()
    assert len({first, second, third, identify(spec).digest}) == 4


def test_nothing_of_it_is_executed_to_check_a_spec_and_no_torch_is_loaded(tmp_path: Path) -> None:
    path = write_network(tmp_path, "raise SystemExit('executed')\n")
    code = (
        "import sys\n"
        "from bird_backend.experiments import load_spec\n"
        "from bird_backend.runs import submit\n"
        f"document = {{'kind': 'examine', 'model': {{'model': {name_of(path)!r}}}}}\n"
        "submit(load_spec(document))\n"
        "document['model']['model'] = 'module:torchvision.models:resnet18'\n"
        "submit(load_spec(document))\n"
        "assert not {'torch', 'torchvision'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        (None, False),
        ("192.0.2.1", False),
        ("bird.example", False),
    ],
)
def test_an_app_that_others_reach_executes_no_code_of_ones_own(
    monkeypatch: pytest.MonkeyPatch, address: str | None, allowed: bool
) -> None:
    monkeypatch.setenv("BIRD_NETWORKS", "only_mine")
    keep_code_at_home(address)
    assert settings.networks_allowed() == ("only_mine",), "what the owner says counts"
    monkeypatch.delenv("BIRD_NETWORKS")
    keep_code_at_home(address)
    assert settings.networks_allowed() == (None if allowed else ())
