"""The page that says what is in images: named or dropped, being read, refused, and found; and the room they take."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.backend import data
from app.backend.kept_files import forget
from app.backend.uploads import keep_images
from app.form.estimates import estimate
from app.form.images import own_name, size_text
from app.words.sizes import room
from bird_backend import settings
from bird_backend.catalog import own_path
from bird_backend.errors import InputError
from bird_backend.experiments import PretrainSpec, load_spec
from bird_backend.jobs.process import perform
from bird_backend.runs.image_cache import list_cached
from bird_backend.runs.store import RunStore
from bird_backend.runs.uploads import list_uploads
from tests.pages import again, components, show, words
from tests.synthetic import transfer_document
from tests.test_drafts import LAPTOP
from tests.test_image_uploads import zipped
from tests.weights import assets_without_weights, write_demo_weights


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", assets_without_weights(tmp_path))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "animals"
    for place, label in enumerate(("ape", "bee", "cat")):
        (root / label).mkdir(parents=True)
        for index in range(12 + place):
            side = (24, 32)[index % 2]
            Image.new("RGB", (32, side), (80 * place, 10 * index, 99)).save(root / label / f"{index}.png")
    (root / "notes.txt").write_text("mine", "utf-8")
    return root


def read(app: AppTest) -> AppTest:
    """The page once the run that it asked for has ended."""
    [run] = RunStore().list(kind="inspect", states=("queued",))
    RunStore().claim(run.id)
    with suppress(InputError):
        perform(run.id, device="cpu")
    return again(app)


def test_with_nothing_named_the_page_says_what_it_reads() -> None:
    app = show("images")
    assert "Say where your images are, or drop a file." in words(app) and "One folder per class" in words(app)
    assert not RunStore().list()
    assert any("nothing at /no/such" in error.value for error in show("images", data="folder:/no/such").error)
    assert any("There is no data set" in warning.value for warning in show("images", data="nonsense").warning)


def test_own_images_are_read_and_told(folder: Path) -> None:
    app = show("images")
    app.text_input("_images_path").input(str(folder))
    again(app)
    assert app.query_params["data"] in (f"folder:{folder}", [f"folder:{folder}"])
    assert "appears here" in words(app)
    text = words(read(app))
    for said in (
        "Images 39",
        "Classes 3",
        "Image size 64 × 64",
        "Left out 1",
        "**20** of 39 are not square and were squashed to 64 × 64",
        "**39** of 39 are smaller than 64 × 64 and were enlarged",
        "2 sizes, from 32 × 24 to 32 × 32 pixels",
        "10% of the training images, the same ones every time",
    ):
        assert said in text, said
    spec = load_spec({"kind": "pretrain", "data": f"folder:{folder}", "model": {"model": "cnn-small"}})
    assert isinstance(spec, PretrainSpec)
    small, large = (estimate(spec.model_copy(update={"image_size": side}), [], LAPTOP).seconds for side in (32, 224))
    assert small < 10, "27 images are known to be few"
    assert large > small
    drawn = components(app)
    assert [each["name"] for each in drawn["bird_contact_sheet"]["classes"]] == ["ape", "bee", "cat"]  # type: ignore[attr-defined]
    assert "bee" in str(drawn["class_bars"]["label"]) or "cat has the most images, 14" in str(
        drawn["class_bars"]["label"]
    )
    assert any("1 left out: not an image format" in each.label for each in app.expander)


def test_images_that_can_not_be_used_say_why_and_can_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "one" / "only").mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(tmp_path / "one" / "only" / "0.png")
    app = read(show("images", data=f"folder:{tmp_path / 'one'}"))
    assert any("can't be used" in error.value and "only one class" in error.value for error in app.error)
    app.button("read_again").click()
    again(app)
    assert [run.state for run in RunStore().list(kind="inspect")] == ["queued", "failed"]


def test_a_set_that_would_be_downloaded_is_not_looked_into_unasked() -> None:
    app = show("images", data="cifar10")
    assert not RunStore().list()
    app.button("look").click()
    again(app)
    assert [run.kind for run in RunStore().list()] == ["inspect"]


def test_decoded_images_are_freed_when_that_is_confirmed_and_no_run_needs_them(folder: Path) -> None:
    name = f"folder:{folder}"
    app = read(show("images", data=name))
    [entry] = list_cached()
    assert any("Decoded images take" in each.label for each in app.expander)
    waiting = RunStore().create(load_spec({"kind": "pretrain", "data": name, "model": {"model": "cnn-small"}}))
    again(app)
    assert app.button(f"free_{entry.key}").disabled
    data.cancel(waiting.id)
    again(app)
    app.button(f"free_{entry.key}_yes").click()
    again(app)
    assert not list_cached()
    assert not any("Decoded images take" in each.label for each in app.expander)


def test_a_dropped_file_is_looked_into_at_once() -> None:
    app = show("images")
    app.file_uploader("__images_path_brought").upload("my birds.zip", zipped(side=16), "application/zip")
    again(app)
    [run] = RunStore().list()
    assert (run.kind, own_path(run.spec.data) is not None) == ("inspect", True)  # type: ignore[attr-defined]
    assert app.selectbox("_images_data").format_func(run.spec.data) == "my birds.zip"  # type: ignore[attr-defined]
    wrong = show("launch", data="own")
    wrong.file_uploader("_path_brought").upload("birds.zip", b"Rar!  ", "application/zip")
    again(wrong)
    assert any("birds.zip is neither a zip" in error.value for error in wrong.error)


def test_dropped_images_are_a_data_set_by_its_title() -> None:
    name = keep_images(io.BytesIO(zipped(side=48)), "C:\\me\\my birds.zip")
    assert own_path(name) is not None and name.endswith("/my birds.zip")
    with pytest.raises(InputError, match=r"birds\.rar is neither a zip"):
        keep_images(io.BytesIO(b"Rar!  "), "birds.rar")
    write_demo_weights()
    app = read(show("launch", data="own", path=name))
    assert "**my birds.zip**, dropped here" in words(app)
    assert "Your images are all 48 × 48, so they stay as they are." in words(app)
    assert not app.get("file_uploader")
    app.button("_path_others").click()
    again(app)
    assert app.get("file_uploader") and app.text_input("path").value == ""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/a/t.CSV", "csv:/a/t.CSV"),
        ("/a/x.npz", "arrays:/a/x.npz"),
        ("arrays:/a", "arrays:/a"),
        ("/a/b.c", "folder:/a/b.c"),
    ],
)
def test_a_bare_path_is_what_its_ending_says(path: str, name: str) -> None:
    assert own_name(path) == name


def test_the_size_is_chosen_or_typed_and_told() -> None:
    assert [size_text(said) for said in ("96 × 96", "96x96", " 48 ", "64 px", "auto", "64 × 32", "big")] == [
        *("96", "96", "48", "64", "auto", "64 × 32", "big")
    ]
    write_demo_weights()
    app = show("launch", size="96")
    assert "96 × 96 has 9 times the pixels of 32 × 32" in words(app)
    app.selectbox("size").select("auto")
    again(app)
    assert "size" not in app.query_params
    wrong = show("launch", size="50")
    assert wrong.button("launch").disabled
    assert any("multiple of 8 from 16 to 512, not 50" in error.value for error in wrong.error)
    trainer = show("models", part="train", pixels="64")
    trainer.button("train").click()
    again(trainer)
    [run] = RunStore().list(kind="robustify")
    assert run.spec.image_size == 64  # type: ignore[attr-defined]


def test_what_was_dropped_is_deleted_where_it_lies_and_not_under_a_run(tmp_path: Path) -> None:
    name = keep_images(io.BytesIO(zipped()), "animals.zip")
    digest = name.removeprefix("upload:").partition("/")[0]
    kept = data.keep_picture(b"no picture, but a file")
    read(show("images", data=name))
    run = RunStore().create(load_spec({**transfer_document(), "data": name}))
    app = show("images", data=name)
    assert "**animals.zip**" in words(app) and "2 runs name it" in words(app)
    assert app.button(f"delete_{digest}").disabled, "a run waits for it"
    with pytest.raises(InputError, match=r"animals\.zip is needed by .* stop that run first"):
        forget(digest)
    app.button(f"delete_{kept}_yes").click()
    again(app)
    assert [path.name for path in list_uploads()] == [digest]
    RunStore().finish(run.id, "failed", reason="It did.")
    again(app)
    assert "1 run on it needs it to be resumed or run again" in words(app)
    app.button(f"delete_{digest}_yes").click()
    again(app)
    assert list_uploads() == [] and [toast.value for toast in app.toast] == [f"{room(len(zipped()))} freed."]
    assert any("bring it again" in error.value for error in app.error)
