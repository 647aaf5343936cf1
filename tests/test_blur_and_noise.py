"""Blur and noise against per-image oracles in plain loops and SciPy, and against the distributions they draw from."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.ndimage import correlate, gaussian_filter, zoom
from scipy.stats import chi2, kstest, poisson
from torch import Tensor

from bird_backend.corruptions import CORRUPTIONS
from bird_backend.corruptions.applying import corrupt
from bird_backend.corruptions.blur.apply import defocus_blur, gaussian_blur
from bird_backend.corruptions.draws import random_words
from bird_backend.corruptions.glass import apply as glass
from bird_backend.corruptions.glass.apply import glass_blur
from bird_backend.corruptions.linear import as_images, as_pixels
from bird_backend.corruptions.motion.apply import blur_along, motion_blur
from bird_backend.corruptions.noise.apply import impulse_noise, shot_noise, speckle_noise
from bird_backend.corruptions.poisson import _table as alias_table
from bird_backend.corruptions.zoom.apply import zoom_blur

SIZES = [(32, 32), (21, 40), (64, 64), (1, 2)]
LARGE = ((224, 224), 224)
SEVERITIES = (1, 2, 3, 4, 5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int, height: int, width: int, seed: int = 1) -> Tensor:
    """Coarse blocks under fine grain: whole levels [B,3,H,W] with edges for a blur to find."""
    blocks = torch.rand((batch, 3, -(-height // 8), -(-width // 8)), generator=generator(seed))
    smooth = blocks.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)[..., :height, :width]
    grain = torch.rand((batch, 3, height, width), generator=generator(seed + 1))
    return (smooth * 200 + grain * 55).round()


def channels(images: Tensor) -> list[np.ndarray]:
    return [plane.double().numpy() for image in images for plane in image]


def agree(ours: Tensor, planes: list[np.ndarray], tolerance: float = 2e-6) -> None:
    for mine, expected in zip(channels(ours), planes, strict=True):
        np.testing.assert_allclose(mine, expected, atol=tolerance)


# Motion blur


def smeared(plane: np.ndarray, radius: float, sigma: float, degrees: float) -> np.ndarray:
    """A loop over pixels and every tap, in 16 bits, as ImageMagick 6 does it."""
    height, width = plane.shape
    count = 2 * math.ceil(radius) + 1
    weights = np.exp(-(np.arange(count) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    angle = math.radians(degrees)
    result = np.zeros_like(plane)
    for y in range(height):
        for x in range(width):
            total = 0.0
            for step, weight in enumerate(weights):
                across, down = math.ceil(step * math.cos(angle) - 0.5), math.ceil(step * math.sin(angle) - 0.5)
                total += weight * plane[min(max(y + down, 0), height - 1), min(max(x + across, 0), width - 1)] * 257
            result[y, x] = math.floor(total + 0.5) // 257
    return result


@pytest.mark.parametrize(("radius", "sigma"), [(6, 1), (9, 2.5), (14, 12)])
@pytest.mark.parametrize("size", [(12, 12), (9, 14), (1, 2)])
def test_a_smear_is_imagemagicks(size: tuple[int, int], radius: float, sigma: float) -> None:
    degrees = torch.tensor([0.0, 30.0, 45.0, -44.9, -90.0, -131.0, 17.3])
    levels = pictures(len(degrees), *size)[:, :1]
    ours = blur_along(levels, radius, sigma, degrees)
    expected = [smeared(p, radius, sigma, d) for p, d in zip(channels(levels), degrees.tolist(), strict=True)]
    difference = np.abs(np.stack(channels(ours)) - np.stack(expected))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.002


def test_three_channels_smear_as_one_does_and_pieces_as_a_whole() -> None:
    levels, degrees = pictures(260, 32, 32), torch.linspace(-180, 180, 260)
    together = blur_along(levels, 9, 2.5, degrees)
    for image in (0, 100, 259):
        for channel in range(3):
            alone = blur_along(levels[image : image + 1, channel : channel + 1], 9, 2.5, degrees[image : image + 1])
            assert torch.equal(together[image, channel], alone[0, 0])


def test_an_even_level_smears_into_itself() -> None:
    levels = torch.arange(256.0).view(256, 1, 1, 1).expand(-1, 1, 8, 8)
    for radius, sigma in ((6, 1), (9, 2.5), (14, 12)):
        assert torch.equal(blur_along(levels, radius, sigma, torch.linspace(-90, 90, 256)), levels)


def test_motion_blur_draws_an_even_angle_for_each_image() -> None:
    spot = torch.zeros(600, 3, 25, 25)
    spot[:, :, 12, 12] = 1
    smear = motion_blur(spot, generator(3), radius=5, sigma=6)[:, 0]
    grid = torch.arange(25.0) - 12
    across, down = (smear * grid).sum((1, 2)), (smear * grid[:, None]).sum((1, 2))
    degrees = torch.rad2deg(torch.atan(-down / -across))
    assert kstest(degrees.numpy() / 90 + 0.5, "uniform").statistic < 0.08
    assert abs(np.corrcoef(degrees[1:], degrees[:-1])[0, 1]) < 0.15


# Noise


@pytest.mark.parametrize("count", [1, 7, 4096])
def test_random_words_are_fair_bits(count: int) -> None:
    words = random_words((count, 5), generator())
    assert (words.shape, words.dtype) == ((count, 5), torch.int32)
    assert torch.equal(words, random_words((count, 5), generator()))
    if count > 1000:
        bits = torch.stack([(words.flatten() >> bit) & 1 for bit in range(32)]).double()
        assert (bits.mean(dim=1) - 0.5).abs().max() < 4 * 0.5 / bits.shape[1] ** 0.5
        assert (torch.corrcoef(bits) - torch.eye(32)).abs().max() < 5 / bits.shape[1] ** 0.5


@pytest.mark.parametrize("photons", [50, 100, 500])
def test_shot_noise_on_whole_levels_is_poisson(photons: int) -> None:
    for level in (0, 1, 4, 20, 90, 255):
        mean, n = photons * level / 255, 3 * 200 * 200
        shares = shot_noise(torch.full((1, 3, 200, 200), level / 255), generator(level), photons=photons).double()
        counts = (shares * photons).round()
        assert (shares * photons - counts).abs().max() < 1e-4
        if level == 0:
            assert not counts.any()
            continue
        assert counts.mean() == pytest.approx(mean, abs=4 * (mean / n) ** 0.5)
        assert counts.var() == pytest.approx(mean, abs=4 * ((2 * mean**2 + mean) / n) ** 0.5)
        skewness = ((counts - mean) ** 3).mean() / mean**1.5
        assert skewness == pytest.approx(mean**-0.5, abs=5 * (15 / n) ** 0.5 * (1 + 1 / mean))
        seen = np.bincount(counts.flatten().long().numpy(), minlength=1500)
        expected = n * poisson.pmf(np.arange(len(seen)), mean)
        common = expected > 10
        surprise = ((seen - expected) ** 2 / np.where(common, expected, 1))[common].sum()
        assert surprise < chi2.ppf(0.9999, common.sum() - 1)
        assert abs(seen[~common].sum() - expected[~common].sum()) < 5 * (expected[~common].sum() + 1) ** 0.5


@pytest.mark.parametrize("photons", [1, 50, 75, 100, 250, 500])
def test_the_odds_of_a_count_are_poissons_into_the_tails(photons: int) -> None:
    table = alias_table(photons, torch.device("cpu"))
    heights = (table.heights.double() + 1).div(1 << table.height_bits).view(256, -1).numpy()
    counts = (table.shares.double() * photons).round().long().view(256, -1, 2).numpy()
    odds = np.stack([heights, 1 - heights], axis=2) / heights.shape[1]
    for level in (0, 1, 2, 3, 10, 60, 128, 200, 255):
        ours = np.bincount(counts[level].ravel(), odds[level].ravel())
        expected = poisson.pmf(np.arange(len(ours)), photons * level / 255)
        np.testing.assert_allclose(ours, expected, atol=2e-6)
        assert abs(ours.sum() - 1) < 1e-12
        common = expected > 1e-6
        assert np.abs(np.log(ours[common] / expected[common])).max() < 0.1
        assert expected[~common].sum() == pytest.approx(ours[~common].sum(), abs=1e-6)
        moments = [(ours * np.arange(len(ours)) ** k).sum() for k in (1, 2)]
        assert moments[0] == pytest.approx(photons * level / 255, rel=1e-4)
        assert moments[1] - moments[0] ** 2 == pytest.approx(photons * level / 255, rel=1e-4)


def test_shot_noise_between_levels_keeps_mean_and_spread() -> None:
    for photons, value in ((500, 0.5), (500, 0.0013), (50, 0.70007)):
        counts = shot_noise(torch.full((1, 3, 300, 300), value), generator(5), photons=photons).double() * photons
        mean, n = photons * value, counts.numel()
        assert counts.mean() == pytest.approx(mean, abs=4 * (mean / n) ** 0.5 + mean / 1000)
        step = photons / 255
        assert mean * 0.98 < counts.var() < (mean + step**2 / 4) * 1.02


def test_shot_noise_is_independent_and_any_count_of_photons_works() -> None:
    grey = torch.full((40, 3, 32, 32), 128 / 255)
    noise = shot_noise(grey, generator(), photons=100) - 128 / 255
    for one, other in ((noise[:, 0], noise[:, 1]), (noise[..., 1:], noise[..., :-1]), (noise[1:], noise[:-1])):
        assert abs((one * other).mean() / noise.var()) < 0.015
    for photons in (0.5, 3, 10_000):
        shares = shot_noise(torch.ones(40, 3, 32, 32), generator(), photons=photons).double()
        assert shares.mean() == pytest.approx(1, abs=4 * (photons * shares.numel()) ** -0.5)
        assert shares.var() == pytest.approx(1 / photons, rel=0.03)


@pytest.mark.parametrize("share", [0.01, 0.07, 0.5])
def test_impulse_noise_flips_a_share_of_all_values(share: float) -> None:
    images = pictures(100, 32, 32).clamp(1, 254) / 255
    result = impulse_noise(images, generator(), share=share)
    white, black = result == 1, result == 0
    n = result.numel()
    for flipped in (white, black):
        assert flipped.double().mean() == pytest.approx(share / 2, abs=4 * (share / 2 / n) ** 0.5)
    assert torch.equal(result[~(white | black)], images[~(white | black)])
    flips = (white | black).double() - share
    beside = [(flips[:, 0] * flips[:, 1]).mean(), (flips[..., 1:] * flips[..., :-1]).mean()]
    assert all(abs(product) / (share * (1 - share)) < 0.015 for product in beside)


def test_speckle_noise_grows_with_the_value() -> None:
    levels = torch.tensor([0.0, 0.2, 0.8]).view(3, 1, 1, 1).expand(-1, 3, 100, 100)
    noise = speckle_noise(levels, generator(), deviation=0.1) - levels
    assert not noise[0].any()
    assert [noise[i].std().item() for i in (1, 2)] == pytest.approx([0.02, 0.08], rel=0.03)
    assert noise.mean((1, 2, 3)).abs().max() < 0.002
    assert kstest((noise[2] / 0.08).flatten().numpy(), "norm").pvalue > 0.001


@pytest.mark.parametrize("name", ["shot_noise", "impulse_noise", "speckle_noise", "motion_blur", "glass_blur"])
def test_images_of_a_batch_are_disturbed_apart(name: str) -> None:
    same = pictures(1, 32, 32).to(torch.uint8).expand(3, -1, -1, -1)
    result = corrupt(same, name, 3, generator=generator())
    assert not torch.equal(result[0], result[1])
    assert not torch.equal(result[1], result[2])


# Linear blurs


def test_lines_of_pixels_are_a_copy_that_goes_back() -> None:
    for shape in ((2, 3, 4, 5), (1, 1, 3, 2), (4, 2, 1, 1), (1, 1, 1, 1)):
        images = torch.rand(shape, generator=generator()).contiguous(memory_format=torch.channels_last)
        pixels = as_pixels(images)
        assert (pixels.shape, pixels.is_contiguous()) == ((shape[2] * shape[3], shape[0] * shape[1]), True)
        assert pixels.data_ptr() != images.data_ptr()
        assert torch.equal(as_images(pixels, images.shape), images)


def softened_disk(radius: float, sigma: float) -> np.ndarray:
    axis, near = (range(-8, 9), 1) if radius <= 8 else (range(-math.ceil(radius), math.ceil(radius) + 1), 2)
    disk = np.array([[float(x * x + y * y <= radius * radius) for x in axis] for y in axis])
    disk /= disk.sum()
    bell = np.array([math.exp(-0.5 * (step / sigma) ** 2) for step in range(-near, near + 1)])
    return correlate(disk, np.outer(bell, bell) / bell.sum() ** 2, mode="mirror")


@pytest.mark.parametrize(("size", "made_for"), [*((size, min(size)) for size in SIZES), ((40, 21), 224), LARGE])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_defocus_blur_is_a_softened_disk(severity: int, size: tuple[int, int], made_for: int) -> None:
    images, constants = pictures(1, *size) / 255, CORRUPTIONS["defocus_blur"].constants_for(made_for)[severity - 1]
    kernel = softened_disk(**constants)
    ours = defocus_blur(images, generator(), **constants)
    agree(ours, [correlate(plane, kernel, mode="mirror") for plane in channels(images)])


def zoomed(plane: np.ndarray, factor: float) -> np.ndarray:
    height, width = plane.shape
    kept_height, kept_width = math.ceil(height / factor), math.ceil(width / factor)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    middle = plane[top : top + kept_height, left : left + kept_width]
    large = zoom(middle, factor, order=1, mode="nearest")
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return large[top : top + height, left : left + width]


@pytest.mark.parametrize(("size", "made_for"), [*((size, min(size)) for size in SIZES), ((40, 21), 224)])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_zoom_blur_is_the_mean_of_scipys_zooms(severity: int, size: tuple[int, int], made_for: int) -> None:
    images, constants = pictures(2, *size) / 255, CORRUPTIONS["zoom_blur"].constants_for(made_for)[severity - 1]
    factors = np.arange(1, constants["stop"], constants["step"])
    expected = [
        (plane + sum(zoomed(plane, factor) for factor in factors)) / (len(factors) + 1) for plane in channels(images)
    ]
    agree(zoom_blur(images, generator(), **constants), expected)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("sigma", [0.05, 0.4, 1.0, 3.0])
def test_gaussian_blur_is_scipys(sigma: float, size: tuple[int, int]) -> None:
    images = pictures(2, *size) / 255
    expected = [gaussian_filter(plane, sigma, mode="nearest", truncate=4) for plane in channels(images)]
    agree(gaussian_blur(images, generator(), sigma=sigma), expected)


@pytest.mark.parametrize(
    "blur",
    [
        lambda images: gaussian_blur(images, generator(), sigma=1.0),
        lambda images: defocus_blur(images, generator(), radius=1.5, sigma=0.1),
        lambda images: zoom_blur(images, generator(), stop=1.26, step=0.01),
    ],
)
def test_gradients_of_a_linear_blur_are_its_adjoint(blur: Callable[[Tensor], Tensor]) -> None:
    images = pictures(2, 13, 9).div(255).requires_grad_()
    pull = torch.rand(images.shape, generator=generator(9))
    (gradient,) = torch.autograd.grad(blur(images), images, pull)
    for place in ((0, 0, 0, 0), (1, 2, 12, 8), (0, 1, 6, 4)):
        point = torch.zeros(images.shape)
        point[place] = 1
        assert gradient[place].item() == pytest.approx((blur(point) * pull).sum().item(), rel=1e-4, abs=1e-6)


# Glass blur


def shuffled(words: np.ndarray, near: dict[tuple[int, int], tuple[int, int]], reach: int, faithful: bool) -> np.ndarray:
    """One image, one pixel after the other, in the published order."""
    words = words.copy()
    height, width = words.shape
    for h in range(height - reach, reach, -1):
        for w in range(width - reach, reach, -1):
            place = near[h, w]
            own = words[h, w]
            words[h, w] = words[place]
            if not faithful:
                words[place] = own
    return words


@pytest.mark.parametrize("faithful", [False, True])
@pytest.mark.parametrize("reach", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(32, 32), (21, 40), (9, 7), (4, 3), (1, 2)])
def test_fronts_shuffle_as_one_pixel_after_the_other(size: tuple[int, int], reach: int, faithful: bool) -> None:
    (height, width), batch = size, 3
    route = glass._route(height, width, reach, torch.device("cpu"))
    places = glass._near_places(route, batch, generator())
    words = torch.randperm(height * width * batch, generator=generator()).view(-1, batch).int()
    ours = words.clone()
    glass._shuffle(ours, places, route.fronts, faithful)
    for image in range(batch):
        near = {
            divmod(pixel, width): divmod(place // batch, width)
            for pixel, place in zip(route.order.flatten().tolist(), places[:, image].tolist(), strict=True)
        }
        assert len(near) == max(height - 2 * reach, 0) * max(width - 2 * reach, 0)
        expected = shuffled(words[:, image].view(height, width).numpy(), near, reach, faithful)
        assert np.array_equal(ours[:, image].view(height, width).numpy(), expected)


@pytest.mark.parametrize("reach", [1, 2])
def test_near_pixels_are_drawn_evenly(reach: int) -> None:
    route = glass._route(32, 32, reach, torch.device("cpu"))
    places = glass._near_places(route, 50, generator()) // 50
    moves = (places - route.order).flatten()
    seen = {int(move): (moves == move).double().mean().item() for move in moves.unique()}
    expected = {32 * down + right for down in range(-reach, reach) for right in range(-reach, reach)}
    assert set(seen) == expected
    assert list(seen.values()) == pytest.approx([1 / len(expected)] * len(expected), rel=0.05)


def test_glass_blur_really_swaps_and_the_published_script_copies() -> None:
    images = torch.rand((4, 3, 32, 32), generator=generator()).mul(255).round() / 255

    def colours(result: Tensor) -> Tensor:
        levels = (result * 255).round().long()
        return (levels[:, 0] * 65536 + levels[:, 1] * 256 + levels[:, 2]).flatten(1)

    swapped = glass_blur(images, generator(), sigma=0.05, reach=1, passes=2)
    copied = glass_blur(images, generator(), sigma=0.05, reach=1, passes=2, faithful=True)
    before = colours(images).sort().values
    assert torch.equal(colours(swapped).sort().values, before)
    assert not torch.equal(colours(copied).sort().values, before)
    for result in (swapped, copied):
        assert (result != images).any(dim=1).double().mean() > 0.5
        assert torch.equal(result[:, :, 0], images[:, :, 0])
        assert torch.equal(result[..., 0], images[..., 0])


@pytest.mark.parametrize("size", SIZES)
def test_glass_blur_cuts_down_to_levels_between_two_gaussians(size: tuple[int, int]) -> None:
    images = pictures(2, *size) / 255
    ours = glass_blur(images, generator(), sigma=0.4, reach=1, passes=0)
    expected = []
    for plane in channels(images):
        once = np.floor(gaussian_filter(plane, 0.4, mode="nearest", truncate=4) * 255 + 1e-3) / 255
        expected.append(gaussian_filter(once, 0.4, mode="nearest", truncate=4))
    difference = np.abs(np.stack(channels(ours)) - np.stack(expected))
    assert difference.max() < 1.01 / 255
    assert (difference > 2e-6).mean() < 0.005  # around values that float32 leaves on the other side of a whole level


def test_glass_blur_is_faithful_where_asked() -> None:
    images = pictures(8, 32, 32).to(torch.uint8)
    script, swap = (corrupt(images, "glass_blur", 5, generator=generator(), faithful=f) for f in (True, False))
    assert not torch.equal(script, swap)
    assert torch.equal(swap, corrupt(images, "glass_blur", 5, generator=generator()))
