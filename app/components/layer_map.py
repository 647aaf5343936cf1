"""CKA of every pair of layers as a table to choose from: each cell is a button, by mouse, finger or keyboard."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.address.url_state import put
from app.components.live_chart import mount, palettes

__all__ = ["pickable_layer_map"]


def pickable_layer_map(
    frame: pd.DataFrame, chosen: tuple[str, str], *, of: str, same: tuple[Mapping[str, str], Mapping[str, str]]
) -> None:
    """Draw it; a press puts the pair into the form's `guiding` and `guided`.

    `frame` has a row a teacher layer, a column a student layer; `of` is the run that measured it; `same` says of each
    network which layers are the same as an earlier one.
    """
    mount(
        "bird_layer_map",
        html='<section class="player" aria-label="CKA of every pair of layers"></section>',
        scripts=("theme.js", "sketch.js", "saving.js", "saved_map.js", "layer_map.js"),
        styles=("player.css", "layer_map.css", "tools.css"),
        key="layer_map",
        data={
            "run": of,
            "foot": f"{frame.attrs['estimator']}, {frame.attrs['kernel']} kernel, n = {frame.attrs['n']}",
            "teacher": list(frame.index),
            "student": list(frame.columns),
            "cka": frame.round(4).to_numpy(dtype=float).tolist(),
            "chosen": list(chosen),
            "same": [dict(layers) for layers in same],
            **palettes(),
        },
        on_pick_change=_picked,
    )


def _picked() -> None:
    pair = st.session_state["layer_map"].get("pick")
    if pair:
        put({"guiding": str(pair["teacher"]), "guided": str(pair["student"])})
