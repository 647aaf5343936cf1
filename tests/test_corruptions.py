"""Corruptions against per-image oracles written another way, and the contract every one of them keeps."""

from __future__ import annotations

import inspect
import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from bird_backend import corruptions
from bird_backend.corruptions import CORRUPTIONS, SEVERITIES
from bird_backend.corruptions.applying import corrupt
from bird_backend.errors import InputError, UnknownNameError

NAMES = list(CORRUPTIONS)
DETERMINISTIC = [name for name in NAMES if not CORRUPTIONS[name].random]
RANDOM = [name for name in NAMES if CORRUPTIONS[name].random]
WITHOUT_GRADIENTS = {"shot_noise", "glass_blur", "motion_blur", "pixelate", "jpeg_compression"}
"""Whole levels or whole photons."""
EVEN_STAYS = {
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "contrast",
    "elastic_transform",
    "pixelate",
    "gaussian_blur",
}
"""They only mix or move pixels of one image."""
ORDERS = {
    "glass_blur": ((1, 2, 3), (4, 5)),
    "motion_blur": ((1,), (2,), (3, 4), (5,)),
    "frost": ((1,), (2, 3, 4, 5)),
    "elastic_transform": ((5,), (4,), (3,), (2,), (1,)),
    "spatter": ((1,), (2,), (4,), (5,), (3,)),
    "saturate": ((3,), (1,), (2,), (4,), (5,)),
}
"""Severities from the least disturbing on, where that is not 1 to 5; what are neighbours to within 5 % in one group."""


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int = 6, height: int = 32, width: int = 32) -> Tensor:
    """Smooth blobs with a little grain, so that every corruption has something to take away."""
    grid_y, grid_x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    phase = torch.rand((batch, 3, 1, 1), generator=generator(1)) * 6
    waves = torch.sin(grid_x / 3 + phase) * torch.cos(grid_y / 4 - phase)
    grain = torch.rand((batch, 3, height, width), generator=generator(2))
    return ((waves * 0.35 + 0.5 + 0.2 * (grain - 0.5)).clamp(0, 1) * 255).round().to(torch.uint8)


def hwc(image: Tensor) -> np.ndarray:
    return image.permute(1, 2, 0).numpy()


def published_contrast(image: np.ndarray, *, kept: float) -> np.ndarray:
    x = image / 255.0
    means = np.mean(x, axis=(0, 1), keepdims=True)
    return np.clip((x - means) * kept + means, 0, 1) * 255


def published_gaussian_blur(image: np.ndarray, *, sigma: float) -> np.ndarray:
    channels = [gaussian_filter(image[..., i] / 255.0, sigma, mode="nearest", truncate=4.0) for i in range(3)]
    return np.clip(np.stack(channels, axis=-1), 0, 1) * 255


def published_pixelate(image: np.ndarray, *, share: float) -> np.ndarray:
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize((int(width * share), int(height * share)), Image.Resampling.BOX)
    return np.asarray(small.resize((width, height), Image.Resampling.BOX))


ORACLES = {
    "contrast": published_contrast,
    "gaussian_blur": published_gaussian_blur,
    "pixelate": published_pixelate,
}


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", ORACLES)
@pytest.mark.parametrize("size", [(32, 32), (21, 40), (64, 64), (224, 224)])
def test_a_deterministic_corruption_is_the_published_one(name: str, severity: int, size: tuple[int, int]) -> None:
    images = pictures(3 if max(size) < 64 else 1, *size)
    ours = corrupt(images, name, severity, generator=generator())
    for before, after in zip(images, ours, strict=True):
        expected = ORACLES[name](hwc(before), **CORRUPTIONS[name].constants_for(min(size))[severity - 1])
        difference = np.abs(hwc(after).astype(int) - np.floor(expected + 1e-3).astype(int))
        assert difference.max() <= 1
        assert (difference > 0).mean() < 0.01


@pytest.mark.parametrize("severity", SEVERITIES)
def test_gaussian_noise_has_the_published_spread(severity: int) -> None:
    grey = torch.full((40, 3, 32, 32), 0.5)
    noise = corrupt(grey, "gaussian_noise", severity, generator=generator()) - 0.5
    deviation = CORRUPTIONS["gaussian_noise"].constants_for(32)[severity - 1]["deviation"]
    assert abs(noise.mean()) < 4 * deviation / noise.numel() ** 0.5
    assert noise.std() == pytest.approx(deviation, rel=0.01)
    beside = (noise[..., 1:] * noise[..., :-1]).mean() / deviation**2
    assert abs(beside) < 0.02
    assert abs((noise[:, 0] * noise[:, 1]).mean() / deviation**2) < 0.02


