"""The pages where one looks, in every state a run can be in: they say what is the case and never break."""

from __future__ import annotations

import io
import json
from pathlib import Path
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app.backend import data
from app.findings.moments import cka_at
from app.words.intervals import percent
from app.words.layers import layer_map_words
from bird_backend import catalog
from bird_backend.exports import EXPORTS, export_file
from bird_backend.runs.store import RunStore
from bird_backend.transfer import METHODS
from tests import synthetic
from tests.pages import again, components, show, words

PAGES = ("live", "embeddings", "robustness")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    monkeypatch.setattr(data, "demo_document", synthetic.transfer_document)


@pytest.mark.parametrize("name", [*PAGES, "compare"])
def test_empty_pages_offer_the_demo(name: str) -> None:
    app = show(name)
    assert any(button.label == "Run the demo transfer" for button in app.button)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("asked", ["nonsense", "../../etc/passwd", "20200101-000000-transfer-0000"])
def test_an_unknown_run_is_said_in_words(name: str, asked: str) -> None:
    synthetic.write_transfer("done")
    app = show(name, run=asked)
    assert "There is no such run" in words(app)
    assert asked in words(app)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    ("state", "fraction"),
    [
        ("queued", 0.0),
        ("running", 0.0),
        ("running", 0.05),
        ("running", 0.7),
        ("failed", 0.0),
        ("failed", 0.6),
        ("cancelled", 0.4),
        ("interrupted", 0.4),
        ("done", 1.0),
    ],
)
def test_every_state_of_every_page(name: str, state: str, fraction: float) -> None:
    run = synthetic.write_transfer(state, fraction=fraction, reason="The loss is not a number.")  # type: ignore[arg-type]
    app = show(name, run=run.id)
    if state == "failed" and name == "live":
        assert "The loss is not a number." in words(app)
        assert app.button("resume_run").label == "Resume"
    if state in ("queued", "running") and name == "live":
        assert app.button("stop_run").label == "Stop"


@pytest.mark.parametrize("method", list(METHODS))
def test_every_method_is_called_by_its_name(method: str) -> None:
    layer = catalog.models()[synthetic.transfer_document()["teacher"]["model"]].layers[-1].name
    pairs = {"pairs": [{"teacher": layer, "student": layer}]} if METHODS[method].matches_layers else {}
    control = "shuffled-batch" if METHODS[method].needs_teacher else "none"
    run = synthetic.write_transfer("done", method={"name": method, **pairs}, control=control)
    for name in ("live", "robustness", "embeddings", "overview"):
        app = show(name, run=run.id)
        if name in ("live", "robustness"):
            said = words(app)
            assert METHODS[method].title in said
            assert any("This is a control" in info.value for info in app.info) == (control != "none")
            about_others = (METHODS[method].caption, "the reference implementation of BIRD")
            for words_of_others in about_others:
                said = said.replace(words_of_others, "")
            assert method == "bird" or "BIRD" not in said


def test_live_draws_curves_grams_and_cloud() -> None:
    run = synthetic.write_transfer("running", fraction=0.7)
    shown = components(show("live", run=run.id))
    assert {"cka_chart", "task_chart", "validation_chart", "robust_chart", "representation_chart"} <= shown.keys()
    grams = shown["bird_gram_player"]
    assert [arm["name"] for arm in grams["arms"]] == ["fine-tuning", "bird"]  # type: ignore[attr-defined]
    assert grams["size"] == synthetic.GRAM
    assert shown["bird_scrubber"]["active"] is True
    clocks = {str(shown[name]["clock"]) for name in ("bird_scrubber", "bird_gram_player", "bird_embedding_player")}
    assert clocks == {run.id} == {shown[name]["cursor"]["clock"] for name in ("cka_chart", "robust_chart")}  # type: ignore[index]
    assert shown["bird_embedding_player"]["atlas"] is None
    assert str(shown["cka_chart"]["script"]).startswith("/app/static/vendor/plotly-")


def test_a_zoom_outlives_new_points() -> None:
    """The browser keeps a zoom while key and revision stay; they must not follow the data."""
    run = synthetic.write_transfer("running", fraction=0.6)
    app = show("live", run=run.id)
    before = components(app)["cka_chart"]
    row = {"type": "snapshot", "arm": "bird", "step": 200, "cka": 0.7, "n": 300, "null": 0.0}
    with run.directory.metrics.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    after = components(again(app))["cka_chart"]
    assert after["figure"] != before["figure"]
    assert after["revision"] == before["revision"]


