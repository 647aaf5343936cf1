"""Snow, frost and fog against the published steps, taken one image at a time in NumPy with the same draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from torch import Tensor

from bird_backend import settings
from bird_backend.corruptions import CORRUPTIONS, crystals, textures
from bird_backend.corruptions.applying import corrupt
from bird_backend.corruptions.fog.apply import fog
from bird_backend.corruptions.frost.apply import frost
from bird_backend.corruptions.motion.apply import blur_along
from bird_backend.corruptions.snow.apply import snow
from bird_backend.errors import InputError

SIZES = [(32, 32), (21, 40), (64, 64)]
Floats = NDArray[np.float64]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int, height: int, width: int) -> Tensor:
    coarse = torch.rand((batch, 3, 5, 5), generator=generator(1))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear").mul(255).round().div(255)


def hwc(image: Tensor) -> Floats:
    return image.permute(1, 2, 0).double().numpy()


# Fog


def diamond_square(draws: Floats, decay: float) -> Floats:
    """Point by point; `draws` are uniform in [-1, 1]."""
    size = len(draws)
    plane = np.zeros((size, size))
    step, wibble = size, 100.0
    while step >= 2:
        half = step // 2

        def fill(rows: range, columns: range, around: list[tuple[int, int]], wibble: float) -> None:
            for y in rows:
                for x in columns:
                    mean = sum(plane[(y + dy) % size, (x + dx) % size] for dy, dx in around) / 4
                    plane[y, x] = mean + wibble * wibble * draws[y, x]

        corners, beside = range(0, size, step), range(half, size, step)
        fill(beside, beside, [(-half, -half), (-half, half), (half, -half), (half, half)], wibble)
        cross = [(-half, 0), (half, 0), (0, -half), (0, half)]
        fill(corners, beside, cross, wibble)
        fill(beside, corners, cross, wibble)
        step, wibble = half, wibble / decay
    plane -= plane.min()
    return plane / plane.max()


@pytest.mark.parametrize("severity", [1, 5])
@pytest.mark.parametrize("size", SIZES)
def test_fog_is_the_published_fractal(size: tuple[int, int], severity: int) -> None:
    amount, decay = CORRUPTIONS["fog"].constants_for(min(size))[severity - 1].values()
    images = pictures(3, *size)
    ours = fog(images, generator(7), amount=amount, decay=decay)
    side = 64 if max(size) > 32 else 32
    draws = torch.rand((side, side, 3), generator=generator(7)).double().numpy() * 2 - 1
    for i, image in enumerate(images):
        x = hwc(image)
        haze = diamond_square(draws[..., i], decay)[: size[0], : size[1], None]
        expected = (x + amount * haze) * x.max() / (x.max() + amount)
        assert np.abs(hwc(ours[i]) - expected).max() < 1e-5


def test_fog_over_black_or_over_one_pixel_is_nothing_undefined() -> None:
    assert not corrupt(torch.zeros(2, 3, 32, 32), "fog", 3, generator=generator()).any()
    assert corrupt(torch.ones(2, 3, 1, 1), "fog", 3, generator=generator()).isfinite().all()


# Frost


def write_picture(path: Path, height: int, width: int, mark: int) -> np.ndarray:
    """A picture whose every fifth pixel says which picture, row and column it is; returns those."""
    pixels = np.random.default_rng(mark).integers(0, 256, (5 * height, 5 * width, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:height, :width]
    kept = np.stack([np.full_like(rows, mark), rows, columns], axis=-1).astype(np.uint8)
    pixels[2::5, 2::5] = kept
    Image.fromarray(pixels).save(path)
    return kept


def test_frost_draws_pieces_of_the_first_five_pictures_of_a_folder(tmp_path: Path) -> None:
    sizes = [(40, 50), (33, 60), (20, 24), (36, 36), (90, 31), (70, 70)]
    written = [write_picture(tmp_path / f"frost{i + 1}.png", *size, mark=i) for i, size in enumerate(sizes)]
    (tmp_path / "notes.txt").write_text("not a picture")
    images = torch.zeros(4000, 3, 20, 24)
    ice = corrupt(images, "frost", 1, generator=generator(), frost_textures=tmp_path)
    levels = (ice * 255 / 0.2).round().to(torch.int64)
    which, rows, columns = levels[:, :, 0, 0].T
    for i, picture in enumerate(written[:5]):
        chosen = which == i
        assert chosen.sum() == pytest.approx(800, abs=120)
        spans = [max(size - side, 1) for size, side in zip(picture.shape, (20, 24), strict=False)]
        assert [int(starts[chosen].max()) for starts in (rows, columns)] == [span - 1 for span in spans]
        assert not rows[chosen].min()
        assert not columns[chosen].min()
    assert which.max() == 4
    for image in levels[:50]:
        mark, row, column = (int(image[channel, 0, 0]) for channel in range(3))
        piece = written[mark][row : row + 20, column : column + 24]
        assert np.array_equal(image.permute(1, 2, 0).numpy(), piece)


def test_frost_adds_shares_of_the_image_and_of_its_own_pictures() -> None:
    images = pictures(5, 32, 32)
    ice = frost(torch.zeros_like(images), generator(3), kept=1, added=1, scale=0.2)
    assert ice.min() >= 0
    assert ice.max() <= 1
    assert len({image.numpy().tobytes() for image in ice}) == 5
    both = frost(images, generator(3), kept=0.75, added=0.45, scale=0.2)
    assert torch.allclose(both, 0.75 * images + 0.45 * ice, atol=1e-6)


def test_frost_enlarges_its_own_pictures_for_larger_images() -> None:
    images = torch.full((2, 3, 210, 530), 0.5)
    result = corrupt(images, "frost", 2, generator=generator())
    assert result.shape == images.shape
    assert result.std() > 0.02


@pytest.mark.parametrize("number", range(crystals.PICTURES))
def test_the_frost_that_is_shipped_is_the_frost_that_is_drawn(number: int) -> None:
    path = settings.ASSETS / "frost" / f"frost{number + 1}.png"
    assert path.stat().st_size < 150_000
    with Image.open(path) as image:
        shipped = np.asarray(image).astype(int)
    assert np.abs(shipped - crystals.draw_frost(number)).max() <= 1


def test_frost_is_bright_bluish_and_uneven() -> None:
    pixels = np.stack([crystals.draw_frost(number) for number in range(crystals.PICTURES)]) / 255
    assert pixels.mean() == pytest.approx(0.63, abs=0.01)
    red, green, blue = pixels.mean(axis=(0, 1, 2))
    assert red < green < blue
    pieces = pixels[:, :192, :256].reshape(-1, 6, 32, 8, 32, 3).mean(axis=(2, 4, 5))
    assert pieces.std() > 0.1


def test_a_frost_folder_that_cannot_be_used_is_one_clear_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusal(folder: Path) -> str:
        with pytest.raises(InputError) as caught:
            corrupt(torch.zeros(1, 3, 32, 32), "frost", 1, generator=generator(), frost_textures=folder)
        return str(caught.value)

    assert "none can't be read: No such file" in refusal(tmp_path / "none")
    assert "it needs PNG, JPEG or WebP files" in refusal(tmp_path)
    path = tmp_path / "frost1.png"
    path.write_bytes(b"not a picture")
    assert "frost1.png can't be read" in refusal(tmp_path)
    assert "frost1.png can't be read: Not a dir" in refusal(path)
    write_picture(path, 31, 40, mark=0)
    assert "it needs 160×160 pixels" in refusal(tmp_path)
    path.write_bytes(path.read_bytes()[:2000])
    assert "not a whole PNG" in refusal(tmp_path)
    write_picture(path, 32, 40, mark=0)
    monkeypatch.setattr(settings, "MAX_IMAGE_PIXELS", 1000)
    assert "more than 1,000 pixels" in refusal(tmp_path)
    monkeypatch.undo()
    good = corrupt(torch.zeros(1, 3, 32, 32), "frost", 1, generator=generator(), frost_textures=tmp_path)
    path.unlink()
    again = corrupt(torch.zeros(1, 3, 32, 32), "frost", 1, generator=generator(), frost_textures=tmp_path)
    assert torch.equal(good, again), "a folder is read once"
    textures.load_textures.cache_clear()


# Snow


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("size", "made_for"), [((32, 32), 32), ((21, 40), 32), ((64, 64), 64), ((64, 64), 224)])
def test_snow_is_the_published_steps(size: tuple[int, int], made_for: int, severity: int) -> None:
    row = CORRUPTIONS["snow"].constants_for(made_for)[severity - 1]
    images = pictures(3, *size)
    ours = snow(images, generator(5), **row)
    chance = generator(5)
    cut = [int(np.ceil(side / row["zoom"])) for side in size]
    draws = torch.randn((3, 1, *cut), generator=chance)[:, 0].double().numpy()
    angles = torch.rand(3, generator=chance, dtype=torch.float64) * 90 - 135
    for i, image in enumerate(images):
        x = hwc(image)
        layer = ndimage.zoom(row["mean"] + row["deviation"] * draws[i], (row["zoom"], row["zoom"]), order=1)
        top, left = ((magnified - side) // 2 for magnified, side in zip(layer.shape, size, strict=True))
        layer = layer[top : top + size[0], left : left + size[1]]
        layer[layer < row["threshold"]] = 0
        levels = torch.from_numpy((np.clip(layer, 0, 1) * 255).astype(np.uint8)).float()
        blurred = blur_along(levels[None, None], row["radius"], row["sigma"], angles[i : i + 1])
        layer = blurred[0, 0].double().numpy()[..., None] / 255
        grey = x @ [0.299, 0.587, 0.114]
        x = row["kept"] * x + (1 - row["kept"]) * np.maximum(x, grey[..., None] * 1.5 + 0.5)
        expected = x + layer + np.rot90(layer, k=2)
        difference = np.abs(hwc(ours[i]) - expected)
        assert (difference > 1e-5).mean() < 0.002
        assert difference.max() < 2.1 / 255


# All of them, spatter too


@pytest.mark.parametrize("name", ["snow", "frost", "fog", "spatter"])
@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize("size", [(1, 1), (1, 2), (3, 1), (21, 40)])
def test_any_size_works(name: str, severity: int, size: tuple[int, int]) -> None:
    result = corrupt(pictures(4, *size), name, severity, generator=generator())
    assert result.shape == (4, 3, *size)
    assert result.isfinite().all()


@pytest.mark.parametrize("name", ["snow", "frost", "fog", "spatter"])
def test_gradients_reach_the_image(name: str) -> None:
    images = (pictures(2, 32, 32) * 0.4).requires_grad_()
    corrupt(images, name, 2, generator=generator()).sum().backward()
    assert images.grad is not None
    assert images.grad.isfinite().all()
    assert (images.grad != 0).float().mean() > 0.5


@pytest.mark.parametrize("name", ["snow", "frost", "fog", "spatter"])
def test_what_falls_does_not_depend_on_the_other_images(name: str) -> None:
    images = pictures(4, 32, 32)
    others = images.clone()
    others[1:] = 1 - others[1:]
    first, second = (corrupt(batch, name, 3, generator=generator(4)) for batch in (images, others))
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[1], second[1])


@pytest.mark.parametrize("name", ["contrast", "frost"])
def test_frost_pictures_that_are_not_there_are_missed_whatever_is_drawn(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere can't be read: No such file"):
        corrupt(torch.zeros(1, 3, 32, 32), name, 1, generator=generator(), frost_textures=tmp_path / "nowhere")
