"""Weights of a role: a card each while they are few, else a table of which a row opens the card."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from app.backend.named_networks import is_network, network_words
from app.backend.weights import Provenance, WeightsFile, trained_for
from app.components.weights_card import weights_card
from app.look.palette import LIGHT
from bird_backend.catalog import title_of

__all__ = ["weights_list"]

_FEW = 8
"""Cards that are still read one by one."""
_MOST_PIXELS = 430


def weights_list(role: str, files: Sequence[WeightsFile]) -> None:
    """Draw it; the row that is chosen is in the address, as `teacher=` or `student=` and the weights' name."""
    if len(files) <= _FEW:
        for file in files:
            weights_card(file)
        return
    names = [file.name for file in files]
    asked = st.query_params.get(role, "")
    chosen = asked if asked in names else names[0]

    def choose() -> None:
        rows = st.session_state[f"_{role}_rows"]["selection"]["rows"]
        if rows:
            st.query_params[role] = names[rows[0]]

    st.caption(f"{len(files)} of them. Choose a row to see where it comes from; a heading sorts.")
    st.dataframe(
        pd.DataFrame(_row(file.name, made) for file in files if (made := file.provenance) is not None),
        hide_index=True,
        column_config={name: _bar(name, role) for name in ("Clean", "Robust")},
        key=f"_{role}_rows",
        on_select=choose,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [names.index(chosen)]}},
        alt=f"All {role}s with what they were trained on and how good they are on test images",
        height=min(38 + 35 * len(files), _MOST_PIXELS),
    )
    weights_card(files[names.index(chosen)])


def _row(name: str, made: Provenance) -> dict[str, object]:
    behaviour = trained_for(made)
    return {
        "Name": name,
        "Clean": made.clean_accuracy,
        "Robust": made.robust_accuracy,
        "Network": network_words(made.model) if is_network(made.model) else made.model,
        "Trained on": title_of(made.data),
        "To withstand": "" if behaviour is None else behaviour.title,
        "Test images": made.n_test,
    }


def _bar(name: str, role: str) -> ColumnConfig:
    return st.column_config.ProgressColumn(
        name,
        help="Of test images." if name == "Clean" else "Of test images under what it was measured against.",
        format="percent",
        min_value=0.0,
        max_value=1.0,
        color=LIGHT.teacher if role == "teacher" else LIGHT.student,
    )
