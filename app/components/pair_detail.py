"""All that is known of one pair of layers: its CKA, what its transfer gained, its scores, and its geometry."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.backend import data, layer_lab
from app.backend.layer_lab import Outcome
from app.charts.outcome_cells import outcome_words
from app.components.html_table import Entry, html_table
from app.components.layer_pair import layer_pair
from app.words.intervals import explained, points, rounded, verdict
from app.words.teachers import written
from bird_backend.measures.attributes import ATTRIBUTES

__all__ = ["Measured", "pair_detail"]

Measured = tuple[data.Run, pd.DataFrame]
"""A finished layer map: its run and its table."""


def pair_detail(
    pair: tuple[str, str],
    *,
    before: Measured,
    after: Measured | None,
    outcome: Outcome | None,
    scores: pd.DataFrame | None,
) -> None:
    """Draw it; `scores` has the columns of `prediction.wide`."""
    rows = [_cka("CKA before", before, pair)]
    if after is not None and _has(after, pair):
        rows.append(_cka("CKA after", after, pair))
    if outcome is not None and outcome.gain is not None:
        told = explained(outcome.gain) if outcome.gain.estimated else ""
        rows.append(("Gain over fine-tuning", Entry(text=f"{points(outcome.gain)} points", remark=told)))
    rows += _scores(scores, pair)
    html_table(label="What is known of this pair", columns=["Measured"], rows=[(name, [entry]) for name, entry in rows])
    if outcome is not None and outcome.gain is not None:
        st.caption(f"Its gain is {verdict(outcome.gain)}.")
    elif outcome is not None:
        words = outcome_words(outcome)
        st.caption(f"{words[0].upper()}{words[1:]}.")
    if outcome is not None and outcome.done:
        with st.container(horizontal=True, gap="small"):
            for run in outcome.done:
                link("live", f"Run, seed {data.spec_of(run).seed}", icon=":material/timeline:", run=run.id)
    first = layer_lab.geometry(before[0])
    if first is None:
        st.caption("This measurement kept no Gram matrices.")
        return
    last = layer_lab.geometry(after[0]) if after is not None and _has(after, pair) else None
    layer_pair(pair, first, last, of=f"{before[0].id} {after[0].id if after is not None else ''}".strip())


def _has(measured: Measured, pair: tuple[str, str]) -> bool:
    return pair[0] in measured[1].index and pair[1] in measured[1].columns


def _cka(name: str, measured: Measured, pair: tuple[str, str]) -> tuple[str, Entry]:
    frame = measured[1]
    null = layer_lab.null_of(frame, pair)
    note = f"with shuffled images {rounded(null, 3)}, n = {frame.attrs['n']}"
    return name, Entry(text=rounded(float(frame[pair[1]].to_dict()[pair[0]]), 3), remark=note)


def _scores(scores: pd.DataFrame | None, pair: tuple[str, str]) -> list[tuple[str, Entry]]:
    if scores is None:
        return []
    own = scores[(scores["teacher_layer"] == pair[0]) & (scores["student_layer"] == pair[1])]
    if own.empty:
        return []
    row = own.iloc[0]
    return [
        (entry.title, Entry(text=written(name, float(row[name]))))
        for name, entry in ATTRIBUTES.items()
        if name in own and name != "cka" and pd.notna(row[name])
    ]