def test_the_axis_is_in_the_address() -> None:
    run = synthetic.write_transfer("done")
    app = show("live", run=run.id, x="epoch")
    assert app.main.get("button_group")[0].value in ("epoch", ["epoch"])
    figure = json.loads(str(components(app)["cka_chart"]["figure"]))
    assert figure["layout"]["xaxis"]["title"]["text"] == "Epoch"
    scale = components(app)["cka_chart"]["cursor"]["scale"]  # type: ignore[index]
    assert scale == pytest.approx(1 / synthetic.PER_EPOCH)


def test_the_step_of_the_address_reaches_the_browser() -> None:
    run = synthetic.write_transfer("done")
    shown = components(show("live", run=run.id, arm="fine-tuning", step="48"))
    assert (shown["bird_scrubber"]["arm"], shown["bird_scrubber"]["step"]) == ("fine-tuning", 48)
    shown = components(show("embeddings", run=run.id, step="../x", hide="0,3,x"))
    assert shown["bird_scrubber"]["step"] is None
    assert shown["bird_embedding_player"]["hidden"] == [0, 3]


def test_a_done_run_says_the_difference_and_its_interval() -> None:
    run = synthetic.write_transfer("done")
    said = words(show("live", run=run.id))
    assert "points** above that of fine-tuning" in said
    assert " ± " in said
    assert "On held-out corruptions: **" in said
    assert "500 test images" in said


def test_stop_and_resume() -> None:
    run = synthetic.write_transfer("queued")
    app = show("live", run=run.id)
    app.button("stop_run").click()
    again(app)
    assert RunStore().get(run.id).state == "cancelled"
    app.button("resume_run").click()
    again(app)
    assert RunStore().get(run.id).state == "queued"


def test_a_stop_that_comes_too_late_is_said() -> None:
    run = synthetic.write_transfer("queued")
    app = show("live", run=run.id)
    RunStore().finish(run.id, "done")
    app.button("stop_run").click()
    again(app)
    assert "nothing to cancel" in words(app)


@pytest.mark.parametrize("kind", ["pretrain", "robustify"])
@pytest.mark.parametrize("name", ["live", "robustness"])
def test_runs_of_one_network(name: str, kind: str) -> None:
    run = synthetic.write_trained(kind=kind)
    said = words(show(name, run=run.id))
    assert "obust" in said
    assert "BIRD −" not in said


def test_an_analyze_run_shows_its_map() -> None:
    network = {"model": synthetic.transfer_document()["teacher"]["model"]}
    run = data.submit({"kind": "analyze", "data": "digits", "teacher": network, "student": network})
    assert "layer" in words(show("live", run=run.id))
    synthetic.write_layer_map(run)
    assert "layer_map" in components(show("live", run=run.id))


@pytest.mark.parametrize(
    ("null", "words_of_it"), [((-0.004, 0.004), "0.00"), ((-0.02, 0.011), "−0.02 to 0.01"), ((0.011, 0.012), "0.01")]
)
def test_a_layer_maps_chance_level_is_a_number_or_a_span(null: tuple[float, float], words_of_it: str) -> None:
    frame = pd.DataFrame(np.zeros((1, 2)))
    frame.attrs = {"n": 512, "null": [null], "estimator": "debiased", "kernel": "linear"}
    assert layer_map_words(frame).endswith(f"with the images of one side shuffled it is {words_of_it}.")


def test_a_torn_artifact_is_one_sentence_on_the_page() -> None:
    run = synthetic.write_transfer("done")
    (run.directory.artifacts / "predictions.npz").write_bytes(b"torn")
    for name in ("live", "robustness"):
        app = show(name, run=run.id)
        assert "can't be read" in words(app)


def test_snapshots_of_other_images_are_one_sentence_on_the_page() -> None:
    run = synthetic.write_transfer("done")
    for path in run.directory.artifacts.glob("umap-*.npz"):
        np.savez(path, points=np.zeros((7, 2), np.float32))
    for name in ("live", "embeddings"):
        assert "are not of its 300 probe images" in words(show(name, run=run.id))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 torn", b'{"gram": 3}'])
def test_a_home_whose_every_file_is_damaged_is_said_in_words(content: bytes) -> None:
    run = synthetic.write_transfer("done")
    going = synthetic.write_transfer("running", fraction=0.6, seed=1)
    for damaged in (run, going):
        for path in damaged.directory.path.rglob("*"):
            if path.is_file() and path.name not in ("lock", "log.txt"):
                path.write_bytes(content)
    for name in PAGES:
        said = words(show(name, run=run.id))
        assert "can't be read" in said or "no longer valid" in said
        show(name, run=going.id)
    for name in ("overview", "compare", "launch"):
        show(name)


