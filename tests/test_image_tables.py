"""A table of images in place of folders: which columns it has, what is refused, and with which sentence."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from bird_backend.datasets import load_dataset
from tests.test_folders import Write, picture, reds, refusal, write, write_folder

__all__ = ["write"]


def table(*lines: str, header: str = "path,label", n: int = 10) -> dict[str, bytes]:
    """Images in one folder, the odd ones a dog, and a table of them with further lines."""
    files = {f"pictures/{i}.png": picture(i) for i in range(2 * n)}
    rows = [f"pictures/{i}.png,{('cat', 'dog')[i % 2]}" for i in range(2 * n)]
    return files | {"labels.csv": "\r\n".join([header, *rows, *lines]).encode("utf-8-sig")}


def test_a_table_says_the_classes(write: Write, tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "set", table() | {"pictures/extra.png": picture(99)}))
    assert data.classes == ("cat", "dog")
    found = reds(data)
    assert sorted(chain(*found.values())) == list(range(20))
    for split in (data.train, data.validation, data.test):
        assert (split.images[:, 0, 0, 0] % 2).tolist() == split.labels.tolist()
    assert "1 file left out: not named in labels.csv, such as pictures/extra.png." in data.remarks


def test_a_table_says_the_splits(write: Write, tmp_path: Path) -> None:
    header = "File\tSubset\tClass"
    rows = [f"{i}.png\t{('', 'Train')[i % 2]}\t{'ab'[i < 10]}" for i in range(20)]
    rows += [f"{i}.png\t{split}\ta" for i, split in ((20, "dev"), (21, "TEST"))]
    files = {f"{i}.png": picture(i) for i in range(22)} | {"all.tsv": "\n".join([header, *rows]).encode()}
    found = reds(load_dataset(write(tmp_path / "set", files)))
    assert found == {"train": list(range(20)), "validation": [20], "test": [21]}


def test_a_table_by_its_own_name_lies_beside_or_above_its_images(tmp_path: Path) -> None:
    write_folder(tmp_path / "set", table() | {"other.csv": b"path,label\n"})
    name = f"csv:{tmp_path / 'set' / 'labels.csv'}"
    assert len(load_dataset(name).train) == 14
    assert "no training images" in refusal(f"csv:{tmp_path / 'set' / 'other.csv'}")
    assert "There is no table at" in refusal(f"csv:{tmp_path / 'none.csv'}")
    assert "is no .csv or .tsv file" in refusal(f"csv:{tmp_path / 'set' / 'pictures' / '1.png'}")


def test_another_table_beside_class_folders_is_none_of_the_images(write: Write, tmp_path: Path) -> None:
    files = {f"{label}/{i}.png": picture(i) for label in "ab" for i in range(10)} | {"prices.csv": b"item,price\nx,1\n"}
    assert load_dataset(write(tmp_path / "set", files)).classes == ("a", "b")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["pictures/1.png,cat"], "names 'pictures/1.png' in lines 3 and 22"),
        (["../secret.png,cat"], "in line 22 has the path '../secret.png'; paths are relative"),
        (["/etc/x.png,cat"], "in line 22 has the path '/etc/x.png'"),
        (["pictures/0.png"], "has too few cells in line 22"),
        (["pictures/30.png,"], "has no label in line 22"),
        (['"pictures/30.png'], "too few cells in line"),
    ],
)
def test_what_is_wrong_in_a_table_is_said_with_its_line(
    write: Write, tmp_path: Path, lines: list[str], said: str
) -> None:
    assert said in refusal(write(tmp_path / "set", table(*lines)))


def test_lines_of_images_that_are_not_there_are_counted(write: Write, tmp_path: Path) -> None:
    data = load_dataset(write(tmp_path / "set", table("pictures/30.png,cat", "pictures/31.png,cat")))
    assert "2 files left out: named but not there, such as pictures/30.png." in data.remarks
    files = {"labels.csv": b"path,label\na.png,x\nb.png,y\n", "c.png": picture(1)}
    assert "names no image that is there" in refusal(write(tmp_path / "other", files))
    odd = table(header="path,label,split") | {"labels.csv": b"path,label,split\npictures/1.png,x,maybe\n"}
    assert "has the split 'maybe' in line 2; there are train, validation and test" in refusal(
        write(tmp_path / "third", odd)
    )
