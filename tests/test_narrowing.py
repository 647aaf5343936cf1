"""A data set narrowed to some of its classes: one spelling, the whole one's images and splits, and what can't be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import TypeAdapter

from bird_backend import catalog
from bird_backend.behaviours.corruptions.stored import open_corrupted_set, write_corrupted_set
from bird_backend.catalog import apart, data_name, find_dataset, title_of
from bird_backend.cli import main
from bird_backend.datasets import Dataset, Split, load_dataset, own
from bird_backend.datasets.splits import hold_out
from bird_backend.errors import BirdError, InputError
from bird_backend.runs.fingerprints import MISSING, data_fingerprint
from bird_backend.runs.image_cache import list_cached
from bird_backend.runs.provenance import find_weights, read_provenance
from bird_backend.specs import DataName
from tests.trials import corrupting

LABELS = ("ant", "bee", "cat", "dog")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four classes of ten images, every image another grey."""
    for place, label in enumerate(LABELS):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for index in range(10):
            image = Image.new("RGB", (16, 16), (10 * place + index,) * 3)
            image.save(tmp_path / "photos" / label / f"{index}.png")
    return tmp_path / "photos"


def parts(data: Dataset) -> list[Split]:
    return [data.train, data.validation, data.test]


def by_hand(whole: Dataset, wanted: list[str]) -> list[list[tuple[bytes, str]]]:
    """Images and their classes' names, split by split, one after the other."""
    return [
        [
            (image.numpy().tobytes(), whole.classes[int(label)])
            for image, label in zip(split.images, split.labels, strict=True)
            if whole.classes[int(label)] in wanted
        ]
        for split in parts(whole)
    ]


@pytest.mark.parametrize(
    ("asked", "one"),
    [
        ("fashion-mnist-small#4-0,1", None),
        ("fashion-mnist-small#Bag,Coat", "fashion-mnist-small#4,8"),
        ("fashion-mnist-small# 8 , Coat", "fashion-mnist-small#4,8"),
        ("fashion-mnist-small#9,8,7,Sandal,1", "fashion-mnist-small#1,5,7-9"),
        ("cifar10#0,3,5-9", "cifar10#0,3,5-9"),
        ("fashion-mnist-small#T-shirt,Ankle boot", "fashion-mnist-small#0,9"),
        ("digits#0-9", "digits"),
        ("cifar100#rose,bear,3", "cifar100#3,bear,rose"),
        ("torchvision:MNIST#3,1,2", "torchvision:MNIST#1-3"),
        ("folder:/no/photos#dog,cat", "folder:/no/photos#cat,dog"),
        ("upload:0a/my photos #2.zip", "upload:0a/my photos #2.zip"),
        ("upload:0a/my photos #2.zip#1,0", "upload:0a/my photos #2.zip#0-1"),
        ("folder:/no/odd#name/photos", "folder:/no/odd#name/photos"),
    ],
)
def test_a_narrowed_name_has_one_spelling(asked: str, one: str | None) -> None:
    if one is None:
        with pytest.raises(InputError, match=r"runs backwards, 4-0; write 0-4"):
            data_name(asked)
        return
    assert data_name(asked) == one == data_name(one)
    assert TypeAdapter(DataName).validate_python(asked) == one
    whole = data_fingerprint(apart(one)[0])
    assert (data_fingerprint(one) == whole) == (apart(one)[1] is None or whole == MISSING)
    assert catalog.may_be_mirrored(one) == catalog.may_be_mirrored(apart(one)[0])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("digits#", "one is missing"),
        ("digits#1,,2", "one is missing"),
        ("digits#3", "narrowed to one class"),
        ("digits#3,3", "to class 3 twice"),
        ("fashion-mnist-small#0-4,Dress", "to class Dress twice"),
        ("digits#2-10", "has 10 classes, numbered from 0 to 9, so there is no class 10"),
        ("cifar100#99,100", "numbered from 0 to 99, so there is no class 100"),
        ("fashion-mnist-small#Bag,Cot", "Unknown class of fashion-mnist-small 'Cot': did you mean Coat?"),
        ("digits#0-4#1,2", "Unknown data set 'digits#0-4'"),
        ("digitz#0-4", "Unknown data set 'digitz': did you mean digits?"),
        ("torchvision:NIST#0-4", "Unknown data set of torchvision 'NIST': did you mean"),
        ("folder:/no/photos#cat,cat", "to class cat twice"),
        ("folder:/no/photos#cat", "narrowed to one class"),
        ("folder:#0-4", "Unknown data set 'folder:'"),
    ],
)
def test_what_no_data_set_can_be_narrowed_to_is_one_sentence(asked: str, said: str) -> None:
    for refuse in (data_name, TypeAdapter(DataName).validate_python, load_dataset):
        with pytest.raises(BirdError) as error:
            refuse(asked)
        assert said in str(error.value) and "\n" not in str(error.value)


