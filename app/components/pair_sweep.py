"""From a pair of layers to its transfer, or to a study of a row, a column, the diagonal or the most promising pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.address.routes import go, link
from app.backend import data
from app.backend.layer_lab import plan_pairs
from app.backend.machine import machine
from app.backend.studies import Plan, already_there, start_study
from app.components.drawing_again import draw_again
from app.form.estimates import estimate, study_seconds
from app.words.recipes import recipe_words
from bird_backend.durations import rough
from bird_backend.errors import BirdError
from bird_backend.experiments import TransferSpec

__all__ = ["launch_pair", "promising", "sweep"]

Pair = tuple[str, str]
_SWEEPS = {
    "row": "This teacher layer with every student layer",
    "column": "Every teacher layer with this student layer",
    "diagonal": "Each student layer with the teacher's as deep",
    "promising": "The most promising pairs",
    "all": "Every pair",
}


def launch_pair(base: TransferSpec, pair: Pair, query: Mapping[str, str]) -> None:
    """Draw the button that transfers through `pair` as `base` does; `query` opens the launch form with the pair."""
    document = _through(base, pair)
    try:
        spec = TransferSpec.model_validate(document)
        guess = estimate(spec, data.list_runs(kind="transfer", limit=30), machine())
    except (BirdError, ValueError) as error:
        st.error(str(error), icon=":material/error:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        pressed = st.button(
            f"Transfer through this pair ({rough(guess.seconds)})",
            type="primary",
            icon=":material/rocket_launch:",
            key="lab_launch",
            help=f"{recipe_words(base)}, beside fine-tuning with the same seed. {guess.basis.capitalize()}.",
        )
        link("launch", "Change something first", icon=":material/tune:", **query)
    if pressed:
        try:
            run = data.submit(document, reuse=True)
        except BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            go("live", run=run.id)


def promising(values: pd.DataFrame, count: int, *, highest: bool) -> list[Pair]:
    """The `count` pairs of the highest (or lowest) value that is known, equal ones in the order of the table."""
    known = [
        (float(value), row, column)
        for row, line in zip(values.index, values.to_numpy(dtype=float), strict=True)
        for column, value in zip(values.columns, line, strict=True)
        if value == value  # noqa: PLR0124 - not missing
    ]
    known.sort(key=lambda entry: -entry[0] if highest else entry[0])
    return [(str(row), str(column)) for _, row, column in known[:count]]


def sweep(
    base: TransferSpec,
    pair: Pair,
    *,
    layers: tuple[Sequence[str], Sequence[str]],
    rules: Mapping[str, tuple[pd.DataFrame, bool]],
) -> None:
    """Draw the choice of pairs, seeds and total time, and the button that begins them as one study.

    `rules` are what promising pairs go by: a value of every pair, and whether the highest promises most.
    """
    offered = {name: words for name, words in _SWEEPS.items() if name != "promising" or rules}
    kind = st.selectbox("Or several at once, as one study", list(offered), format_func=offered.__getitem__, key="sweep")
    if kind == "promising":
        left, right = st.columns([2, 1], vertical_alignment="bottom")
        rule = left.selectbox(
            "By", list(rules), key="sweep_by", help="How far such a rule can be trusted is what the chart below shows."
        )
        count = right.number_input("Pairs", min_value=1, max_value=400, value=5, step=1, key="sweep_count")
        values, highest = rules[str(rule)]
        pairs = promising(values, int(count), highest=highest)
    else:
        pairs = _pairs(str(kind), pair, layers)
    seeds = int(
        st.number_input(
            "Seeds",
            min_value=1,
            max_value=20,
            value=1,
            step=1,
            key="sweep_seeds",
            help="From two on each gain has an interval over seeds; with one it is over test images alone.",
        )
    )
    try:
        plan = plan_pairs(base, pairs, seeds=seeds)
    except BirdError as error:
        st.error(str(error), icon=":material/error:")
        return
    _says(plan, pairs)
    if st.button("Start the sweep", icon=":material/grid_view:", key="sweep_start", width="stretch"):
        try:
            start_study(plan)
        except BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.query_params["show"] = "gain"
            draw_again()


def _pairs(kind: str, pair: Pair, layers: tuple[Sequence[str], Sequence[str]]) -> list[Pair]:
    guiding, guided = layers
    match kind:
        case "row":
            return [(pair[0], column) for column in guided]
        case "column":
            return [(row, pair[1]) for row in guiding]
        case "diagonal":
            last = max(len(guided) - 1, 1)
            return [(guiding[round(at / last * (len(guiding) - 1))], name) for at, name in enumerate(guided)]
    return [(row, column) for row in guiding for column in guided]


def _through(base: TransferSpec, pair: Pair) -> dict[str, Any]:
    document = base.model_dump(mode="json")
    document["method"] |= {"pairs": [{"teacher": pair[0], "student": pair[1]}]}
    return document | {"title": "", "baseline": True, "save_as": None}


def _says(plan: Plan, pairs: Sequence[Pair]) -> None:
    asked, there = len(plan.asked), already_there(plan)
    seconds = study_seconds(plan, data.list_runs(kind="transfer", limit=15), machine()) * (asked - there) / asked
    count = f"**{len(pairs)} pair{'s' if len(pairs) > 1 else ''}** and fine-tuning, {asked} runs in all"
    again = f", {there} of them there already" if there else ""
    took = f": **about {rough(seconds)}** on {machine().words}" if there < asked else ""
    st.markdown(f"{count}{again}{took}.")
    st.caption(" · ".join(f"{row} → {column}" for row, column in pairs[:12]) + (" …" if len(pairs) > 12 else ""))
