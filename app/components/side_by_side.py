"""Two runs seen: their Gram matrices and maps side by side under one scrubber."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.backend import data
from app.components.players import embedding_pair, gram_player
from app.components.scrubber import shared_scrubber
from bird_backend.experiments import KINDS

__all__ = ["clock_of", "matrices_and_maps", "seen_together"]

_MOST = 2


def seen_together(runs: Mapping[str, data.Run]) -> dict[str, data.Run]:
    """The first two of the runs by name that have a geometry to see."""
    drawn = {
        name: run
        for name, run in runs.items()
        if "geometry" in KINDS[run.kind].shows
        and any(shot.model == data.arm_of(run) for shot in data.snapshot_names(run))
    }
    return dict(list(drawn.items())[:_MOST])


def clock_of(runs: Mapping[str, data.Run]) -> str:
    """The name of the scrubber that they are under."""
    return " ".join(run.id for run in runs.values())


def matrices_and_maps(runs: Mapping[str, data.Run]) -> None:
    """Draw both runs; each as its own method's student was at the step, or at its nearest snapshot."""
    clock = clock_of(runs)
    st.header(
        f"What do {' and '.join(runs)} look like inside?",
        anchor=False,
        help="Each run's own method, at the step of the slider or the nearest snapshot. Colours of a Gram matrix "
        "are of its own run's range.",
    )
    with st.container(key="scrubber"):
        shared_scrubber(runs, clock, key="pair_step")
    for (name, run), column in zip(runs.items(), st.columns(len(runs), gap="medium"), strict=True):
        with column:
            st.markdown(f"**{name}**")
            gram_player(run, data.metrics(run), key=f"grams_{name}", clock=clock, student=data.arm_of(run))
    if embedding_pair(runs, clock=clock):
        st.caption(
            "**PCA** of each student, on axes of its first snapshot; the second map is turned onto the first and both "
            "have one scale, so a distance is as long in either."
        )
    else:
        st.caption("Their maps are of different numbers of images, so they have no common space.")
