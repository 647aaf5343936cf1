"""A fitted predictor: what it explains beside its rivals, what it goes by, and where it is wrong, run by run."""

from __future__ import annotations

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app.address.routes import go, link
from app.backend import data
from app.backend.studies import Study
from app.backend.teachers import PairTable, ask_for_scores, layers_of, pair_tables, predictors
from app.charts.prediction import (
    coefficient_dots,
    model_bars,
    pair_rows,
    predicted_against_real,
    residual_dots,
    share_bars,
)
from app.components.address_list import address_list
from app.components.drawing_again import draw_again
from app.components.live_chart import chart
from app.components.relaunch import pair_query
from bird_backend.measures import ends, rounded
from bird_backend.prediction import (
    OUTCOMES,
    PAIR,
    ModelScore,
    Predictor,
    coefficient_rows,
    model_rows,
    name_of,
    remarks,
)

__all__ = ["prediction_section"]

_WORST = 5
_ALL = "all"


def prediction_section() -> None:
    """Draw the choice of a table of pairs, and what is fitted on it; nothing where there is no table."""
    chosen = _choice()
    if chosen is None:
        return
    table, outcome, place = chosen
    try:
        layers = _layers(table, place)
        fitted = predictors(table, outcome, layers)
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")
        if table.study is not None:
            _ask_for_scores(table.study)
    else:
        _fitted(table, fitted, layers)


def _layers(table: PairTable, place: DeltaGenerator) -> str:
    """Draw which layers' pairs are fitted on, where there are several; returns one pair, or nothing for all."""
    known = layers_of(table)
    asked = st.query_params.get("between", "")
    chosen = asked if asked in known else _ALL
    if len(known) > 1:
        words = {_ALL: f"All {len(known)} layer pairs"} | {name: name.replace(":", " → ") for name in known}
        with place:
            address_list(
                "between",
                words,
                chosen,
                label="Between the layers",
                key="_between",
                help="Scores of deep and shallow layers differ for reasons of their own, so a score may tell teachers "
                "apart at one depth and say nothing across depths.",
            )
    return "" if chosen == _ALL else chosen


def _ask_for_scores(study: Study) -> None:
    if st.button("Score this study's teachers", icon=":material/leaderboard:", key="score_study"):
        try:
            first, *_ = ask_for_scores(study)
        except data.BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.query_params["run"] = first.id
            draw_again()


def _choice() -> tuple[PairTable, str, DeltaGenerator] | None:
    """Draw which table is fitted on, and which outcome; the third is a place for a further choice."""
    tables = {table.name: table for table in pair_tables()}
    if not tables:
        return None
    left, right, last = st.columns([1.3, 1, 1], vertical_alignment="bottom")
    name = st.query_params.get("pairs", "")
    with left:
        chosen = name if name in tables else next(iter(tables))
        titles = {name: table.title for name, table in tables.items()}
        address_list("pairs", titles, chosen, label="Fitted on", key="_pairs")
    asked = st.query_params.get("outcome", "")
    outcome = asked if asked in OUTCOMES else next(iter(OUTCOMES))
    with right:
        titles = {name: column.label for name, column in OUTCOMES.items()}
        address_list("outcome", titles, outcome, label="What is predicted", key="_outcome")
    return tables[chosen], outcome, last


