"""Colour, elastic transform and JPEG against oracles written another way: colorsys, SciPy on one image, Pillow."""

from __future__ import annotations

import colorsys
import io

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates
from torch import Tensor

from bird_backend.corruptions import CORRUPTIONS
from bird_backend.corruptions.applying import corrupt
from bird_backend.corruptions.colour.apply import brightness, saturate
from bird_backend.corruptions.elastic.apply import elastic_transform
from bird_backend.corruptions.jpeg.apply import jpeg_compression

SEVERITIES = (1, 2, 3, 4, 5)
SIZES = [(32, 32), (21, 40), (40, 21), (64, 64), (1, 2), (2, 1), (3, 5)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int, height: int, width: int) -> Tensor:
    """Slow waves of strong colour with grain, in bytes."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    phase = torch.rand((batch, 3, 1, 1), generator=generator(1)) * 6
    waves = torch.sin(x / 5 + phase) * torch.cos(y / 7 - 2 * phase)
    grain = torch.rand((batch, 3, height, width), generator=generator(2))
    return ((waves * 0.45 + 0.5 + 0.2 * (grain - 0.5)).clamp(0, 1) * 255).round().to(torch.uint8)


def colours() -> Tensor:
    """[N,3,1,1]: random colours, and every mixture of none, little, middle, nearly all and all."""
    ends = torch.tensor([0, 1e-6, 1 / 255, 0.5, 128 / 255, 254 / 255, 1])
    edges = torch.cartesian_prod(ends, ends, ends)
    anywhere = torch.rand((300, 3), generator=generator())
    levels = torch.randint(256, (300, 3), generator=generator()) / 255
    return torch.cat((edges, anywhere, levels))[:, :, None, None]


def in_hsv(colour: np.ndarray, *, value: float = 0, factor: float = 1, saturation: float = 0) -> np.ndarray:
    h, s, v = colorsys.rgb_to_hsv(*colour.tolist())
    return np.array(colorsys.hsv_to_rgb(h, min(s * factor + saturation, 1), min(v + value, 1)))


@pytest.mark.parametrize("side", [32, 64, 224])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_brightness_raises_the_value_and_saturate_the_saturation_of_hsv(severity: int, side: int) -> None:
    before = colours()
    rows = before[:, :, 0, 0].to(torch.float64).numpy()
    added = CORRUPTIONS["brightness"].constants_for(side)[severity - 1]["added"]
    brighter = brightness(before, generator(), added=added)[:, :, 0, 0].numpy()
    np.testing.assert_allclose(brighter, [in_hsv(row, value=added) for row in rows], atol=1e-6)
    constants = CORRUPTIONS["saturate"].constants_for(side)[severity - 1]
    expected = [in_hsv(row, factor=constants["factor"], saturation=constants["added"]) for row in rows]
    np.testing.assert_allclose(saturate(before, generator(), **constants)[:, :, 0, 0].numpy(), expected, atol=1e-6)


def test_black_brightens_to_grey_and_grey_saturates_to_red() -> None:
    black, grey = torch.zeros((1, 3, 1, 1)), torch.full((1, 3, 1, 1), 0.5)
    assert torch.equal(brightness(black, generator(), added=0.25), torch.full((1, 3, 1, 1), 0.25))
    assert torch.equal(saturate(black, generator(), factor=2, added=0.5), black)
    assert saturate(grey, generator(), factor=2, added=0.5).flatten().tolist() == [0.5, 0.25, 0.25]
    assert torch.equal(saturate(grey, generator(), factor=0.1, added=0), grey)


@pytest.mark.parametrize("name", ["brightness", "saturate"])
def test_gradients_of_colour_are_those_of_finite_differences(name: str) -> None:
    images = pictures(1, 3, 3).double().div(255).requires_grad_()
    function = {"brightness": brightness, "saturate": saturate}[name]
    constants = CORRUPTIONS[name].constants_for(32)[2]
    assert torch.autograd.gradcheck(lambda x: function(x, generator(), **constants), (images,))


def elastic_oracle(
    image: np.ndarray, moves: np.ndarray, noise: np.ndarray, *, amplitude: float, sigma: float, tilt: float
) -> np.ndarray:
    """One image [H,W,3]; `moves` [3,2] and `noise` [H,W,2] uniform in [-1,1], x before y."""
    height, width = image.shape[:2]
    side = min(height, width)
    cx, cy, reach = height // 2, width // 2, side // 3
    points = np.array([[cx + reach, cy + reach], [cx + reach, cy - reach], [cx - reach, cy - reach]], dtype=float)
    moved = np.column_stack((points + moves * tilt * side, np.ones(3)))
    back = np.linalg.solve(moved, points)  # [x y 1] @ back is where a pixel comes from
    y, x = np.mgrid[:height, :width]
    source = np.stack((x, y, np.ones_like(x)), axis=-1) @ back

    def sample(layer: np.ndarray, at_y: np.ndarray, at_x: np.ndarray, mode: str) -> np.ndarray:
        return map_coordinates(layer, (at_y, at_x), order=1, mode=mode)

    tilted = [sample(image[..., i], source[..., 1], source[..., 0], "mirror") for i in range(3)]
    if not amplitude:
        return np.stack(tilted, axis=-1)
    dx, dy = (
        gaussian_filter(noise[..., i], sigma * side, mode="reflect", truncate=3) * amplitude * side for i in (0, 1)
    )
    return np.stack([sample(layer, y + dy, x + dx, "reflect") for layer in tilted], axis=-1)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("size", [*SIZES, (224, 224)])
def test_elastic_transform_is_two_bilinear_resamplings(size: tuple[int, int], severity: int) -> None:
    batch = 4 if max(size) < 224 else 1
    images = pictures(batch, *size) / 255
    constants = CORRUPTIONS["elastic_transform"].constants_for(min(size))[severity - 1]
    ours = elastic_transform(images, generator(3), **constants)
    chance = generator(3)
    moves = torch.rand((batch, 3, 2), generator=chance).numpy() * 2 - 1
    count = batch * size[0] * size[1] * 2
    draws = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None, generator=chance)
    noise = draws.numpy().view(np.int16)[:count].reshape(batch, *size, 2) / 2**15
    for i in range(batch):
        image = images[i].permute(1, 2, 0).double().numpy()
        if min(size) < 3:  # the three points are one: the whole image becomes what is there
            assert torch.isfinite(ours[i]).all()
            continue
        expected = elastic_oracle(image, moves[i], noise[i], **constants)
        np.testing.assert_allclose(ours[i].permute(1, 2, 0).numpy(), expected, atol=2e-4)


def test_elastic_displacements_fill_their_range_evenly() -> None:
    # A ramp shows its displacement; one tiny sigma leaves the noise as it was drawn.
    ramp = torch.linspace(0, 1, 64).expand(40, 3, 64, 64).contiguous()
    moved = elastic_transform(ramp, generator(), amplitude=4 / 64, sigma=1e-3, tilt=0)
    shift = ((moved - ramp) * 63)[:, 0, :, 8:-8] / 4
    assert shift.abs().max() <= 1.001
    assert abs(shift.mean()) < 0.01
    assert shift.std() == pytest.approx(3**-0.5, rel=0.01)
    assert abs((shift[..., 1:] * shift[..., :-1]).mean()) < 0.01


def through_pillow(image: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@pytest.mark.parametrize("quality", [1, 7, 10, 25, 40, 50, 58, 65, 80, 95, 100])
@pytest.mark.parametrize("size", [*SIZES, (33, 47), (16, 4), (17, 6), (50, 18)])
def test_jpeg_is_pillows(size: tuple[int, int], quality: int) -> None:
    images = torch.cat((pictures(2, *size), torch.randint(256, (2, 3, *size), generator=generator()).to(torch.uint8)))
    levels = jpeg_compression(images / 255, generator(), quality=quality).mul(255).round().clamp(0, 255)
    for before, after in zip(images, levels, strict=True):
        expected = through_pillow(before.permute(1, 2, 0).contiguous().numpy(), quality)
        difference = np.abs(after.permute(1, 2, 0).numpy() - expected)
        # Decoders may differ by a level or two; this one repeats libjpeg's integers.
        assert (difference > 0).mean() < 0.02
        assert difference.max() <= 3


def test_jpeg_shows_its_blocks_and_keeps_what_is_even() -> None:
    even = torch.tensor([[10, 128, 255], [0, 0, 0]], dtype=torch.uint8)[:, :, None, None].expand(2, 3, 24, 24)
    for severity in SEVERITIES:
        difference = corrupt(even, "jpeg_compression", severity, generator=generator()).int() - even.int()
        assert difference.abs().max() <= 8
        assert difference.flatten(2).amax(2).equal(difference.flatten(2).amin(2))
