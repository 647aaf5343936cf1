"""A number for every pair of layers as a table to choose from: each cell is a button, stages fold, by key as well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict

import streamlit as st

from app.charts.layer_cells import Cells, stages_of
from app.components.live_chart import file_name, mount, palettes
from bird_backend.catalog import ModelFacts

__all__ = ["layer_matrix"]

Folded = Mapping[str, tuple[str, ...]]
"""By role, `teacher` and `student`, the stages that only their last layer stands for."""


def layer_matrix(
    cells: Cells,
    facts: tuple[ModelFacts, ModelFacts],
    chosen: tuple[str, str],
    *,
    of: str,
    key: str,
    pick: Callable[[str, str], None],
    fold: Callable[[Folded], None] | None = None,
    folded: Folded | None = None,
    follows: bool = False,
    mean_pooled: bool = True,
    invites: str = "Press to choose this pair.",
) -> None:
    """Draw it; `pick` is told the teacher's and the student's layer of a cell that was pressed.

    `facts` are the teacher's and the student's; `of` names what was measured, in a saved picture too. `fold` is told
    the stages that are folded; without it they stay so in the browser alone. `follows`: arrow keys choose as they move.
    `mean_pooled`: a layer that pooling makes the same as an earlier one is said to be.
    """

    def picked() -> None:
        pair = st.session_state[key].get("pick")
        if pair:
            pick(str(pair["teacher"]), str(pair["student"]))

    def changed() -> None:
        stages = st.session_state[key].get("fold")
        if stages and fold is not None:
            fold({role: tuple(map(str, stages[role])) for role in ("teacher", "student")})

    sides = {
        role: {
            "stages": stages_of(side, list(layers), same=side.same_pooled if mean_pooled else {}),
            "folded": list((folded or {}).get(role, ())),
        }
        for role, side, layers in zip(
            ("teacher", "student"), facts, (cells.numbers.index, cells.numbers.columns), strict=True
        )
    }
    mount(
        "bird_layer_matrix",
        html='<section class="player" aria-label="Layers of the teacher and of the student"></section>',
        scripts=("theme.js", "sketch.js", "saving.js", "saved_matrix.js", "layer_matrix.js"),
        styles=("player.css", "layer_matrix.css", "tools.css"),
        key=key,
        data={
            "run": of,
            "title": cells.title,
            "foot": cells.foot,
            "file": file_name(of, cells.title),
            **sides,
            "cells": [[asdict(cell) for cell in row] for row in cells.cells],
            "scale": cells.scale,
            "ends": list(cells.ends) if cells.ends else None,
            "chosen": list(chosen),
            "follows": follows,
            "invites": invites,
            **palettes(),
        },
        on_pick_change=picked,
        on_fold_change=changed,
    )
