"""The robustness page and the gallery in every state, and what of them lives in the address."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import charts
from app.backend import data
from app.words.intervals import points, verdict
from bird_backend.runs.store import RunStore
from tests import synthetic
from tests.pages import again, components, show, words

TABLE = "bird_severity_grid"
GALLERY = "bird_gallery"


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    monkeypatch.setattr(data, "demo_document", synthetic.transfer_document)


def tables(app: AppTest) -> str:
    """The pages' plain tables."""
    return "\n".join(str(element.proto.body) for element in app.main.get("html"))


def payload(app: AppTest, name: str) -> dict[str, Any]:
    return components(app)[name]


def test_a_measured_run_says_every_figure_and_what_its_interval_is_over() -> None:
    run = synthetic.write_transfer("done")
    app = show("robustness", run=run.id)
    for figure in ("Clean", "Robust", "Seen", "Held out", "Pooled", "mCE", "Relative mCE", "ECE, clean"):
        assert figure in tables(app), figure
    said = words(app)
    assert "95 % interval over the same 500 test images" in said
    assert "what the reference implementation of BIRD calls robust accuracy" in said
    assert "above that of fine-tuning" in said
    predictions = data.predictions(run)
    assert predictions is not None
    gap = charts.gain(predictions, "held_out")
    assert gap is not None
    assert f"On held-out corruptions: **{points(gap)} points**, {verdict(gap)}." in said
    assert "As a command" not in said
    assert "One seed (0) so far" in said
    assert "nobody has trained it yet" in said
    assert {"accuracy_bars", "reliability", TABLE} <= components(app).keys()