def test_pca_stands_in_for_umap() -> None:
    run = synthetic.write_transfer("running", fraction=0.6, umap=False)
    app = show("embeddings", run=run.id)
    assert components(app)["bird_embedding_player"]["title"] == "PCA"
    assert "UMAP is ready for 0 of" in words(app)


def test_a_hundred_classes() -> None:
    run = synthetic.write_transfer("done", classes=tuple(f"class {index}" for index in range(100)))
    shown = components(show("embeddings", run=run.id, pick="7,9"))["bird_embedding_player"]
    assert len(shown["classes"]) == 100  # type: ignore[arg-type]
    assert shown["picked"] == [7, 9]


def test_compare_two_runs_one_of_them_running() -> None:
    done, running = synthetic.write_transfer("done"), synthetic.write_transfer("running", fraction=0.7)
    app = show("compare", runs=f"{done.id},{running.id},nonsense")
    assert "nonsense" in words(app)
    figure = json.loads(str(components(app)["compared"]["figure"]))
    assert {trace["name"] for trace in figure["data"]} == {"A, Fine-tuning", "A, BIRD", "B, Fine-tuning", "B, BIRD"}
    assert "A: +" in words(app)


def test_compare_shows_two_runs_under_one_scrubber() -> None:
    done, running = synthetic.write_transfer("done"), synthetic.write_transfer("running", fraction=0.8, seed=1)
    shown = components(show("compare", runs=f"{done.id},{running.id}", step="96"))
    scrubber, grams, clouds = (shown[f"bird_{name}"] for name in ("scrubber", "gram_player", "embedding_player"))
    clock = f"{done.id} {running.id}"
    assert {scrubber["clock"], grams["clock"], clouds["clock"], shown["compared"]["cursor"]["clock"]} == {clock}  # type: ignore[index]
    assert (scrubber["step"], scrubber["active"]) == (96, True)
    (track,) = scrubber["tracks"]  # type: ignore[misc]
    assert track["steps"] == [*range(0, synthetic.STEPS, synthetic.EVERY), synthetic.STEPS]
    # The second has come to step 144; from there on its last snapshot is what is seen.
    cka = {name: cka_at(data.metrics(run)) for name, run in (("A", done), ("B", running))}
    nearest = {"A": 240, "B": max(step for arm, step in cka["B"] if arm == "bird")}
    said = " · ".join(f"CKA {name} {cka[name]['bird', step]:.3f}" for name, step in nearest.items())
    assert track["words"][-1] == f"step 240 · {said}"
    assert clouds["panels"] == ["student"]
    assert [arm["name"] for arm in grams["arms"]] == ["bird"]  # type: ignore[attr-defined]
    assert "bird_scrubber" in components(show("compare", runs=f"{done.id},{done.id},{running.id}"))
    assert "bird_scrubber" not in components(show("compare", runs=f"{done.id},{synthetic.write_trained().id}"))


def test_compare_asks_for_a_second_run() -> None:
    run = synthetic.write_transfer("done")
    assert "one run so far" in words(show("compare", runs=run.id))
    synthetic.write_transfer("done", seed=1)
    app = show("compare", of="runs")
    next(button for button in app.button if button.label.startswith("Compare the two")).click()
    again(app)
    assert "compared" in components(app)


def test_the_picker_goes_to_another_run_and_forgets_the_step() -> None:
    first, second = synthetic.write_transfer("done"), synthetic.write_transfer("done", seed=1)
    app = show("live", run=first.id, step="48")
    app.selectbox("_picked_run").set_value(second.id)
    again(app)
    assert app.query_params["run"] in (second.id, [second.id])
    assert "step" not in app.query_params


def test_the_demo_button_leads_to_the_run() -> None:
    app = show("robustness")
    next(button for button in app.button if button.label == "Run the demo transfer").click()
    again(app)
    (run,) = data.list_runs()
    assert app.query_params["run"] in (run.id, [run.id])


def test_the_run_shown_by_default_gets_into_the_address() -> None:
    run = synthetic.write_transfer("done")
    assert show("live").query_params["run"] in (run.id, [run.id])


def test_a_page_opens_on_what_has_something_to_show_rather_than_what_waits() -> None:
    done = synthetic.write_transfer("done")
    synthetic.write_transfer("queued")
    network = {"model": synthetic.transfer_document()["teacher"]["model"]}
    synthetic.write_layer_map(
        data.submit({"kind": "analyze", "data": "digits", "teacher": network, "student": network})
    )
    for name in ("embeddings", "live"):
        app = show(name)
        assert app.query_params["run"] in (done.id, [done.id])


