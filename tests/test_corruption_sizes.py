"""Which constants images of a size have, and that what is done to large ones is what is done to small ones."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from bird_backend.behaviours import BEHAVIOURS
from bird_backend.cli import main
from bird_backend.corruptions import (
    CIFAR_C,
    CORRUPTIONS,
    IMAGENET_C,
    SEVERITIES,
    TINY_IMAGENET_C,
    linear,
    source_of_constants,
    textures,
)
from bird_backend.corruptions.applying import corrupt
from bird_backend.corruptions.blur import apply as blur
from bird_backend.corruptions.zoom import apply as zoom
from bird_backend.errors import InputError

NAMES = list(CORRUPTIONS)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(batch: int, height: int, width: int) -> Tensor:
    coarse = torch.rand((batch, 3, 6, 6), generator=generator(1))
    smooth = torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")
    grain = torch.rand((batch, 3, height, width), generator=generator(2))
    return (smooth * 0.8 + grain * 0.2).mul(255).round().div(255)


@pytest.mark.parametrize("name", NAMES)
def test_a_size_has_the_table_that_was_made_for_it(name: str) -> None:
    entry = CORRUPTIONS[name]
    assert list(entry.constants) == [CIFAR_C, TINY_IMAGENET_C, IMAGENET_C]
    for source, sides in ((CIFAR_C, (1, 32, 48)), (TINY_IMAGENET_C, (49, 56, 64)), (IMAGENET_C, (224, 256, 512))):
        assert all(entry.constants_for(side) == entry.constants[source] for side in sides)


@pytest.mark.parametrize("name", NAMES)
def test_a_size_between_has_constants_between(name: str) -> None:
    """A larger image's are never further from the upper table's; whole ones stay whole, ordered ones ordered."""
    entry = CORRUPTIONS[name]
    tables = [entry.constants_for(side) for side in (64, 65, 72, 96, 128, 160, 192, 223, 224)]
    for key in entry.constants[CIFAR_C][0]:
        for severity in range(5):
            along = [table[severity][key] for table in tables]
            assert along in (sorted(along), sorted(along, reverse=True))
            assert key not in entry.whole or all(value == int(value) for value in along)
        for falling in (False, True):
            columns = [[row[key] for row in table] for table in tables]
            ordered = [column == sorted(column, reverse=falling) for column in columns]
            assert all(ordered) or not (ordered[0] and ordered[-1])


def test_halfway_between_two_sizes_is_halfway_between_their_constants() -> None:
    side = round((64 * 224) ** 0.5)
    deviations = [row["deviation"] for row in CORRUPTIONS["gaussian_noise"].constants_for(side)]
    assert deviations == pytest.approx([0.06, 0.10, 0.15, 0.205, 0.28], abs=2e-3)
    glass = CORRUPTIONS["glass_blur"].constants_for(side)[4]
    assert (glass["reach"], glass["passes"]) == (3, 2)


def test_whose_constants_they_are_is_said() -> None:
    assert source_of_constants(32) == "CIFAR-C's constants"
    assert source_of_constants(48) == "CIFAR-C's constants, made for 32 pixels"
    assert source_of_constants(64) == "Tiny-ImageNet-C's constants"
    assert source_of_constants(300) == "ImageNet-C's constants, made for 224 pixels"
    between = source_of_constants(96)
    assert between == "constants between Tiny-ImageNet-C's and ImageNet-C's for 96 pixels, interpolated: our choice"
    assert all(behaviour.strengths_at(96) for behaviour in BEHAVIOURS.values())
    assert between in BEHAVIOURS["corruptions"].strengths_at(96)


# Tables of taps, and what stands in for them where they would be too large


@pytest.mark.parametrize("size", [(40, 40), (21, 33), (5, 70)])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_large_images_are_blurred_as_small_ones(
    severity: int, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = pictures(2, *size)

    def every() -> list[Tensor]:
        named = ("gaussian_blur", "defocus_blur", "zoom_blur")
        rows = [CORRUPTIONS[name].constants[IMAGENET_C][severity - 1] for name in named]
        return [CORRUPTIONS[name].function(images, generator(), **row) for name, row in zip(named, rows, strict=True)]

    tables = every()
    for module, limit in ((linear, "MOST_TAPS"), (blur, "MOST_TAPS"), (zoom, "_MOST_TAPS")):
        monkeypatch.setattr(module, limit, 0)
    for by_table, other in zip(tables, every(), strict=True):
        assert (by_table - other).abs().max() < 3e-6
        assert other.is_contiguous()


@pytest.mark.parametrize("name", ["gaussian_blur", "defocus_blur", "zoom_blur"])
def test_gradients_of_a_large_blur_are_its_adjoint(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, limit in ((linear, "MOST_TAPS"), (blur, "MOST_TAPS"), (zoom, "_MOST_TAPS")):
        monkeypatch.setattr(module, limit, 0)
    images = pictures(2, 13, 9).requires_grad_()
    row = CORRUPTIONS[name].constants[TINY_IMAGENET_C][4]
    pull = torch.rand(images.shape, generator=generator(9))
    (gradient,) = torch.autograd.grad(CORRUPTIONS[name].function(images, generator(), **row), images, pull)
    for place in ((0, 0, 0, 0), (1, 2, 12, 8), (0, 1, 6, 4)):
        point = torch.zeros(images.shape)
        point[place] = 1
        blurred = CORRUPTIONS[name].function(point, generator(), **row)
        assert gradient[place].item() == pytest.approx((blurred * pull).sum().item(), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_no_table_of_a_large_image_is_larger_than_said(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    collect = linear.collect_taps

    def counted(sources: np.ndarray, weights: np.ndarray, device: torch.device) -> linear.Taps:
        made.append(sources.size)
        return collect(sources[:1], weights[:1], device)

    for module in (linear, zoom):
        monkeypatch.setattr(module, "collect_taps", counted)
    caches = (linear._gaussian_taps, blur._disk_taps, zoom._zoom_taps)
    for cached in caches:
        cached.cache_clear()
    for side in (64, 96, 192):
        corrupt(pictures(1, side, side), name, 5, generator=generator())
    for cached in caches:
        cached.cache_clear()
    # The zoom adds the image itself once more.
    assert max(made, default=0) <= (zoom._MOST_TAPS + 192**2 if name == "zoom_blur" else linear.MOST_TAPS)


@pytest.mark.parametrize("side", [64, 80, 112])
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"glass_blur", "elastic_transform", "spatter", "saturate"}))
def test_severities_go_on_rising_at_every_size(name: str, side: int) -> None:
    """Those of which published tables say so: the others have orders of their own."""
    images = pictures(6, side, side)
    changes = [(corrupt(images, name, s, generator=generator()) - images).abs().mean().item() for s in SEVERITIES]
    assert all(weaker < stronger * 1.05 for weaker, stronger in pairwise(changes))
    assert changes[0] < changes[-1]


# Frost


@pytest.mark.parametrize("scale", [0.2, 0.3, 0.55, 1.0])
def test_a_folders_frost_is_subsampled_bilinearly(scale: float, tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (83, 104, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    found = textures.load_textures(tmp_path, scale, 8, 8, torch.device("cpu")).pixels.permute(1, 2, 0).numpy()
    height, width = (round(side * scale) for side in picture.shape[:2])
    assert found.shape == (height, width, 3)
    y, x = (((np.arange(n) + 0.5) / scale - 0.5) for n in (height, width))
    for row in (0, height // 2, height - 1):
        for column in (0, width // 3, width - 1):
            along = [np.interp(x[column], np.arange(104), line) for line in picture[..., 1].astype(float)]
            expected = np.interp(y[row], np.arange(83), along)
            assert abs(int(found[row, column, 1]) - expected) <= 0.51
    textures.load_textures.cache_clear()


def test_own_frost_grows_with_the_photographs_that_it_stands_for() -> None:
    device = torch.device("cpu")
    shapes = [textures.load_textures(None, s, 64, 64, device).pixels.shape[1:] for s in (0.2, 0.3, 1.0)]
    assert [tuple(shape) for shape in shapes] == [(5 * 200, 260), (5 * 300, 390), (5 * 1000, 1300)]
    textures.load_textures.cache_clear()


def test_a_folder_for_64_pixels_has_larger_pictures_than_one_for_32(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((200, 200, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    corrupt(torch.zeros(1, 3, 40, 40), "frost", 1, generator=generator(), frost_textures=tmp_path)
    with pytest.raises(InputError, match=r"shrunk to 0.3 of its size, has to cover one, so it needs 214×214 pixels"):
        corrupt(torch.zeros(1, 3, 64, 64), "frost", 1, generator=generator(), frost_textures=tmp_path)
    textures.load_textures.cache_clear()


# The command line


def test_corrupt_says_whose_constants_it_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for side, said in ((64, "Tiny-ImageNet-C's constants"), (96, "interpolated: our choice")):
        images = (pictures(2, side, side) * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
        np.save(tmp_path / f"{side}.npy", images)
        folder = tmp_path / str(side)
        command = [
            "corrupt",
            str(tmp_path / f"{side}.npy"),
            str(folder),
            "--corruptions",
            "contrast",
            "--device",
            "cpu",
        ]
        assert main(command) == 0
        assert said in " ".join(capsys.readouterr().out.split())
        assert main([*command, "--overwrite", "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert (document["size"], said in document["constants"]) == ([side, side], True)
        kept = CORRUPTIONS["contrast"].constants_for(side)[4]["kept"]
        x = images / 255
        expected = (x - x.mean(axis=(1, 2), keepdims=True)) * kept + x.mean(axis=(1, 2), keepdims=True)
        assert np.abs(np.load(folder / "contrast.npy")[-2:] - np.floor(expected * 255 + 1e-3)).max() <= 1


def test_the_list_says_which_sizes_have_whose_constants(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "corruptions"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "from 224 ImageNet-C's" in text
    assert "interpolated: our choice" in text
    assert main(["list", "corruptions", "--json"]) == 0
    defocus = {each["name"]: each for each in json.loads(capsys.readouterr().out)}["defocus_blur"]["constants"]
    assert list(defocus) == ["CIFAR-C", "Tiny-ImageNet-C", "ImageNet-C"]
    assert defocus["ImageNet-C"][4] == {"radius": 10, "sigma": 0.5}