@pytest.mark.parametrize("page", ["overview", "robustness", "live", "compare"])
def test_a_run_measured_on_one_image_has_no_bounds_and_is_drawn(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in ("N_TEST", "POOL", "SHOWN"):
        monkeypatch.setattr(synthetic, size, 1)
    runs = [synthetic.write_transfer("done", seed=seed).id for seed in (101, 102)]
    app = show(page, **({"runs": ",".join(runs)} if page == "compare" else {"run": runs[0]}))
    said = words(app) + tables(app)
    assert "∞" in said
    assert "nan" not in said


def test_two_more_seeds_at_a_click() -> None:
    run = synthetic.write_transfer("done")
    app = show("robustness", run=run.id)
    app.button("queue_seeds").click()
    again(app)
    queued = [other for other in data.list_runs() if other.state == "queued"]
    assert sorted(data.spec_of(other).seed for other in queued) == [1, 2]
    assert "2 more with other seeds are queued or running" in words(app)
    for other in queued:
        RunStore().finish(other.id, "cancelled")


def test_three_seeds_have_a_mean_beside_this_runs_own() -> None:
    runs = [synthetic.write_transfer("done", seed=seed) for seed in range(3)]
    app = show("robustness", run=runs[0].id)
    said = words(app)
    assert "Over **3 seeds** (0, 1, 2)" in said
    assert "Student's t" in said
    assert "<small>" in tables(app)
    assert not any(button.key == "queue_seeds" for button in app.button)


def test_the_oracle_gives_the_share_of_the_gap_that_was_recovered() -> None:
    run = synthetic.write_transfer("done")
    synthetic.write_transfer("done", method={"name": "oracle"}, seed=1)
    synthetic.write_trained(data="fashion-mnist-small")
    assert "nobody has trained it yet" in words(show("robustness", run=run.id)), "of another seed; by another recipe"
    oracle = synthetic.write_transfer("done", method={"name": "oracle"})
    app = show("robustness", run=run.id)
    assert "Ceiling − floor, points" in tables(app)
    assert "Oracle (ceiling)" in tables(app)
    assert "PGR = (after − floor) / (ceiling − floor)" in words(app)
    assert any(f"run={oracle.id}" in link.proto.query_string for link in app.main.get("page_link"))
    assert "How far towards the ceiling?" not in words(show("robustness", run=oracle.id))


def test_one_click_trains_the_oracle_and_the_page_waits_for_it() -> None:
    run = synthetic.write_transfer("done", control="random-weights")
    app = show("robustness", run=run.id)
    app.button("train_oracle").click()
    again(app)
    (queued,) = [other for other in data.list_runs() if other.state == "queued"]
    spec = data.spec_of(queued)
    assert spec.method.name == "oracle"  # type: ignore[union-attr]
    assert spec.seed == 0
    assert any("The Oracle" in link.proto.label for link in app.main.get("page_link"))
    assert not any(button.key == "train_oracle" for button in app.button)
    synthetic.fill_transfer(queued, "done")
    assert "Ceiling − floor, points" in tables(show("robustness", run=run.id))


def test_a_studys_run_is_held_against_its_own_fine_tuning_and_oracle() -> None:
    study = synthetic.write_study(seeds=2)
    bird = next(member.run for member in study.members if (member.variant, member.seed) == ("bird", 1))
    app = show("robustness", run=bird)
    said = words(app)
    assert "above that of fine-tuning" in said
    assert "Fine-tuning is of another run, of the same seed, images and budget" in said
    assert "Ceiling − floor, points" in tables(app)
    leads = "".join(link.proto.query_string for link in app.main.get("page_link"))
    for key in ("fine-tuning", "oracle"):
        (same_seed,) = [member.run for member in study.members if (member.variant, member.seed) == (key, 1)]
        assert f"run={same_seed}" in leads


def test_without_a_gap_there_is_no_share_and_the_page_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    run = synthetic.write_transfer("done", seed=7)
    monkeypatch.setitem(synthetic.GAINS, "oracle", synthetic.GAINS["before"])
    synthetic.write_transfer("done", method={"name": "oracle"}, baseline=False, seed=7)
    app = show("robustness", run=run.id)
    assert "<span>–</span>" in tables(app)
    assert "No number for robust" in words(app)
    assert "there is no gap to recover a part of" in words(app)


@pytest.mark.parametrize("kind", ["pretrain", "robustify"])
def test_one_network_alone_has_no_errors_relative_to_another(kind: str) -> None:
    run = synthetic.write_trained(kind=kind)
    app = show("robustness", run=run.id)
    assert "mCE" not in tables(app)
    assert "ceiling" not in words(app)
    table = payload(app, TABLE)
    assert table["asked"] == {"model": "model", "show": "accuracy", "group": "part", "sort": "published", "cell": None}


def test_a_transfer_by_fine_tuning_is_held_against_before() -> None:
    run = synthetic.write_transfer("done", baseline=False)
    assert "the student before" in words(show("robustness", run=run.id))


def test_what_the_table_shows_is_in_the_address() -> None:
    run = synthetic.write_transfer("done")
    app = show("robustness", run=run.id, model="fine-tuning", show="before", group="kind", sort="name", cell="fog.2")
    table = payload(app, TABLE)
    assert table["asked"] == {
        "model": "fine-tuning",
        "show": "before",
        "group": "kind",
        "sort": "name",
        "cell": "fog.2",
    }
    assert table["examples"]["cell"] == "fog.2"
    assert len(table["examples"]["shown"]) == 12


def test_an_address_that_makes_no_sense_shows_the_default() -> None:
    run = synthetic.write_transfer("done")
    app = show("robustness", run=run.id, model="<b>", show="x", group="y", sort="z", cell="fog.9", ceiling="none")
    table = payload(app, TABLE)
    assert table["asked"] == {
        "model": "bird",
        "show": "fine-tuning",
        "group": "part",
        "sort": "published",
        "cell": None,
    }
    assert table["examples"] is None


def test_every_cell_can_be_downloaded() -> None:
    app = show("robustness", run=synthetic.write_transfer("done").id)
    (button,) = app.main.get("download_button")
    assert button.proto.label == "Download every cell as CSV"


def test_a_run_without_pictures_still_has_its_table() -> None:
    run = synthetic.write_transfer("done")
    (run.directory.artifacts / "examples.npz").unlink()
    table = payload(show("robustness", run=run.id, cell="fog.2"), TABLE)
    assert table["pictures"] is False


def test_a_run_that_kept_no_predictions_says_so() -> None:
    run = synthetic.write_transfer("done")
    (run.directory.artifacts / "predictions.npz").unlink()
    assert "kept no predictions" in words(show("robustness", run=run.id))


# Gallery


def test_the_first_visit_asks_for_the_gallery_once() -> None:
    app = show("gallery")
    assert "What happens to the images?" in words(app)
    assert "The pictures appear here" in words(app)
    again(app)
    (run,) = data.list_runs(kind="gallery")
    synthetic.write_gallery(run)
    shown = payload(show("gallery"), GALLERY)
    assert len(shown["conditions"]) == 19
    assert shown["sheet"]["image"] == 0
    assert shown["asked"] == {"image": 0, "strength": 3, "zoom": None, "group": "part"}


def test_a_gallery_under_way() -> None:
    run, _ = data.gallery(data="digits")
    RunStore().claim(run.id)
    assert "The pictures appear here" in words(show("gallery", data="digits"))


def test_a_gallery_that_failed_says_why_and_can_be_tried_again() -> None:
    run, _ = data.gallery(data="digits")
    RunStore().claim(run.id)
    RunStore().finish(run.id, "failed", reason="The disk is full.")
    app = show("gallery", data="digits")
    assert "The disk is full." in words(app)
    app.button("draw").click()
    again(app)
    assert len(data.list_runs(kind="gallery")) == 2


def test_what_is_not_on_this_machine_is_asked_for_first() -> None:
    app = show("gallery", data="cifar10")
    assert data.list_runs() == []
    app.button("draw").click()
    again(app)
    assert len(data.list_runs(kind="gallery")) == 1


def test_image_severity_and_close_up_are_in_the_address() -> None:
    synthetic.write_gallery(data.gallery(data="fashion-mnist-small")[0])
    shown = payload(show("gallery", image="2", strength="5", zoom="fog", group="kind"), GALLERY)
    assert shown["asked"] == {"image": 2, "strength": 5, "zoom": "fog", "group": "kind"}
    assert shown["sheet"]["image"] == 2
    shown = payload(show("gallery", image="99", strength="-1", zoom="<b>", group="?"), GALLERY)
    assert shown["asked"] == {"image": 0, "strength": 3, "zoom": None, "group": "part"}


def test_an_unknown_data_set_is_said() -> None:
    app = show("gallery", data="cifar11")
    assert "There is no data set `cifar11` here" in words(app)


def test_a_picture_is_brought_and_found_again() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 40, 90)).save(buffer, "PNG")
    app = show("gallery")
    app.file_uploader[0].set_value(("mine.png", buffer.getvalue(), "image/png"))
    again(app)
    (run,) = [run for run in data.list_runs(kind="gallery") if data.spec_of(run).picture]  # type: ignore[union-attr]
    picture = data.spec_of(run).picture  # type: ignore[union-attr]
    assert app.query_params["picture"] in (picture, [picture])
    synthetic.write_gallery(run)
    app = show("gallery", picture=str(picture))
    assert payload(app, GALLERY)["names"] == ["Your picture"]
    next(button for button in app.button if button.label.startswith("Back to")).click()
    again(app)
    assert "picture" not in app.query_params


def test_a_gallery_run_on_the_live_page_leads_to_its_pictures() -> None:
    run, _ = data.gallery(data="digits")
    synthetic.write_gallery(run)
    app = show("live", run=run.id)
    assert any(link.proto.label == "Look at the pictures" for link in app.main.get("page_link"))
