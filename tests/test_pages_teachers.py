"""The teachers page in every state, what of it lives in the address, and the predictor drawn beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.backend import data, teachers
from app.charts.prediction import model_bars, pair_rows, predicted_against_real, residual_dots, share_bars
from app.charts.teachers import agreement, parallel_scores, row_of, score_scatter, slopes
from app.components.relaunch import pair_query
from app.findings.teachers import Scored
from app.form.drafts import Draft
from app.words.teachers import interval_words, option_words, place_words, written
from bird_backend.cli.main import main
from bird_backend.errors import BirdError
from bird_backend.experiments import RankSpec
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.prediction import Predictor, fit
from bird_backend.runs.store import RunStore
from bird_backend.studies import Study, network_of, plan_pairs, submit_study
from tests import synthetic
from tests.pages import again, components, show, words
from tests.pairs import planted
from tests.rankings import GUIDED, LAYERS, STUDENT, TEACHERS, write_ranking
from tests.study_runs import demo


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    monkeypatch.setattr(teachers, "pair_tables", list)


@pytest.fixture
def table_of_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of pairs with its scores, as one that comes with the project."""
    path = tmp_path / "planted.parquet"
    table = planted(noise=0.02, seeds=2).replace({"student-0": STUDENT})
    table.to_parquet(path)
    monkeypatch.setattr(
        teachers, "pair_tables", lambda: [teachers.PairTable(name="planted", title="Planted pairs", path=path)]
    )
    for place in ("app.components.prediction_view.pair_tables",):
        monkeypatch.setattr(place, teachers.pair_tables)
    return path


def scored_of(run: data.Run, layer: str = GUIDED[0]) -> Scored:
    scores = teachers.scores(run)
    assert scores is not None
    return Scored.of(scores, student_layer=layer)


def html(app: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in app.main.get("html"))


def test_an_empty_home_asks_for_a_ranking_and_begins_it() -> None:
    app = show("teachers")
    assert "No teacher has been scored yet" in words(app)
    app.button(key="start_ranking").click()
    again(app)
    (run,) = data.list_runs("rank")
    spec = data.spec_of(run)
    assert isinstance(spec, RankSpec)
    assert {teacher.weights for teacher in spec.teachers} > {*TEACHERS, "zoo-resnet-narrow-fashion-0-4-corruptions"}
    assert (spec.student.weights, spec.data) == ("zoo-resnet-narrow-fashion-5-9-clean", "fashion-mnist-small#5-9")
    assert run.id in app.query_params["run"]
    assert "The table appears here at the end" in words(app)


def test_a_ranking_is_a_table_a_reason_and_charts_and_its_choices_live_in_the_address() -> None:
    run = write_ranking()
    app = show("teachers", run=run.id)
    (frame,) = [one.value for one in app.dataframe if "Why" in one.value]
    assert len(frame) == len(TEACHERS) * len(LAYERS)
    assert (frame["usefulness"].diff().dropna() <= 0).all(), "best first"
    best = f"{frame['Teacher'].iloc[0]} · {frame['Layer'].iloc[0]}"
    said = words(app)
    assert best in said and f"High: {frame['Teacher'].iloc[0]} says much" in said
    assert "rank correlation" in said
    assert {"parallel", "scatter", "slopes"} <= components(app).keys()
    assert "Robust usefulness" in html(app) and "Random weights" in html(app)

    first = f"{TEACHERS[0]} · {LAYERS[1]}"
    app = show("teachers", run=run.id, row=first, by="complementary_knowledge", layer=GUIDED[1], option="mean_max")
    said = words(app)
    assert first in said and "20 of 40 images" in said and "20** of them no other teacher" in said
    (frame,) = [one.value for one in app.dataframe if "Why" in one.value]
    assert (frame["complementary_knowledge"].diff().dropna() <= 0).all()
    assert frame["usefulness"].iloc[0] == pytest.approx(
        scored_of(run, GUIDED[1])
        .table({"usefulness": "mean_max"})["usefulness"]
        .loc[f"{frame['Teacher'].iloc[0]} · {frame['Layer'].iloc[0]}"]
    )
    assert best in words(show("teachers", run=run.id, row="nobody", by="nothing", layer="?", option="?", x="<b>"))


