"""The size that images have: what a spec may ask for, and what is chosen where it does not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bird_backend.catalog import own_image_size
from bird_backend.cli import main
from bird_backend.cli.choices import parse_image_size
from bird_backend.errors import InputError
from bird_backend.evaluation.thumbnails import thumbnails
from bird_backend.experiments import load_spec, spec_hash
from bird_backend.jobs.process import perform
from bird_backend.runs.reading import read_examples, read_probes
from bird_backend.runs.store import RunStore


@pytest.mark.parametrize(
    ("sizes", "side"),
    [
        ({(32, 32)}, 32),
        ({(64, 64)}, 64),
        ({(16, 16)}, 16),
        ({(8, 8)}, 64),
        ({(28, 28)}, 64),
        ({(96, 96)}, 64),
        ({(32, 48)}, 64),
        ({(32, 32), (48, 48)}, 64),
        (set(), 64),
    ],
)
def test_own_images_keep_a_common_small_square_size(sizes: set[tuple[int, int]], side: int) -> None:
    assert own_image_size(sizes) == side


def test_the_size_is_part_of_what_a_run_is(transfer_document: dict[str, Any]) -> None:
    usual = load_spec(transfer_document)
    assert usual.model_dump()["image_size"] == "auto"
    assert spec_hash(load_spec(transfer_document | {"image_size": 64})) != spec_hash(usual)


@pytest.mark.parametrize("size", [8, 20, 520, 32.5, True, "large", "32"])
def test_a_size_is_a_multiple_of_eight(transfer_document: dict[str, Any], size: object) -> None:
    with pytest.raises(InputError, match="image_size"):
        load_spec(transfer_document | {"image_size": size})


def test_a_run_has_images_of_its_size_throughout(transfer_document: dict[str, Any]) -> None:
    transfer_document |= {"image_size": 16, "training": {"epochs": 1, "batch_size": 128}}
    run = RunStore().create(load_spec(transfer_document), state="running")
    perform(run.id, device="cpu")
    probes, examples = read_probes(run.directory), read_examples(run.directory)
    assert probes is not None and examples is not None
    assert probes["images"].shape[1:] == examples.clean.shape[1:] == examples.changed.shape[2:] == (16, 16, 3)


def test_pictures_that_are_kept_are_no_larger_than_they_need_to_be() -> None:
    levels = torch.arange(4, dtype=torch.uint8).mul(60).view(2, 2).repeat_interleave(4, 0).repeat_interleave(4, 1)
    images = levels.expand(2, 3, 8, 8)
    as_they_are = thumbnails(images, 8)
    assert as_they_are.shape == (2, 8, 8, 3) and (as_they_are[0, :, :, 0] == levels.numpy()).all()
    small = thumbnails(images, 2)
    np.testing.assert_array_equal(small[1, :, :, 2], [[0, 60], [120, 180]])


def test_sizes_are_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [parse_image_size(text) for text in ("auto", " 64 ")] == ["auto", 64]
    for text in ("", "65", "8", "1024", "-64", "large", "9" * 5000):
        with pytest.raises(InputError, match="--image-size takes auto, or a number from 16 to 512 in steps of 8"):
            parse_image_size(text)
    out = tmp_path / "out"
    asked = ["corrupt", "digits", str(out), "--corruptions", "contrast", "--severities", "1", "--image-size", "16"]
    assert main(asked) == 0
    capsys.readouterr()
    assert np.load(out / "contrast.npy", mmap_mode="r").shape == (359, 16, 16, 3)
