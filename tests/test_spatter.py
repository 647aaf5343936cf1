"""Spatter against the published steps, and its edges, distances and gloss against plain NumPy, one image at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from bird_backend.corruptions import CORRUPTIONS, edges
from bird_backend.corruptions.spatter.apply import gloss, spatter

Floats = NDArray[np.float64]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int, height: int, width: int) -> Tensor:
    coarse = torch.rand((batch, 3, 5, 5), generator=generator(1))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear").mul(255).round().div(255)


def hwc(image: Tensor) -> Floats:
    return image.permute(1, 2, 0).double().numpy()


def plain_canny(levels: np.ndarray, low: int, high: int) -> np.ndarray:
    """Pixel by pixel, with a stack for what hangs together."""
    height, width = levels.shape
    across = ndimage.sobel(levels.astype(int), axis=1, mode="nearest")
    down = ndimage.sobel(levels.astype(int), axis=0, mode="nearest")
    size = np.pad(np.abs(across) + np.abs(down), 1)
    candidates, stack = np.zeros((height, width), bool), []
    for y in range(height):
        for x in range(width):
            here, angle = size[y + 1, x + 1], abs(down[y, x]) * 2**15
            if here <= low:
                continue
            if angle < abs(across[y, x]) * 13573:
                peak = here > size[y + 1, x] and here >= size[y + 1, x + 2]
            elif angle > abs(across[y, x]) * (13573 + 2**16):
                peak = here > size[y, x + 1] and here >= size[y + 2, x + 1]
            else:
                s = -1 if across[y, x] * down[y, x] < 0 else 1
                peak = here > size[y, x + 1 - s] and here > size[y + 2, x + 1 + s]
            candidates[y, x] = peak
            if peak and here > high:
                stack.append((y, x))
    found = np.zeros((height, width), bool)
    while stack:
        y, x = stack.pop()
        if not (0 <= y < height and 0 <= x < width) or found[y, x] or not candidates[y, x]:
            continue
        found[y, x] = True
        stack += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    return found


def plain_distance(found: np.ndarray) -> Floats:
    """To the nearest of all edges by the length of the shortest chain of moves, at most 20."""
    rows, columns = np.mgrid[: found.shape[0], : found.shape[1]]
    distance = np.full(found.shape, 20.0)
    axis, diagonal, knight = 1, 91750 / 2**16, 143976 / 2**16
    for y, x in np.argwhere(found):
        long = np.maximum(abs(rows - y), abs(columns - x))
        short = np.minimum(abs(rows - y), abs(columns - x))
        flat = axis * (long - 2 * short) + knight * short
        steep = diagonal * (2 * short - long) + knight * (long - short)
        distance = np.minimum(distance, np.where(long >= 2 * short, flat, steep))
    return distance


def plain_equalised(values: np.ndarray) -> np.ndarray:
    histogram = [int((values == level).sum()) for level in range(256)]
    first = next(level for level in range(256) if histogram[level])
    if histogram[first] == values.size:
        return np.full(values.shape, first)
    scale = np.float32(255) / np.float32(values.size - histogram[first])
    table, total = [0] * 256, 0
    for level in range(first + 1, 256):
        total += histogram[level]
        table[level] = int(np.rint(np.float32(total) * scale))
    return np.array(table)[values]


def plain_gloss(levels: np.ndarray) -> Floats:
    distance = ndimage.uniform_filter(plain_distance(plain_canny(levels, 50, 150)), 3, mode="mirror")
    shade = plain_equalised(np.floor(distance + 1e-9).astype(int))
    relief = ndimage.correlate(shade, [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], mode="mirror").clip(0, 255)
    return np.rint(ndimage.uniform_filter(relief.astype(float), 3, mode="mirror"))


def drops(batch: int, size: tuple[int, int], severity: int, seed: int = 0, made_for: int = 32) -> np.ndarray:
    """Layers of water as published, uint8 [batch, *size]."""
    row = CORRUPTIONS["spatter"].constants_for(made_for)[severity - 1]
    noise = np.random.default_rng(seed).normal(row["mean"], row["deviation"], (batch, *size))
    layer = ndimage.gaussian_filter(noise, (0, row["sigma"], row["sigma"]), mode="nearest")
    layer[layer < row["threshold"]] = 0
    return (np.clip(layer, 0, 1) * 255).astype(np.uint8)


def innermost(layers: np.ndarray) -> Tensor:
    return torch.from_numpy(layers.astype(np.float32)).permute(1, 2, 0).contiguous()


@pytest.mark.parametrize("made_for", [32, 224])
@pytest.mark.parametrize("severity", [1, 2, 3])
def test_edges_are_those_of_a_plain_canny(severity: int, made_for: int) -> None:
    layers = drops(16, (24, 30), severity, made_for=made_for)
    found = edges.canny(innermost(layers).to(torch.int16), 50, 150)
    for i, layer in enumerate(layers):
        assert np.array_equal(found[..., i].numpy() == 1, plain_canny(layer, 50, 150))


def test_weak_edges_count_as_far_as_they_hang_on_strong_ones() -> None:
    levels = np.zeros((2, 16, 16), np.uint8)
    levels[:, :, 8:] = 30
    levels[1, :2, 8:] = 60
    found = edges.canny(innermost(levels).to(torch.int16), 50, 150)
    for i, layer in enumerate(levels):
        expected = plain_canny(layer, 50, 150)
        expected[10:] = False  # as far as they spread
        assert np.array_equal(found[:10, :, i].numpy() == 1, expected[:10])
    assert not found[..., 0].any()
    assert found[..., 1].sum() >= 8


@pytest.mark.parametrize("limit", [7, 20])
def test_distances_are_the_shortest_of_all(limit: int) -> None:
    chance = np.random.default_rng(2)
    found = chance.random((12, 20, 26)) < chance.choice([0.003, 0.01, 0.05], (12, 1, 1))
    found[0] = False
    distance = edges.distance_to(innermost(found).to(torch.int16), limit)
    for i, plane in enumerate(found):
        expected = np.minimum(plain_distance(plane), limit)
        assert np.abs(distance[..., i].numpy() / edges.UNIT - expected).max() < 1e-6


@pytest.mark.parametrize(("made_for", "far"), [(32, 7), (224, 20)])
@pytest.mark.parametrize("severity", [1, 2, 3])
def test_water_shines_as_published(severity: int, made_for: int, far: int) -> None:
    layers = drops(40, (32, 32), severity, seed=3, made_for=made_for)
    ours = gloss(innermost(layers), far).permute(2, 0, 1).numpy()
    expected = np.stack([plain_gloss(layer) for layer in layers])
    inside = layers > 0
    assert (ours == expected)[inside].mean() > 0.998


def test_water_without_an_edge_shines_evenly() -> None:
    shine = gloss(torch.full((6, 8, 2), 200.0))
    assert shine.unique().numel() == 1
    assert shine.min() > 0


@pytest.mark.parametrize("severity", [1, 3, 4, 5])
@pytest.mark.parametrize(("size", "made_for"), [((32, 32), 32), ((21, 40), 32), ((64, 64), 64), ((64, 64), 224)])
def test_spatter_is_the_published_steps(size: tuple[int, int], made_for: int, severity: int) -> None:
    row = CORRUPTIONS["spatter"].constants_for(made_for)[severity - 1]
    images = pictures(3, *size)
    ours = spatter(images, generator(9), **row)
    draws = torch.randn((*size, 3), generator=generator(9)).double().numpy()
    for i, image in enumerate(images):
        x = hwc(image)
        layer = ndimage.gaussian_filter(row["mean"] + row["deviation"] * draws[..., i], row["sigma"], mode="nearest")
        layer[layer < row["threshold"]] = 0
        if row["mud"]:
            cover = ndimage.gaussian_filter((layer > row["threshold"]).astype(float), row["weight"], mode="nearest")
            cover[cover < 0.8] = 0
            expected = x * (1 - cover[..., None]) + cover[..., None] * np.array([63, 42, 20]) / 255
        else:
            levels = (np.clip(layer, 0, 1) * 255).astype(np.uint8)
            cover = levels * plain_gloss(levels)
            cover *= row["weight"] / cover.max()
            expected = x + cover[..., None] * np.array([175, 238, 238]) / 255
        difference = np.abs(hwc(ours[i]) - expected)
        assert (difference > 1e-4).mean() < 0.005


@pytest.mark.parametrize("severity", [1, 4])
def test_an_image_on_which_no_drop_falls_stays_as_it_was(severity: int) -> None:
    images = pictures(2, 32, 32)
    row = {**CORRUPTIONS["spatter"].constants_for(32)[severity - 1], "mean": 0.0}
    assert torch.equal(spatter(images, generator(), **row), images)
