"""Which teacher, which layer? Every teacher's layers scored for a student before any transfer, and what scores tell."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.backend import data, teachers
from app.backend.weights import RANDOM
from app.charts.teachers import agreement, parallel_scores, row_of, score_scatter, slopes
from app.components.address_list import address_list
from app.components.drawing_again import draw_again
from app.components.known_alone import known_images
from app.components.live_chart import chart
from app.components.page_head import page_head
from app.components.prediction_view import prediction_section
from app.components.rank_form import rank_form
from app.components.ranked_study import ranked_study
from app.components.run_exports import run_exports
from app.components.run_picker import pick_run
from app.components.run_state import progress_panel, run_badge, run_buttons, state_note
from app.components.teacher_table import chosen_row, row_panel, teacher_table
from app.findings.teachers import Scored
from app.words.intervals import rounded
from app.words.teachers import option_words
from bird_backend.experiments import RankSpec
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.prediction import Predictor
from bird_backend.specs import ModelRef

__all__ = ["render"]


def render() -> None:
    """Draw the page."""
    page_head(
        "teachers",
        "Before anything is trained: how well each layer of each teacher tells your student's images apart, what it "
        "knows that the student does not, and how much of it survives when images change.",
    )
    ranked = data.list_runs("rank", limit=1)
    if not ranked and "run" not in st.query_params:
        with st.container(border=True, key="empty_state"):
            st.header("No teacher has been scored yet", anchor=False)
            st.markdown(
                "Choose your student and its images; every layer of every teacher is scored before anything is trained."
            )
            rank_form()
    else:
        run = pick_run(showing={"scores"}, nothing=("No teacher has been scored yet", "Score some first."))
        if run is not None:
            try:
                _run(run)
            except data.BirdError as error:
                st.error(str(error), icon=":material/error:")
        with st.expander("Score teachers for another student", icon=":material/leaderboard:"):
            rank_form()
    if teachers.pair_tables():
        st.header(
            "Can it be predicted?",
            anchor=False,
            help="A linear regression of what transfers gave on the scores that were known before them.",
        )
        prediction_section()


def _run(run: data.Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        run_badge(run)
        link("live", "Its page", icon=":material/arrow_forward:", run=run.id)
        run_buttons(run)
    if data.is_active(run):
        st.fragment(_wait, run_every=2.0)(run.id)
        return
    state_note(run)
    spec, scores = data.spec_of(run), teachers.scores(run)
    if scores is None or not isinstance(spec, RankSpec):
        if run.state == "done":
            st.markdown("This run kept no scores.")
        return
    _scored(run, spec, scores)
    run_exports(run)


def _wait(run_id: str) -> None:
    run = data.get_run(run_id)
    if run is None or not data.is_active(run):
        draw_again()
    progress_panel(run)
    st.caption("The table appears here at the end. You may close this page: the ranking goes on.")


def _scored(run: data.Run, spec: RankSpec, scores: pd.DataFrame) -> None:
    layers = list(dict.fromkeys(scores["student_layer"]))
    layer = _of("layer", {name: name for name in layers}, layers[0])
    scored = Scored.of(scores, student_layer=layer)
    by, option = _order(scored, str((run.summary or {}).get("option", "")), layers, layer)
    options = {"usefulness": option}
    table = scored.table(options).sort_values(by, ascending=False, kind="stable")
    reasons = teachers.reasons(run)
    pairs = zip(table.index, table["teacher"], table["teacher_layer"], strict=True)
    why = {str(row): reasons.get((teacher, guiding, layer), "") for row, teacher, guiding in pairs}
    predicted = _foretold(spec.data, table)
    row = chosen_row(table)
    teacher_table(table, why, predicted)
    left, right = st.columns([1.35, 1], gap="large")
    with left, st.container(border=True):
        row_panel(
            scored,
            table,
            row,
            data_name=spec.data,
            options=options,
            why=why[row],
            predicted=None if predicted is None else predicted.loc[[row]].iloc[0],
            choices=_choices(spec),
        )
    with right:
        answers = teachers.probe_answers(run)
        if answers is not None:
            at = table.loc[row]
            known_images(
                answers,
                teacher=str(at["teacher"]),
                layer=str(at["teacher_layer"]),
                student=str(at["student"]),
                student_layer=layer,
            )
    ranked_study(spec, table, layer=layer, by=ATTRIBUTES[by].title, row=row)
    _charts(run, scored, table, row, by)


def _order(scored: Scored, usual: str, layers: list[str], layer: str) -> tuple[str, str]:
    """Draw what the table goes by; returns the score, and the option of usefulness."""
    columns = st.columns([1, 1, 1.3] if len(layers) > 1 else [1, 1.3])
    titles = {name: ATTRIBUTES[name].title for name in scored.attributes}
    by = _of("by", titles, "usefulness" if "usefulness" in titles else next(iter(titles)))
    options = scored.options("usefulness")
    option = _of("option", {name: name for name in options}, usual if usual in options else next(iter(options), ""))
    if len(layers) > 1:
        with columns[0]:
            address_list("layer", {name: name for name in layers}, layer, label="Guided layer", key="_layer")
    with columns[-2]:
        address_list("by", titles, by, label="Best first by", key="_by")
    with columns[-1]:
        words = {name: option_words(name) for name in options}
        address_list(
            "option",
            words,
            option,
            label="Usefulness counts",
            key="_option",
            help="Over the changed images the worst, the mean or none; over features the mean, the best, or each by "
            "how much a probe goes by it.",
        )
    return by, option


def _of(parameter: str, known: Mapping[str, str], fallback: str) -> str:
    asked = st.query_params.get(parameter, "")
    return asked if asked in known else fallback


def _foretold(data_name: str, table: pd.DataFrame) -> pd.DataFrame | None:
    """What a predictor of the same data and student says of every row; none where there is no such predictor."""
    for known in teachers.pair_tables():
        try:
            fitted = teachers.predictors(known, "robust_after")
        except data.BirdError:
            continue  # said where it is drawn
        for predictor in fitted:
            if predictor.data == data_name and _usable(predictor, table):
                return predictor.predict(table)
    return None


def _usable(predictor: Predictor, table: pd.DataFrame) -> bool:
    students = set(predictor.pairs["student"])
    has = all(name in table and table[name].notna().all() for name in predictor.attributes)
    return has and set(table["student"]) <= students


def _choices(spec: RankSpec) -> dict[str, str]:
    """By a network's title what the launch form calls it."""

    def choice(ref: ModelRef) -> str:
        return ref.weights or f"{RANDOM}{ref.model}"

    return {ref.title: choice(ref) for ref in (*spec.teachers, spec.student)}


