"""Entries are found in the files of a folder: one more file is one more entry."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bird_backend.errors import UnknownNameError
from bird_backend.registry import Registry

ENTRY = """
from types import SimpleNamespace
DECLARES = {declares}
"""


def one(name: str, place: int) -> str:
    return f"SimpleNamespace(name={name!r}, place={place})"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "late.py").write_text(ENTRY.format(declares=one("late", 9)))
    (folder / "pair.py").write_text(ENTRY.format(declares=f"({one('b', 1)}, {one('a', 1)})"))
    (folder / "part.py").write_text("SHARED = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.split(".")[0] == "shelf"]:
        del sys.modules[name]


def test_every_file_that_declares_something_is_found_in_order(shelf: Path) -> None:
    registry: Registry = Registry("thing", "shelf", files=True)
    assert list(registry) == ["a", "b", "late"]
    assert registry["late"].place == 9
    with pytest.raises(UnknownNameError, match="Unknown thing 'latte': did you mean late"):
        registry.find("latte")


def test_one_more_file_is_one_more_entry(shelf: Path) -> None:
    registry: Registry = Registry("thing", "shelf", files=True)
    assert "toy" not in registry
    (shelf / "toy.py").write_text(ENTRY.format(declares=one("toy", 0)))
    registry.forget()
    assert list(registry) == ["toy", "a", "b", "late"]


def test_only_folders_are_read_where_files_may_need_torch(shelf: Path) -> None:
    (shelf / "boxed").mkdir()
    (shelf / "boxed" / "__init__.py").write_text(ENTRY.format(declares=one("boxed", 1)))
    assert list(Registry("thing", "shelf")) == ["boxed"]


def test_a_name_is_declared_once(shelf: Path) -> None:
    (shelf / "again.py").write_text(ENTRY.format(declares=one("a", 3)))
    with pytest.raises(ValueError, match="declares a thing twice"):
        len(Registry("thing", "shelf", files=True))