def test_every_corruption_has_a_row_of_constants_for_each_severity() -> None:
    assert len(NAMES) == 19
    tables = [table for entry in CORRUPTIONS.values() for table in entry.constants.values()]
    assert len(tables) == 3 * 19
    assert all(len(table) == len(SEVERITIES) for table in tables)
    assert all(hasattr(corruptions, name) for name in corruptions.__all__)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("name", NAMES)
def test_shape_dtype_range_and_input_are_kept(name: str, dtype: torch.dtype) -> None:
    images = pictures(4, 32, 24)
    images = images if dtype == torch.uint8 else (images / 255).to(dtype)
    before = images.clone()
    result = corrupt(images, name, 5, generator=generator())
    assert (result.shape, result.dtype, result.device) == (images.shape, dtype, images.device)
    assert torch.equal(images, before)
    assert not torch.equal(result, images)
    assert result.min() >= 0
    assert result.max() <= (255 if dtype == torch.uint8 else 1)


@pytest.mark.parametrize("name", NAMES)
def test_bytes_are_floats_cut_down_to_levels(name: str) -> None:
    images = pictures()
    as_bytes = corrupt(images, name, 3, generator=generator())
    as_floats = corrupt(images / 255, name, 3, generator=generator())
    assert torch.equal(as_bytes, (as_floats * 255 + 1e-3).to(torch.uint8))


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    images = pictures()
    first, again, other = (corrupt(images, name, 3, generator=generator(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert torch.equal(first, other) is not CORRUPTIONS[name].random


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_a_batch_is_its_images_one_by_one(name: str) -> None:
    images = pictures()
    chance = generator()
    state = chance.get_state()
    batch = corrupt(images, name, 4, generator=chance)
    single = [corrupt(image[None], name, 4, generator=chance) for image in images]
    assert torch.equal(batch, torch.cat(single))
    assert torch.equal(chance.get_state(), state)


@pytest.mark.parametrize("name", RANDOM)
def test_a_batch_is_as_random_as_its_images_one_by_one(name: str) -> None:
    one = pictures(1) / 255
    same = one.expand(128, -1, -1, -1)
    batch = corrupt(same, name, 4, generator=generator(1))
    chance = generator(2)
    single = torch.cat([corrupt(one, name, 4, generator=chance) for _ in range(128)])
    assert len(batch.flatten(1).unique(dim=0)) > 20  # motion blur moves by whole pixels, so few of its angles differ
    for figure in (lambda x: x.abs().mean(), lambda x: x.square().mean().sqrt(), lambda x: x.std(dim=0).mean()):
        assert figure(batch - same).item() == pytest.approx(figure(single - same).item(), rel=0.15)


@pytest.mark.parametrize("name", RANDOM)
def test_chance_does_not_depend_on_the_other_images(name: str) -> None:
    images = pictures()
    changed = images.clone()
    changed[0] = 255 - images[0].flip(1)
    first, second = (corrupt(batch, name, 5, generator=generator())[1:] for batch in (images, changed))
    assert torch.equal(first, second)


@pytest.mark.parametrize("name", NAMES)
def test_severities_stand_in_the_published_order(name: str) -> None:
    images = pictures(64) / 255
    order = ORDERS.get(name, ((1,), (2,), (3,), (4,), (5,)))
    groups = [
        [(corrupt(images, name, s, generator=generator(), faithful=True) - images).abs().mean().item() for s in group]
        for group in ((0,), *order)
    ]
    assert groups[0] == [0]
    assert all(max(weaker) < min(stronger) for weaker, stronger in itertools.pairwise(groups))


@pytest.mark.parametrize("level", [0, 1, 100, 254, 255])
@pytest.mark.parametrize("name", sorted(EVEN_STAYS & set(NAMES)))
def test_an_even_image_has_nothing_to_lose(name: str, level: int) -> None:
    images = torch.full((2, 3, 32, 32), level, dtype=torch.uint8)
    assert all(torch.equal(corrupt(images, name, s, generator=generator()), images) for s in SEVERITIES)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("name", NAMES)
def test_results_are_numbers_in_range_whatever_the_images(name: str, severity: int) -> None:
    anything = torch.rand((2, 3, 32, 32), generator=generator())
    even = torch.tensor([[0, 0, 0], [1, 1, 1], [1, 0, 0], [0.2, 0.2, 0.7]])[:, :, None, None].expand(-1, -1, 32, 32)
    images = torch.cat((anything, even))
    bare = CORRUPTIONS[name].function(images, generator(), **CORRUPTIONS[name].constants_for(32)[severity - 1])
    assert bare.dtype == torch.float32
    assert torch.isfinite(bare).all()
    result = corrupt(images, name, severity, generator=generator())
    assert result.min() >= 0
    assert result.max() <= 1


@pytest.mark.parametrize("size", [(33, 47), (224, 224)])
@pytest.mark.parametrize("name", NAMES)
def test_images_may_have_any_size(name: str, size: tuple[int, int]) -> None:
    images = pictures(2, *size)
    result = corrupt(images, name, 3, generator=generator())
    assert result.shape == images.shape
    assert not torch.equal(result, images)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_flow_where_the_procedure_has_any(name: str) -> None:
    images = (pictures(4) / 255).requires_grad_()
    for severity in (1, 3, 5):
        result = corrupt(images, name, severity, generator=generator())
        weights = torch.rand(result.shape, generator=generator(1))
        if name in WITHOUT_GRADIENTS:
            assert not result.requires_grad or not torch.autograd.grad(result, images, weights)[0].any()
            continue
        (gradient,) = torch.autograd.grad(result, images, weights)
        assert torch.isfinite(gradient).all()
        assert (gradient != 0).float().mean() > 0.5


def test_options_reach_those_that_take_them_and_no_others(tmp_path: Path) -> None:
    for i in range(5):
        noise = np.random.default_rng(i).integers(0, 256, (200, 200, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"{i}.png")
    images = pictures(2)
    takers = {"faithful": set(), "frost_textures": set()}
    for name in NAMES:
        plain = corrupt(images, name, 5, generator=generator())
        for option, value in (("faithful", True), ("frost_textures", tmp_path)):
            if not torch.equal(corrupt(images, name, 5, generator=generator(), **{option: value}), plain):
                takers[option].add(name)
    assert takers == {"faithful": {"glass_blur"}, "frost_textures": {"frost"}}


@pytest.mark.parametrize("name", NAMES)
def test_a_function_takes_its_constants_and_options_by_name(name: str) -> None:
    entry = CORRUPTIONS[name]
    parameters = inspect.signature(entry.function).parameters.values()
    named = {parameter.name for parameter in parameters if parameter.kind == inspect.Parameter.KEYWORD_ONLY}
    assert all(set(row) | entry.options == named for table in entry.constants.values() for row in table)


@pytest.mark.parametrize("name", NAMES)
def test_channels_last_input_and_tiny_images_work(name: str) -> None:
    images = pictures()
    strided = images.contiguous(memory_format=torch.channels_last)
    expected = corrupt(images, name, 2, generator=generator())
    assert torch.equal(corrupt(strided, name, 2, generator=generator()), expected)
    assert corrupt(images[:, :, :1, :2], name, 5, generator=generator()).shape == (6, 3, 1, 2)


def test_severity_zero_is_a_copy() -> None:
    images = pictures()
    copy = corrupt(images, "contrast", 0, generator=generator())
    assert torch.equal(copy, images)
    assert copy.data_ptr() != images.data_ptr()


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (torch.zeros(3, 32, 32), r"\[B,3,H,W\], not \[3, 32, 32\]"),
        (torch.zeros(2, 1, 32, 32), r"\[B,3,H,W\], not \[2, 1, 32, 32\]"),
        (torch.zeros(0, 3, 32, 32), "nothing to corrupt"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.int64), "not torch.int64"),
        (torch.full((2, 3, 8, 8), torch.nan), "from nan to nan"),
        (torch.full((2, 3, 8, 8), 255.0), "from 255 to 255"),
        (torch.full((2, 3, 8, 8), -0.1), "from -0.1"),
    ],
)
def test_images_that_make_no_sense_are_refused(images: Tensor, message: str) -> None:
    with pytest.raises(InputError, match=message):
        corrupt(images, "contrast", 1, generator=generator())


def test_an_unknown_name_or_severity_is_refused() -> None:
    images = pictures()
    with pytest.raises(UnknownNameError, match="did you mean gaussian_noise"):
        corrupt(images, "gausian_noise", 1, generator=generator())
    for severity in (-1, 6, 2.5, True, "3"):
        with pytest.raises(InputError, match="whole number from 0 to 5"):
            corrupt(images, "contrast", severity, generator=generator())  # type: ignore[arg-type]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", NAMES)
def test_a_gpu_agrees_with_the_cpu(name: str) -> None:
    images = pictures()
    on_gpu = corrupt(images.cuda(), name, 3, generator=torch.Generator("cuda").manual_seed(0)).cpu()
    if not CORRUPTIONS[name].random:
        difference = (on_gpu.int() - corrupt(images, name, 3, generator=generator()).int()).abs()
        assert (difference > 1).float().mean() < 1e-3  # a rounding turned over is several levels of a JPEG