@pytest.mark.parametrize("state", ["queued", "failed", "cancelled"])
def test_a_ranking_that_is_not_done_says_so(state: str) -> None:
    run = write_ranking(state)
    said = words(show("teachers", run=run.id))
    assert {"queued": "appears here", "failed": "A probe met no image", "cancelled": "was stopped"}[state] in said


def test_damaged_scores_and_other_runs_are_one_sentence() -> None:
    run = write_ranking()
    (run.directory.artifacts / "scores.parquet").write_bytes(b"none")
    assert "can't be read" in words(show("teachers", run=run.id))
    assert "kept no scores" in words(show("teachers", run=synthetic.write_transfer("done").id))
    assert "There is no such run" in words(show("teachers", run="nothing"))


def test_a_predictor_is_drawn_with_its_rivals_and_foretells_the_rows_of_a_ranking(table_of_pairs: Path) -> None:
    run = write_ranking()
    app = show("teachers", run=run.id)
    said = words(app)
    assert "Of a teacher it has not seen, the three attributes explain" in said
    assert "Predicted worst" in said and "pairs of 12 teachers and 2 students" in said
    assert {"predicted", "models", "coefficients", "shares", "residuals"} <= components(app).keys()
    assert "95 % of new runs" in said
    assert "Outside what it was fitted on" in said, "complementary knowledge goes far beyond"
    said = words(show("teachers", run=run.id, outcome="gain"))
    assert "variance of gain over fine-tuning" in said
    app = show("teachers", run=run.id, between="block0:block1")
    assert "24 pairs of 12 teachers and 2 students" in words(app) and app.selectbox("_between").value == "block0:block1"
    assert "48 pairs of 12 teachers" in words(show("teachers", run=run.id, between="no:such"))
    table_of_pairs.write_bytes(b"none")
    assert "can't be read as a parquet table" in words(show("teachers"))


def study_of_pairs() -> Study:
    """Twelve pairs that were run, as the study writes them: all of the ranking's, one seed each."""
    study = submit_study(
        plan_pairs(
            demo(),
            teachers=[network_of(name) for name in TEACHERS],
            students=[network_of(STUDENT)],
            layers=[(guiding, guided) for guiding in LAYERS for guided in GUIDED],
        ),
        start_worker=False,
    )
    store = RunStore()
    for place, member in enumerate(study.members):
        assert member.run is not None
        figure = {
            "value": 0.5 + 0.01 * (place % 7),
            "low": None,
            "high": None,
            "n": 50,
            "kind": "no interval, of images",
        }
        method = study.variant(member.variant).method
        store.claim(member.run)
        store.finish(
            member.run, "done", summary={"figures": {method: {"robust": figure}, "before": {"robust": figure}}}
        )
    return study


def test_a_study_of_this_home_asks_for_scores_and_is_fitted_once_they_are_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study = study_of_pairs()
    table = teachers.PairTable(name=study.id, title=study.title, study=study)
    monkeypatch.setattr(teachers, "pair_tables", lambda: [table])
    monkeypatch.setattr("app.components.prediction_view.pair_tables", lambda: [table])
    app = show("teachers")
    assert "Nobody has scored this study's teachers yet." in words(app)
    app.button(key="score_study").click()
    again(app)
    (asked,) = data.list_runs("rank")
    spec = data.spec_of(asked)
    assert isinstance(spec, RankSpec) and spec.student.layers == GUIDED
    assert [(each.weights, each.layers) for each in spec.teachers] == [(name, LAYERS) for name in TEACHERS]
    ranking = write_ranking()
    assert [run.id for run in teachers.rankings_for(study)] == [ranking.id]
    (predictor,) = teachers.predictors(table, "robust_after")
    assert (len(predictor.pairs), predictor.teachers) == (12, 3)
    assert "12 pairs of 3 teachers and 1 student" in words(show("teachers", run=ranking.id))
    assert main(["predict", study.id, ranking.id]) == 0
    assert "Robust accuracy after of 12 pairs (3 teachers, 1 student, 1 seed each)" in capsys.readouterr().out
    assert main(["predict", study.id, study.run_ids[0]]) == 2
    assert "has no scores; a finished ranking has" in capsys.readouterr().err


def fitted() -> Predictor:
    table = planted(noise=0.03, seeds=2)
    table["cka"] = np.random.default_rng(0).uniform(size=len(table))
    return fit(table)


