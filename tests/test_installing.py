"""`pip install .`: one wheel with the command, the app and what lies in assets/, which works away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bird_backend import settings
from bird_backend.cli import main
from tests.conftest import ROOT

PARTS = (".streamlit", "app", "assets", "bird_backend", "README.md", "pyproject.toml", "requirements.txt", "setup.py")
LOOK = """
import json, sys
from importlib.metadata import entry_points
from bird_backend import catalog, settings
from bird_backend.datasets.arrays import read_npz
from bird_backend.runs.provenance import list_weights
(command,) = entry_points(group="console_scripts", name="bird")
code = command.load()(["list", "methods"])
print(json.dumps({
    "code": code,
    "package": str(settings.CODE),
    "models": len(catalog.models()),
    "weights": {found.name: found.problem for found in list_weights()},
    "images": len(read_npz(settings.ASSETS / "fashion-mnist-small.npz")["test_images"]),
    "app": sorted(str(path.relative_to(settings.APP.parent.parent)) for path in settings.APP.parent.rglob("*.*")),
    "logo": (settings.ASSETS / "logo-mark.svg").is_file(),
}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel's files lie. It is built beside the checkout, for building leaves folders behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source, target = folder / "source", folder / "site"
    source.mkdir()
    for name in PARTS:
        (source / name).symlink_to(ROOT / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(folder)]
    said = subprocess.run([*pip, str(source)], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(target)
    return target


def test_the_wheel_has_one_package_and_asks_for_what_requirements_do(installed: Path) -> None:
    (facts,) = installed.glob("*.dist-info")
    assert {path.name for path in installed.iterdir()} == {"bird_backend", facts.name}
    needed = (facts / "METADATA").read_text("utf-8")
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            assert f"Requires-Dist: {line.partition('>')[0]}" in needed, line
    assert not list(installed.rglob("__pycache__"))


def test_what_is_installed_finds_its_methods_weights_data_and_app(installed: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK],
        cwd=installed.parent,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    *methods, last = said.stdout.splitlines()
    assert any(line.startswith("bird ") for line in methods)
    found = json.loads(last)
    assert found["code"] == 0
    assert found["package"] == str(installed)
    assert found["models"] > 10
    assert found["weights"]["fashion-student"] is None
    assert found["images"] == 3000
    tracked = [path for path in (ROOT / "app").rglob("*.*") if not {"__pycache__", "vendor"} & set(path.parts)]
    assert found["app"] == sorted(str(path.relative_to(ROOT)) for path in tracked)
    folder = installed / "bird_backend" / "explorer"
    assert {path.name for path in folder.iterdir()} == {".streamlit", "app"}
    assert (folder / ".streamlit" / "config.toml").read_text() == (ROOT / ".streamlit" / "config.toml").read_text()
    assert found["logo"]


def test_the_app_is_started_by_streamlit_or_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    began: list[list[str]] = []
    monkeypatch.setattr("os.execv", lambda _program, arguments: began.append(arguments))
    monkeypatch.setattr("os.chdir", lambda _folder: None)
    assert main(["app", "--port", "8600"]) == 0
    assert began[0][1:] == ["-m", "streamlit", "run", str(ROOT / "app" / "main.py"), "--server.port", "8600"]
    monkeypatch.setattr(settings, "APP", tmp_path / "app" / "main.py")
    assert main(["app"]) == 2
    assert "not part of this installation" in capsys.readouterr().err