def _charts(run: data.Run, scored: Scored, table: pd.DataFrame, row: str, by: str) -> None:
    names = [name for name in scored.attributes if table[name].notna().any()]
    titles = {name: ATTRIBUTES[name].title for name in names}
    pressed = chart(
        parallel_scores(table, row, by),
        of=run.id,
        key="parallel",
        revision=by,
        label="Every score of every teacher's layer as a line across parallel axes",
        numbers=table[[name for name in table if name in ("teacher", "teacher_layer", *names)]],
    )
    ranks = scored.ranks("usefulness")
    alike = agreement(ranks).drop(ranks.columns[0])
    if len(alike) and len(ranks) > 1:
        turned = chart(
            slopes(ranks, row, ATTRIBUTES["usefulness"].title),
            of=run.id,
            key="slopes",
            label="Place of every teacher's layer by robust usefulness under each of its options",
            numbers=ranks.rename(columns=option_words).rename_axis("row").reset_index(),
        )
        pressed = pressed or turned
        st.caption(
            f"How much the order depends on the choice: least like the usual one is"
            f" “{option_words(str(alike.idxmin()))}” (rank correlation {rounded(float(alike.min()), 2)})."
        )
    one, other = st.columns(2)
    x = _of("x", titles, "probe_accuracy" if "probe_accuracy" in titles else names[-1])
    y = _of("y", titles, by)
    with one:
        address_list("x", titles, x, label="Across", key="_x")
    with other:
        address_list("y", titles, y, label="Upwards", key="_y")
    pressed = (
        chart(
            score_scatter(scored, table, row, x, y),
            of=run.id,
            key="scatter",
            revision=f"{x} {y}",
            label=f"{titles[y]} against {titles[x].lower()} of every teacher's layer",
        )
        or pressed
    )
    if pressed is not None and row_of(pressed) != row:
        st.query_params["row"] = row_of(pressed)
        draw_again()
