"""Rows of a ranking run as a study of pairs: what the scores promise, put to the test with one button."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from app.backend import data
from app.backend.studies import plan_pairs
from app.components.pairs_starter import pair_settings
from app.components.study_plan import study_plan
from bird_backend.experiments import RankSpec
from bird_backend.specs import ModelRef

__all__ = ["ranked_study"]

_BEST = 5


def ranked_study(spec: RankSpec, table: pd.DataFrame, *, layer: str, by: str, row: str) -> None:
    """Draw it for a ranking's `table`, best first by the score called `by`, at the student's `layer`.

    `row` is the one that is looked at. The button leaves for the study's page.
    """
    part = st.expander(
        "Are the scores right? Run these as a study",
        icon=":material/stacked_line_chart:",
        key="ranked_study",
        on_change="rerun",
    )
    if not part.open:
        return  # what is not looked at is not planned either
    with part:
        rows = [str(name) for name in table.index]
        chosen = _chosen(rows, table, key=f"_ranked_{spec.data}_{layer}", by=by, row=row)
        settings = pair_settings("ranked", epochs=int(data.demo_document()["training"]["epochs"]))
        if not chosen:
            st.caption(":orange[Choose at least one of the teachers’ layers.]")
            return
        document = _document(spec, settings.epochs)
        by_title = {ref.title: ModelRef(model=ref.model, weights=ref.weights) for ref in spec.teachers}
        layers: dict[ModelRef, list[tuple[str, str]]] = {}
        for name in chosen:
            teacher = by_title[str(table.loc[name, "teacher"])]
            layers.setdefault(teacher, []).append((str(table.loc[name, "teacher_layer"]), layer))
        study_plan(
            lambda: plan_pairs(
                document,
                teachers=list(layers),
                layers=layers,
                seeds=settings.seeds,
                random_teachers=settings.random_teachers,
                budget_seconds=settings.budget_seconds,
            ),
            of=(document, layers, settings),
            key="ranked",
            label="Run these as a study",
        )


def _chosen(rows: list[str], table: pd.DataFrame, *, key: str, by: str, row: str) -> list[str]:
    """Draw the choice of rows, and the usual choices as buttons."""
    st.session_state[key] = [name for name in st.session_state.get(key, rows[:_BEST]) if name in rows]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption("Choose", width="content")
        usual = {
            f"The best {_BEST} by {by.lower()}": rows[:_BEST],
            "Each teacher’s best": [str(name) for name in table.groupby("teacher", sort=False).head(1).index],
            "The row above": [row],
            f"All {len(rows)}": rows,
        }
        for place, (label, these) in enumerate(usual.items()):
            st.button(label, key=f"ranked_usual_{place}", on_click=_choose, args=(key, these))
    return st.multiselect("Teachers’ layers", rows, key=key, placeholder="Those that are to be tried")


def _choose(key: str, rows: Sequence[str]) -> None:
    st.session_state[key] = list(rows)


def _document(spec: RankSpec, epochs: int | None) -> dict[str, Any]:
    """The demo's transfer on the ranking's data and behaviour, for its student."""
    demo = data.demo_document()
    asked = spec.model_dump(mode="json", include={"data", "image_size", "behaviour", "device"})
    student = {"model": spec.student.model, "weights": spec.student.weights}
    teacher = {"model": spec.teachers[0].model, "weights": spec.teachers[0].weights}
    return {
        **demo,
        **asked,
        "title": "",
        "teacher": teacher,
        "student": student,
        "training": {**demo["training"], "epochs": epochs},
    }
