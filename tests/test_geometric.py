"""Geometric changes against scipy, image by image, and what any of them leaves as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from torch import Tensor

from bird_backend.behaviours.geometric import AMOUNTS
from bird_backend.behaviours.geometric.apply import affine_maps, move, sample

SIZES = [(32, 32), (21, 40), (1, 2), (64, 64)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int, height: int, width: int) -> Tensor:
    return torch.randint(0, 256, (n, 3, height, width), generator=generator(1), dtype=torch.uint8)


def by_scipy(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """One channel [H,W], each pixel from where the map [2,3], x before y around the middle, says; black outside."""
    turned = matrix[::-1, [1, 0]]  # scipy counts rows before columns
    middle = (np.array(image.shape) - 1) / 2
    offset = middle + matrix[::-1, 2] - turned @ middle
    moved = affine_transform(image.astype(np.float64), turned, offset, order=1, mode="grid-constant", cval=0)
    return np.clip(moved, 0, 255)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("strength", [1, 3, 5])
@pytest.mark.parametrize("condition", AMOUNTS)
def test_every_image_is_what_scipy_makes_of_it(condition: str, strength: int, size: tuple[int, int]) -> None:
    images = pictures(6, *size)
    ours = move(images, condition, strength, generator(3))
    maps = affine_maps(images, condition, torch.full((6,), strength), generator(3))
    for image, moved, matrix in zip(images, ours, maps.double().numpy(), strict=True):
        for channel, found in zip(image.numpy(), moved.numpy(), strict=True):
            np.testing.assert_allclose(found, by_scipy(channel, matrix), atol=0.6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("condition", AMOUNTS)
def test_strength_zero_is_the_image(condition: str, size: tuple[int, int]) -> None:
    images = pictures(5, *size)
    assert torch.equal(move(images, condition, 0, generator()), images)


@pytest.mark.parametrize("strength", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("condition", AMOUNTS)
def test_maps_have_their_declared_size_and_both_directions(condition: str, strength: int) -> None:
    images = pictures(400, 32, 32)
    maps = affine_maps(images, condition, torch.full((400,), strength), generator()).double()
    amount = AMOUNTS[condition][strength - 1]
    square, moved = maps[:, :, :2], maps[:, :, 2]
    if condition == "rotation":
        angles = torch.atan2(square[:, 1, 0], square[:, 0, 0]).rad2deg()
        torch.testing.assert_close(angles.abs(), torch.full((400,), amount, dtype=torch.float64), atol=1e-4, rtol=0)
        both = angles > 0
        torch.testing.assert_close(square @ square.mT, torch.eye(2).double().expand(400, 2, 2), atol=1e-6, rtol=0)
    elif condition == "shift":
        torch.testing.assert_close(moved.norm(dim=1), torch.full((400,), 32 * amount).double(), atol=1e-4, rtol=0)
        both = moved[:, 0] > 0
    elif condition == "scale":
        factors = square[:, 0, 0]
        assert set(factors.round(decimals=4).tolist()) == {round(amount, 4), round(1 / amount, 4)}
        both = factors > 1
    else:
        slants = square[:, 0, 1] + square[:, 1, 0]
        torch.testing.assert_close(slants.abs(), torch.full((400,), amount).double(), atol=1e-6, rtol=0)
        assert ((square[:, 0, 1] != 0) ^ (square[:, 1, 0] != 0)).all()
        both = slants > 0
    assert 0.35 < both.double().mean() < 0.65


@pytest.mark.parametrize("condition", AMOUNTS)
def test_a_change_is_the_same_at_every_size(condition: str) -> None:
    strengths = torch.full((6,), 4)
    small, large = (affine_maps(torch.zeros(6, 3, n, n), condition, strengths, generator(3)) for n in (32, 224))
    small[:, :, 2] *= 7
    torch.testing.assert_close(small, large)


def test_whole_shifts_and_half_turns_are_exact() -> None:
    images = pictures(2, 32, 32)
    right = torch.tensor([[1.0, 0, -3], [0, 1, 0]]).expand(2, 2, 3)
    expected = torch.zeros_like(images)
    expected[..., 3:] = images[..., :-3]
    assert torch.equal(sample(images, right), expected)
    half = torch.tensor([[-1.0, 0, 0], [0, -1, 0]]).expand(2, 2, 3)
    assert torch.equal(sample(images, half), images.flip((2, 3)))


def test_a_batch_is_its_images_one_by_one() -> None:
    images = pictures(5, 32, 32)
    maps = affine_maps(images, "rotation", torch.tensor([0, 1, 2, 3, 5]), generator())
    whole = sample(images, maps)
    assert torch.equal(whole, torch.cat([sample(images[i : i + 1], maps[i : i + 1]) for i in range(5)]))
    assert torch.equal(whole[0], images[0])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("condition", AMOUNTS)
def test_a_gpu_agrees_with_the_cpu(condition: str) -> None:
    images = pictures(6, 32, 32)
    maps = affine_maps(images, condition, torch.full((6,), 4), generator())
    on_gpu = sample(images.cuda(), maps.cuda()).cpu()
    assert (on_gpu.int() - sample(images, maps).int()).abs().max() <= 1
