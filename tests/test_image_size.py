"""The size that images have: what a spec may ask for, and what is chosen where it does not say."""

from __future__ import annotations

from typing import Any

import pytest

from bird_backend.catalog import own_image_size
from bird_backend.errors import InputError
from bird_backend.experiments import load_spec, spec_hash


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