def _fitted(table: PairTable, fitted: tuple[Predictor, ...], layers: str) -> None:
    by_data = {predictor.data: predictor for predictor in fitted}
    asked = st.query_params.get("for", "")
    predictor = by_data.get(asked, fitted[0])
    if len(by_data) > 1:
        address_list("for", {name: name for name in by_data}, predictor.data, label="Student's data", key="_for")
    st.markdown(_headline(predictor))
    of = f"{table.name} {predictor.data} {layers}".rstrip()
    pressed = None
    left, right = st.columns(2, gap="medium")
    with left:
        pressed = chart(
            predicted_against_real(predictor),
            of=of,
            key="predicted",
            revision=predictor.outcome,
            label="Predicted against real outcome of each pair; points near the line were predicted well",
            numbers=_numbers(predictor),
        )
    with right:
        header, rows = model_rows(predictor)
        chart(
            model_bars(predictor),
            of=of,
            key="models",
            revision=predictor.outcome,
            label="R² of each model in-sample, on new teachers and on new students",
            numbers=pd.DataFrame(rows, columns=list(header)),
        )
    left, right = st.columns(2, gap="medium")
    header, rows = coefficient_rows(predictor)
    with left:
        chart(
            coefficient_dots(predictor),
            of=of,
            key="coefficients",
            revision=predictor.outcome,
            label="Standardised coefficient of each attribute with its 95 % interval over teachers",
            numbers=pd.DataFrame(rows, columns=list(header)),
        )
    with right:
        chart(
            share_bars(predictor),
            of=of,
            key="shares",
            revision=predictor.outcome,
            label="Each attribute's Shapley part of R² with its 95 % interval over teachers",
            numbers=pd.DataFrame(rows, columns=list(header)),
        )
    missed = chart(
        residual_dots(predictor),
        of=of,
        key="residuals",
        revision=predictor.outcome,
        label="Real less predicted outcome of each pair, a row a teacher",
    )
    _open(predictor, pressed or missed)
    _worst(predictor)
    st.caption("\n".join(f"- {note}" for note in _notes(predictor)))


def _headline(predictor: Predictor) -> str:
    """The three attributes against the best that a single score does, both on teachers that were not fitted on."""
    three, *others = predictor.models
    what = OUTCOMES[predictor.outcome].label.lower()
    if three.new_teacher is None:
        return f"Too few teachers to say how well {what} is predicted of another one."
    rivals = [model for model in others if len(model.columns) == 1 and model.new_teacher is not None]
    said = (
        f"Of a teacher it has not seen, the three attributes explain **{_share(three)}** of the variance of {what}"
        f" ({ends(three.new_teacher, 0)} %, over {predictor.teachers} teachers)"
    )
    beside = "".join(f"; {model.label}: {_share(model)}" for model in rivals)
    nothing = " They predict nothing beyond the mean." if three.new_teacher.low <= 0 else ""
    return f"{said}{beside}.{nothing}"


def _share(model: ModelScore) -> str:
    value = 0.0 if model.new_teacher is None else model.new_teacher.value
    return f"{rounded(100 * value, 0)} %" if value > 0 else "nothing"


def _notes(predictor: Predictor) -> list[str]:
    seeds = predictor.pairs["seeds"]
    each = f"{seeds.min()}" if seeds.min() == seeds.max() else f"{seeds.min()} to {seeds.max()}"
    return [
        f"{len(predictor.pairs)} pairs of {predictor.teachers} teachers and {predictor.students}"
        f" {'student' if predictor.students == 1 else 'students'}; seeds of a pair are averaged"
        f" ({each} each).",
        "Intervals are over teachers: all pairs of a teacher are drawn together. R² below zero is worse than the mean.",
        *remarks(predictor),
    ]


def _numbers(predictor: Predictor) -> pd.DataFrame:
    rows = pair_rows(predictor)
    return rows.assign(**{name: (100 * rows[name]).round(2) for name in ("predicted", "real", "off")})


def _open(predictor: Predictor, run_id: str | None) -> None:
    """A point was pressed: its run, where it is here, else the form with its pair."""
    if run_id is None:
        return
    if data.get_run(run_id) is not None:
        go("live", run=run_id)
    pairs = predictor.pairs
    row = pairs[pairs["run"].astype(str) == run_id].iloc[0]
    go("launch", **pair_query(predictor.data, **{name: str(row[name]) for name in PAIR}))


def _worst(predictor: Predictor) -> None:
    st.markdown("**Predicted worst**, with their runs:")
    for _, row in pair_rows(predictor).head(_WORST).iterrows():
        words = f"{rounded(100 * row['off'], 1, sign='+')} points: {name_of(row)}"
        run = str(row.get("run", ""))
        if run and data.get_run(run) is not None:
            link("live", words, icon=":material/timeline:", run=run)
        else:
            pair = {name: str(row[name]) for name in PAIR}
            link("launch", words, icon=":material/rocket_launch:", **pair_query(predictor.data, **pair))