def test_narrowed_digits_are_the_whole_ones_filtered_by_hand() -> None:
    whole, narrowed, facts = load_dataset("digits"), load_dataset("digits#7,1,4-5"), find_dataset("digits#7,1,4-5")
    wanted = ["1", "4", "5", "7"]
    for split, images in zip(parts(narrowed), by_hand(whole, wanted), strict=True):
        found = [
            (image.numpy().tobytes(), wanted[int(label)])
            for image, label in zip(split.images, split.labels, strict=True)
        ]
        assert found == images
        assert set(split.labels.tolist()) == {0, 1, 2, 3}
    assert list(narrowed.classes) == list(facts.classes) == wanted
    assert narrowed.name == facts.name == "digits#1,4-5,7"
    assert [facts.train, facts.validation, facts.test] == [len(split) for split in parts(narrowed)]


@pytest.mark.parametrize("facts", catalog.DATASETS.values(), ids=lambda facts: facts.name)
def test_the_catalogue_knows_how_many_images_each_class_has(facts: catalog.DatasetFacts) -> None:
    """By cutting as many labels as the data set has, which is all that the number in each split depends on."""
    every = [facts.counts([place]) for place in range(facts.n_classes)]
    assert tuple(map(sum, zip(*every, strict=True))) == (facts.train, facts.validation, facts.test)
    if facts.name == "digits":
        assert every == [
            tuple(int((split.labels == place).sum()) for split in parts(load_dataset("digits"))) for place in range(10)
        ]
    else:
        labels = np.repeat(np.arange(len(every)), [train + validation for train, validation, _ in every])
        kept, out = hold_out(labels, 0.1)
        counts = zip(np.bincount(labels[kept]), np.bincount(labels[out]), strict=True)
        assert [tuple(map(int, each)) for each in counts] == [each[:2] for each in every]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("fashion-mnist-small#0-4", "Fashion-MNIST small, 5 of 10 classes: T-shirt … Coat"),
        ("fashion-mnist-small#4,8", "Fashion-MNIST small, 2 of 10 classes: Coat, Bag"),
        ("cifar100#0-9", "CIFAR-100, 10 of 100 classes: 0 … 9"),
        ("torchvision:MNIST#1-2", "MNIST, 2 classes: 1, 2"),
        ("folder:/no/photos#cat,dog", "photos, 2 classes: cat, dog"),
    ],
)
def test_a_title_says_which_classes(name: str, title: str) -> None:
    assert title_of(name) == title