def test_charts_of_a_predictor_draw_its_numbers_and_points_lead_to_runs() -> None:
    predictor = fitted()
    line, *students = predicted_against_real(predictor).data
    assert tuple(line.x) == tuple(line.y)
    assert [trace.name for trace in students] == ["student-0", "student-1"]
    drawn = {run: (x, y) for trace in students for run, x, y in zip(trace.ids, trace.x, trace.y, strict=True)}
    pairs = predictor.pairs.set_index("run")
    assert drawn.keys() == set(pairs.index)
    for run, (x, y) in drawn.items():
        assert (x, y) == (pairs["new_teacher"][run], pairs["robust_after"][run])
    rows = pair_rows(predictor)
    assert rows["off"].abs().is_monotonic_decreasing
    dots = residual_dots(predictor).data[0]
    assert sorted(dots.x) == pytest.approx(sorted(100 * rows["off"]))
    bars = model_bars(predictor)
    assert [trace.name for trace in bars.data] == ["In-sample", "On a new teacher", "On a new student"]
    assert bars.data[1].x[0] == pytest.approx(predictor.models[0].new_teacher.value)  # type: ignore[union-attr]
    assert sum(share_bars(predictor).data[0].x) == pytest.approx(predictor.models[0].in_sample.value)


def test_charts_of_scores_draw_every_row_once_and_their_points_say_which() -> None:
    run = write_ranking()
    scored = scored_of(run)
    table = scored.table()
    chosen = str(table.index[0])
    figure = parallel_scores(table, chosen, "usefulness")
    rows = {row_of(one) for trace in figure.data for one in trace.ids}
    assert rows == set(table.index)
    for trace in figure.data:
        assert len(set(trace.ids)) == len(trace.x) == len(trace.y) == len(trace.customdata)
        assert np.nanmin(trace.y) >= 0 and np.nanmax(trace.y) <= 1
    assert not any("Parameters" in str(text) for text in figure.layout.xaxis.ticktext), "the same for all"
    points = score_scatter(scored, table, chosen, "probe_accuracy", "usefulness")
    assert points.data[0].name == "Random weights" and len(points.data[0].x) == 1
    assert sum(len(trace.x) for trace in points.data[1:]) == len(table)
    ranks = scored.ranks("usefulness")
    assert list(ranks.columns) == list(ATTRIBUTES["usefulness"].options)
    assert agreement(ranks).iloc[0] == pytest.approx(1)
    assert sorted(ranks["min_mean"]) == list(range(1, len(table) + 1))
    drawn = slopes(ranks, chosen, "Robust usefulness").data[-1]
    assert list(drawn.y[:-1]) == list(ranks.loc[chosen])


def test_scores_in_words() -> None:
    scored = scored_of(write_ranking())
    row = f"{TEACHERS[2]} · {LAYERS[0]}"
    score = scored.score(row, "probe_accuracy")
    assert score is not None and score.random == 0.2
    assert interval_words("probe_accuracy", score) == f"{100 * score.low:.1f} % to {100 * score.high:.1f} %"
    assert scored.score(row, "teacher_robust_accuracy") is None
    assert place_words(scored.table(), row, "teacher_robust_accuracy") == "not measured"
    assert place_words(scored.table(), row, "parameters") == "1st"
    assert (written("parameters", 78042.0), written("usefulness", -0.25)) == ("78,042", "−0.250")
    assert option_words("min_probe_weighted") == "worst change, probe-weighted"
    with pytest.raises(BirdError, match="no scores for the student's layer 'stem'"):
        Scored.of(scored.long, student_layer="stem")


def test_a_pair_opens_the_form_with_itself_in_it() -> None:
    query = pair_query(
        "fashion-mnist-small#0-4",
        teacher="digits-geometric-teacher",
        teacher_layer="block1",
        student=STUDENT,
        student_layer="block2",
    )
    assert Draft().data_name == "fashion-mnist-small"
    app = show("launch", **query)
    chosen = {name: app.session_state[name] for name in ("teacher", "student", "guiding", "guided")}
    assert chosen == {
        "teacher": "digits-geometric-teacher",
        "student": STUDENT,
        "guiding": "block1",
        "guided": "block2",
    }
    assert tuple(app.session_state["classes"]) == ("0", "1", "2", "3", "4")
