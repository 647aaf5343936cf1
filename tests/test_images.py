"""What becomes of an image on its way in: transparency, proportions, names; and what is said of it."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from bird_backend.cli import main
from bird_backend.datasets import load_dataset
from bird_backend.datasets.images import decode
from bird_backend.errors import InputError
from bird_backend.runs.reading import read_contact_sheet
from bird_backend.runs.store import RunStore
from tests.conftest import write_spec

RED = (255, 0, 0)


def encoded(image: Image.Image, kind: str = "PNG", **save: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **save)
    return buffer.getvalue()


def see_through(mode: str) -> bytes:
    """Red, or black where a mode has no colours, on the left; on the right the same, but transparent."""
    image = Image.new("RGBA", (32, 32), (*RED, 255))
    image.paste((*RED, 0), (16, 0, 32, 32))
    if mode == "P":  # the way a GIF says it: one entry of the palette is transparent
        palette = Image.new("P", (32, 32), 0)
        palette.putpalette([*RED, *RED])
        palette.paste(1, (16, 0, 32, 32))
        return encoded(palette, "GIF", transparency=1)
    if mode == "RGB":  # PNG's tRNS: one colour is transparent
        plain = Image.new("RGB", (32, 32), RED)
        plain.paste((254, 0, 0), (16, 0, 32, 32))
        return encoded(plain, transparency=(254, 0, 0))
    return encoded(
        image.convert(mode),
        "WEBP" if mode == "RGBA" else "PNG",
        **({"lossless": True, "exact": True} if mode == "RGBA" else {}),
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "RGB"])
def test_what_shows_through_an_image_is_white(mode: str) -> None:
    if mode == "PA":
        image = Image.open(io.BytesIO(see_through("RGBA"))).quantize(4)
        found = decode(encoded(image), "x.png", 32)
    else:
        found = decode(see_through(mode), "x", 32)
    assert found.transparent
    assert found.pixels[:, :, 20:].min() > 250, "not the colour that a file keeps under nothing"
    assert found.pixels[1:, :, :12].max() < 90 or mode == "LA"
    assert found.pixels[:, :, :12].min() < 90


def test_half_transparent_is_half_white_and_opaque_is_as_before() -> None:
    half = decode(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 128))), "x", 32).pixels
    assert half.min() == half.max() == 127
    opaque = decode(encoded(Image.new("RGB", (40, 40), RED)), "x", 32)
    assert not opaque.transparent and np.unique(opaque.pixels[0]).tolist() == [255]


def test_sizes_are_those_of_the_image_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    found = decode(encoded(Image.new("RGB", (900, 300)), "JPEG", exif=exif), "x", 32)
    assert (found.width, found.height) == (300, 900)


def raw(levels: np.ndarray, kind: str = "TIFF") -> np.ndarray:
    """The grey levels [32,32] that a file of these numbers is read as."""
    pixels = decode(encoded(Image.fromarray(levels), kind), "x", 32).pixels
    assert (pixels[0] == pixels[1]).all() and (pixels[0] == pixels[2]).all()
    return pixels[0].astype(int)


def test_more_than_eight_bits_are_scaled_and_not_clipped() -> None:
    ramp = np.linspace(0, 1, 1024).reshape(32, 32)
    expected = np.rint(255 * ramp).astype(int)
    for levels, kind in (
        ((ramp * 65535).astype(np.uint16), "PNG"),
        ((ramp * 65535).astype(np.uint16), "TIFF"),
        ((ramp * 65535).astype(np.uint16), "PPM"),
        ((ramp * 65535).astype(np.int32), "TIFF"),
        ((ramp * 2e9 - 1e9).astype(np.int32), "TIFF"),
        (ramp.astype(np.float32), "TIFF"),
        ((ramp * 1e6 - 3e5).astype(np.float32), "TIFF"),
    ):
        assert np.abs(raw(levels, kind) - expected).max() <= 1, (levels.dtype, kind)
    dark = (ramp * 0.1).astype(np.float32)
    assert raw(dark).max() == 26, "floats within 0 to 1 keep their brightness"
    holes = ramp.astype(np.float32)
    holes[3] = np.nan
    assert raw(holes)[3].max() == 0 and np.abs(raw(holes) - expected)[4:].max() <= 1


def test_the_inks_of_a_print_become_the_colours_they_make() -> None:
    inks = Image.new("CMYK", (64, 64), (0, 255, 255, 0))
    for kind, near in (("TIFF", 0), ("JPEG", 3)):
        pixels = decode(encoded(inks, kind), "x", 32).pixels.astype(int)
        assert np.abs(pixels - np.array(RED)[:, None, None]).max() <= near


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(orientation: int) -> None:
    corners = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    upright = corners.repeat(16, 0).repeat(16, 1)
    lying = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright, 1),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(Image.fromarray(np.ascontiguousarray(lying)), "PNG", exif=exif)
    np.testing.assert_array_equal(decode(data, "x", 32).pixels.transpose(1, 2, 0), upright)


def test_a_large_photograph_is_decoded_at_a_size_near_the_one_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = encoded(Image.effect_noise((2048, 2048), 40).convert("RGB"), "JPEG")
    seen = []
    monkeypatch.setattr(ImageOps, "exif_transpose", lambda image: seen.append(image.size) or image)
    for size in (32, 64, 224):
        decode(photograph, "x", size)
    assert seen == [(256, 256), (256, 256), (1024, 1024)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "images"
    for label in ("a", "b"):
        (root / label).mkdir(parents=True)
        for index in range(6):
            (root / label / f"{index}.png").write_bytes(encoded(Image.new("RGB", (32, 32), RED)))
    return root


def test_what_was_squashed_put_on_white_and_left_out_is_counted_and_said(folder: Path) -> None:
    (folder / "a" / "wide.png").write_bytes(encoded(Image.new("RGB", (90, 30))))
    (folder / "a" / "glass.png").write_bytes(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0))))
    for name in ("a/notes.txt", "b/x.svg", "b/y.svg", ".hidden", "outside.png"):
        (folder / name).write_bytes(encoded(Image.new("RGB", (8, 8))))
    found = load_dataset(f"folder:{folder}", image_size=32)
    assert found.reading is not None
    counts = {key: found.reading[key] for key in ("images", "squashed", "enlarged", "transparent", "broken")}
    assert counts == {"images": 14, "squashed": 1, "enlarged": 1, "transparent": 1, "broken": 0}
    assert (found.reading["smallest"], found.reading["largest"]) == ([32, 32], [64, 64])
    assert found.reading["sizes"][0] == [32, 32, 12] and found.reading["distinct_sizes"] == 3
    assert found.remarks == (
        "1 of 14 images is not square and squashed to 32×32.",
        "1 of 14 images is smaller than 32×32 and enlarged.",
        "1 of 14 images is transparent in places and put on white.",
        "3 files left out: not an image format that is read (.svg, .txt).",
        "1 file left out: in no class's folder, such as outside.png.",
    )
    assert load_dataset("digits").reading is None


def test_nothing_is_said_where_nothing_was_done(folder: Path) -> None:
    found = load_dataset(f"folder:{folder}")
    assert found.reading is not None and found.remarks == ()
    assert (found.image_size, found.reading["why_size"]) == (32, "all images have that size already")


def test_a_file_name_that_is_not_utf8_is_read_and_a_class_of_such_a_name_is_refused(folder: Path) -> None:
    strange = os.fsencode(folder / "a") + b"/\xff.png"
    Path(os.fsdecode(strange)).write_bytes(encoded(Image.new("RGB", (32, 32))))
    assert len(load_dataset(f"folder:{folder}").train) == 8
    Path(os.fsdecode(os.fsencode(folder / "b"))).rename(os.fsdecode(os.fsencode(folder) + b"/\xe9t\xe9"))
    with pytest.raises(InputError, match=r"not plain text \(UTF-8\), '\\udce9t\\udce9'; rename it"):
        load_dataset(f"folder:{folder}")


def test_links_that_lead_nowhere_and_paths_that_are_too_long_are_one_sentence(folder: Path) -> None:
    loop = folder / "loop"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match="There is no folder at"):
        load_dataset(f"folder:{loop}")
    with pytest.raises(InputError, match="leads nowhere"):
        load_dataset(f"folder:{folder}")
    for kind in ("folder", "zip"):
        with pytest.raises(InputError, match=f"There is no {kind}"):
            load_dataset(f"{kind}:/{'x' * 5000}")


def test_a_run_reads_the_classes_of_ones_own_images_and_keeps_what_it_did_to_them(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "b" / "wide.png").write_bytes(encoded(Image.new("RGB", (64, 32))))
    spec = write_spec(tmp_path, {"kind": "inspect", "data": f"folder:{folder}"})
    assert main(["run", str(spec), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["classes"] == ["a", "b"]
    assert [sum(summary["counts"][split]) for split in ("train", "validation", "test")] == [8, 2, 3]
    assert summary["reading"]["squashed"] == 1
    assert summary["image_size"] == 64
    assert summary["remarks"] == [
        "1 of 13 images is not square and squashed to 64×64.",
        "13 of 13 images are smaller than 64×64 and enlarged.",
    ]
    run = RunStore().get(summary["run"])
    kept = json.loads((run.directory.artifacts / "data.json").read_text("utf-8"))
    assert kept == {key: summary[key] for key in kept}
    reading = summary["reading"]
    assert reading["why_size"].startswith("images have several sizes, so they are brought to the usual one")
    assert (reading["smallest"], reading["largest"], reading["sizes"]) == (
        [32, 32],
        [64, 32],
        [[32, 32, 12], [64, 32, 1]],
    )
    sheet = read_contact_sheet(run.directory)
    assert sheet is not None and sheet.classes.tolist() == ["a", "b"]
    assert sheet.images.shape == (8, 64, 64, 3) and sheet.labels.tolist() == [0] * 4 + [1] * 4
    assert main(["status", run.id]) == 0
    told = capsys.readouterr().out
    assert "class" in told and "squashed to 64×64" in told
    assert "Their files have 2 sizes, from 32×32 to 64×32." in told
    assert "The test split: 20% of the training images, the same ones every time." in told
