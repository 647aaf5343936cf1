"""Every teacher's layer as a row with a bar a score: sort by a heading, choose a row, read why, and launch from it."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app.address.routes import link
from app.components.html_table import Entry, html_table
from app.components.relaunch import pair_query
from app.findings.teachers import Scored
from app.look.palette import LIGHT
from app.words.teachers import interval_words, place_words, written
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.prediction import PAIR

__all__ = ["chosen_row", "row_panel", "teacher_table"]

_PREDICTED = "predicted"


def chosen_row(table: pd.DataFrame) -> str:
    """The row that the address names (`row=`), else the first."""
    asked = st.query_params.get("row", "")
    return asked if asked in table.index else str(table.index[0])


def teacher_table(table: pd.DataFrame, why: Mapping[str, str], predicted: pd.DataFrame | None) -> None:
    """Draw it, best first; a row that is chosen goes into the address.

    `table` is that of `Scored`; `predicted` has the columns of `Predictor.predict`, by row, where there is a predictor.
    """
    names = [name for name in ATTRIBUTES if name in table and table[name].notna().any()]
    shown = pd.DataFrame({"Teacher": table["teacher"], "Layer": table["teacher_layer"]})
    columns: dict[str, ColumnConfig | str | None] = {"Teacher": st.column_config.TextColumn(pinned=True)}
    if predicted is not None:
        shown[_PREDICTED] = predicted["predicted"]
        columns[_PREDICTED] = _bar("Predicted", True, predicted["predicted"])
    for name in names:
        shown[name] = table[name]
        columns[name] = (
            st.column_config.NumberColumn(ATTRIBUTES[name].title, help=ATTRIBUTES[name].caption, format="compact")
            if ATTRIBUTES[name].digits == 0
            else _bar(ATTRIBUTES[name].title, ATTRIBUTES[name].share, table[name], help=ATTRIBUTES[name].caption)
        )
    shown["Why"] = [why.get(row, "") for row in table.index]

    def choose() -> None:
        rows = st.session_state["teacher_rows"]["selection"]["rows"]
        if rows:
            st.query_params["row"] = str(table.index[rows[0]])

    st.dataframe(
        shown,
        hide_index=True,
        column_config=columns,
        key="teacher_rows",
        on_select=choose,
        selection_mode="single-row",
        alt="Every teacher's layer with its scores",
        height=min(38 + 35 * len(shown), 430),
    )


def row_panel(
    scored: Scored,
    table: pd.DataFrame,
    row: str,
    *,
    data_name: str,
    options: Mapping[str, str],
    why: str,
    predicted: pd.Series | None,
    choices: Mapping[str, str],
) -> None:
    """All that is known of one row: why, every score with its interval and its place, and the way to run it.

    `choices` is by a network's name what the launch form calls it.
    """
    st.header(row, anchor=False)
    if why:
        st.markdown(why)
    if predicted is not None:
        st.markdown(_foretold(predicted))
    known = [(name, scored.score(row, name, options.get(name))) for name in scored.attributes]
    html_table(
        label=f"Every score of {row}",
        columns=["Score", "Random weights", "Place"],
        rows=[
            (
                ATTRIBUTES[name].title,
                [
                    Entry(text=written(name, score.value), note=interval_words(name, score)),
                    Entry(text="–" if score.random is None else written(name, score.random)),
                    Entry(text=place_words(table, row, name)),
                ],
            )
            for name, score in known
            if score is not None
        ],
    )
    most = max((score.n for _, score in known if score is not None), default=0)
    st.caption(
        f"With 95 % intervals over up to {most:,} images, where there are any. Places are of {len(table)} layers, the "
        "highest first; equal ones share a place."
    )
    pair = {name: str(table.loc[row, name]) for name in PAIR}
    pair |= {role: choices.get(pair[role], pair[role]) for role in ("teacher", "student")}
    link("launch", "Transfer from this layer", icon=":material/rocket_launch:", **pair_query(data_name, **pair))


def _foretold(predicted: pd.Series) -> str:
    low, high = (f"{100 * predicted[end]:.1f}" for end in ("low", "high"))
    said = f"Predicted **{100 * predicted['predicted']:.1f} %** (95 % of new runs: {low} to {high} %)."
    outside = predicted["outside"]
    return said if not outside else f"{said} :orange[**Outside what it was fitted on.** {outside}]"


def _bar(title: str, share: bool, values: pd.Series, *, help: str | None = None) -> ColumnConfig:
    low, high = float(values.min()), float(values.max())
    return st.column_config.ProgressColumn(
        title,
        help=help,
        format="percent" if share else "%.3f",
        min_value=min(0.0, low),
        max_value=high if high > min(0.0, low) else min(0.0, low) + 1.0,
        color=LIGHT.teacher,
    )