def test_links_between_pages_of_a_run_carry_what_is_looked_at_in_it() -> None:
    run = synthetic.write_transfer("done")
    app = show("robustness", run=run.id, arm="fine-tuning", step="48", image="7", cell="fog.2")
    [curves] = [link for link in app.main.get("page_link") if "curves" in link.proto.label]
    assert dict(parse_qsl(curves.proto.query_string)) == {
        "run": run.id,
        "arm": "fine-tuning",
        "step": "48",
        "image": "7",
    }


def test_a_loss_beyond_noise_is_not_drawn_as_a_gain() -> None:
    def page() -> None:
        import streamlit as st  # noqa: PLC0415 - the page is run from its source alone

        from app.components.results import DELTA_COLOURS  # noqa: PLC0415
        from app.words.intervals import points, word  # noqa: PLC0415
        from bird_backend.measures import Interval  # noqa: PLC0415

        for value in (0.03, -0.03, 0.001):
            gap = Interval(value=value, low=value - 0.01, high=value + 0.01, n=100, kind="normal, over images")
            st.metric("x", "1", delta=points(gap), delta_color=DELTA_COLOURS[word(gap)])

    gain, loss, noise = (metric.proto.color for metric in AppTest.from_function(page).run().metric)
    assert len({gain, loss, noise}) == 3


def test_the_numbers_of_a_finished_run_are_its_own_methods() -> None:
    """The baseline trains last, so whatever came last is not the method's."""
    run = synthetic.write_transfer("done")
    metrics = data.metrics(run)
    epochs = metrics[(metrics["type"] == "epoch") & (metrics["arm"] == "bird")]
    shown = {metric.label: metric for metric in show("live", run=run.id).metric}
    assert shown["Validation accuracy"].value == percent(float(epochs["validation_accuracy"].iloc[-1]))
    assert shown["Validation accuracy"].delta.startswith("BIRD")
    assert shown["Images per second"].delta.startswith("BIRD")


@pytest.mark.parametrize(("state", "fraction"), [("done", 1.0), ("running", 0.6)])
def test_all_metrics_are_had_as_files(state: str, fraction: float) -> None:
    run = synthetic.write_transfer(state, fraction=fraction)  # type: ignore[arg-type]
    rows = data.metrics(run)
    for suffix, read in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        pd.testing.assert_frame_equal(read(io.BytesIO(export_file(run, suffix))), rows, check_dtype=False)
    app = show("live", run=run.id)
    labels = [button.proto.label for button in app.get("download_button")]
    assert [label for label in labels if label in ("CSV", "Parquet", "TensorBoard")] == [
        "CSV",
        "Parquet",
        "TensorBoard",
    ]
    assert f"`bird export {run.id} --to mlflow --out DIR`" in words(app) or EXPORTS["mlflow"].needs in words(app)


def test_a_run_without_metrics_has_nothing_for_other_programs() -> None:
    run = synthetic.write_transfer("queued")
    assert show("live", run=run.id).get("download_button") == []


def test_a_run_with_nothing_to_beat_is_not_asked_whether_it_helped() -> None:
    run = synthetic.write_trained()
    titles = {name: show(name, run=run.id) for name in ("live", "robustness")}
    assert "How good is it?" in [header.value for header in titles["live"].header]
    assert [title.value for title in titles["robustness"].title] == ["How robust is it?"]
    compared = synthetic.write_transfer()
    assert "Did it help?" in [header.value for header in show("live", run=compared.id).header]
    assert [title.value for title in show("robustness", run=compared.id).title] == ["Did it help?"]


@pytest.mark.parametrize("page", ["live", "robustness"])
def test_where_a_failure_is_said_its_log_is(page: str) -> None:
    run = synthetic.write_transfer("failed", fraction=0.6)
    run.directory.log.write_text("what it said before it died\n")
    app = show(page, run=run.id)
    assert "its log may say more" in words(app) and "press Resume" in words(app)
    assert any("what it said before it died" in each.proto.body for each in app.get("html"))
    app.button("resume_run").click()
    again(app)
    assert RunStore().get(run.id).state == "queued"


def test_a_log_is_a_region_that_keys_scroll() -> None:
    run = synthetic.write_transfer("failed", fraction=0.6, reason="The loss is not a number.")
    (run.directory.path / "log.txt").write_text("<b>not bold</b>\n" * 80, "utf-8")
    parts = [element.proto.body for element in show("live", run=run.id).get("html")]
    (log,) = [part for part in parts if 'class="scrolls"' in part]
    assert 'tabindex="0"' in log
    assert "&lt;b&gt;not bold" in log