def test_own_images_are_decoded_once_for_all_that_they_are_narrowed_to(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_dataset(f"folder:{folder}")
    monkeypatch.setattr(own, "decode", None)
    for asked, wanted in (("dog,bee", ["bee", "dog"]), ("1-2", ["bee", "cat"])):
        narrowed = load_dataset(f"folder:{folder}#{asked}")
        assert list(narrowed.classes) == wanted
        for split, images in zip(parts(narrowed), by_hand(whole, wanted), strict=True):
            assert [each.numpy().tobytes() for each in split.images] == [pixels for pixels, _ in images]
            assert [wanted[label] for label in split.labels.tolist()] == [label for _, label in images]
        assert narrowed.describe()["counts"]["train"] == [7, 7]
        assert narrowed.remarks[-1].startswith("Of 4 classes 2 are taken")
    assert len(list_cached()) == 1
    with pytest.raises(InputError, match=r"Unknown class of folder:.*'dgo': did you mean dog\?"):
        load_dataset(f"folder:{folder}#dgo,cat")
    with pytest.raises(InputError, match=r"4 classes, numbered from 0 to 3, so there is no class 4"):
        load_dataset(f"folder:{folder}#3-4")
    assert load_dataset(f"folder:{folder}#ant,bee,cat,dog").classes == LABELS


def test_what_depends_on_the_images_is_told_apart_for_other_classes(folder: Path) -> None:
    names = [f"folder:{folder}{classes}" for classes in ("", "#ant,bee", "#cat,dog", "#0-1")]
    assert len({data_fingerprint(name) for name in names}) == 4
    before = data_fingerprint(names[1])
    Image.new("RGB", (16, 16)).save(folder / "dog" / "10.png")
    assert data_fingerprint(names[1], fresh=True) != before


def test_a_class_without_a_test_image_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    labels = {"x_train": np.repeat(np.arange(3), 6), "x_test": np.array([0, 1])}
    arrays = {part: np.zeros((len(each), 16, 16), np.uint8) for part, each in labels.items()}
    targets = {part.replace("x_", "y_"): each for part, each in labels.items()}
    np.savez(tmp_path / "a.npz", classes=np.array(["a", "b", "c"]), **arrays, **targets)
    name = f"arrays:{tmp_path / 'a.npz'}"
    assert load_dataset(f"{name}#a,b").classes == ("a", "b")
    with pytest.raises(InputError, match=r"class 'c' has no test image that can be read; leave it out\.$"):
        load_dataset(f"{name}#0,2")


def test_a_path_with_a_hash_of_its_own_is_found(folder: Path) -> None:
    other = folder.rename(folder.parent / "set#1,2")
    name = f"folder:{other}"
    assert apart(name) == (name, None) and load_dataset(name).classes == LABELS
    assert load_dataset(f"{name}#0,3").classes == ("ant", "dog")
    (folder.parent / "set").mkdir()
    assert apart(name) == (f"folder:{folder.parent / 'set'}", "1,2"), "where both exist it is a list of classes"
    assert load_dataset(f"{name}/").classes == LABELS
    single = f"folder:{other.rename(folder.parent / 'set#2')}"
    assert apart(single) == (single, None), "no list of two, so the path"


def test_corrupted_images_of_the_whole_test_set_are_read_by_the_row(tmp_path: Path) -> None:
    whole, narrowed = load_dataset("digits"), load_dataset("digits#2,5-6")
    for name, data in (("whole", whole), ("own", narrowed)):
        images = data.test.images.permute(0, 2, 3, 1).numpy()
        trial, device = corrupting(["contrast"], seed=3), torch.device("cpu")
        write_corrupted_set(tmp_path / name, images, data.test.labels.numpy(), trial=trial, device=device)
    rows = [row for row, label in enumerate(whole.test.labels.tolist()) if label in (2, 5, 6)]
    stored = [
        open_corrupted_set(tmp_path / name, ("contrast",), narrowed.test.labels, 32, within=narrowed.within)
        for name in ("whole", "own")
    ]
    first, last = (
        np.load(tmp_path / name / "contrast.npy")[3 * n :] for name, n in (("whole", 359), ("own", len(rows)))
    )
    places = np.array([0, 7, len(rows) - 1])
    for at, each, expected in ((rows, stored[0], first), (range(len(rows)), stored[1], last)):
        found = each.batch(("contrast", 4), places, torch.device("cpu")).permute(0, 2, 3, 1).numpy()
        np.testing.assert_array_equal(found, expected[[at[place] for place in places]])
    other = load_dataset("digits#2,5")
    with pytest.raises(InputError, match=r"has 535 labels; 71 test images at 5 severities have 355"):
        open_corrupted_set(tmp_path / "own", ("contrast",), other.test.labels, 32, within=other.within)


def test_what_is_trained_on_some_classes_knows_those(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = {
        "kind": "pretrain",
        "data": "digits",
        "model": {"model": "cnn-small"},
        "training": {"epochs": 1},
        "behaviour": {"name": "corruptions", "conditions": ["contrast"], "strengths": [1]},
        "evaluation": {"limit": 20},
        "device": "cpu",
        "save_as": "odd",
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec), "utf-8")
    assert main(["run", str(tmp_path / "spec.json"), "--set", "data=digits#1,9,5,3,7", "--json"]) == 0
    assert capsys.readouterr().out
    made = read_provenance(find_weights("odd"))
    assert made is not None and made.classes == ("1", "3", "5", "7", "9")
    assert made.data == made.recipe["data"] == "digits#1,3,5,7,9"
    assert main(["run", str(tmp_path / "spec.json"), "--set", "data=digits#1"]) == 2
    assert "narrowed to one class" in capsys.readouterr().err
