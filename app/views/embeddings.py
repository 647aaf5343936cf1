"""Where do the images sit? Teacher's and student's clouds of the same images, moving as the student trains."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.backend import data
from app.components.drawing_again import draw_again
from app.components.live_chart import show_numbers
from app.components.page_head import page_head
from app.components.players import embedding_methods, embedding_player
from app.components.run_picker import empty_state, pick_run
from app.components.run_state import progress_panel, refresh_seconds, run_badge
from app.components.scrubber import scrubber

__all__ = ["render"]

_UMAP = (
    "**UMAP** (15 neighbours, minimum distance 0.1; each layout starts from the one before, so points move, not jump). "
    "Trust who is *near* whom; how far apart clusters lie, how large they are, and the axes mean nothing."
)
_PCA = (
    "**PCA**: the two directions in which the model's first snapshot varied most, kept for every later step. Distances "
    "are real but flattened: images that overlap here may lie apart in the other dimensions."
)


def render() -> None:
    """Draw the page."""
    page_head(
        "embeddings",
        "Each point is one validation image, placed by how a network sees it: teacher on the left, student on the "
        "right. Point at an image to find it in both; move the step to see the student rearrange.",
    )
    run = pick_run(
        showing={"geometry"},
        nothing=("Nothing to lay out yet", "A transfer records its embeddings as it trains. The demo takes a minute."),
    )
    if run is None:
        return
    pace = refresh_seconds(run)
    st.fragment(_cloud, run_every=pace)(run.id, pace)


def _cloud(run_id: str, pace: float | None) -> None:
    run = data.get_run(run_id)
    if run is None or refresh_seconds(run) != pace:
        draw_again()
    with st.container(horizontal=True, vertical_alignment="center"):
        run_badge(run)
        link("live", "Its curves", icon=":material/timeline:", run=run.id)
    if data.is_active(run):
        progress_panel(run)
    try:
        _draw(run)
    except data.BirdError as error:
        st.error(str(error))


def _draw(run: data.Run) -> None:
    methods = embedding_methods(run)
    if not methods:
        if data.is_active(run):
            with st.container(border=True):
                st.markdown("**The clouds appear here** with the run's first snapshot, a few seconds after it starts.")
        else:
            empty_state("This run has no embedding", "It ended before its first snapshot, or is not a transfer.")
        return
    how = (
        st.segmented_control("Layout", methods, default=methods[0], required=True, key="how", bind="query-params")
        if len(methods) > 1
        else methods[0]
    )
    ready, total = data.embedding_progress(run)
    if ready < total and (data.is_active(run) or data.embeddings_pending(run)):
        stands_in = " PCA stands in until the first ones are there." if len(methods) == 1 else ""
        st.caption(f"UMAP is ready for {ready} of {total} snapshots; this run's are made before others'.{stands_in}")
    with st.container(key="scrubber"):
        scrubber(run, data.metrics(run), key="at_step")
    embedding_player(run, how, key=f"cloud_{how}")
    st.caption(_UMAP if how == "UMAP" else _PCA)
    _numbers(run, how)


def _numbers(run: data.Run, how: str) -> None:
    probes = data.probes(run)
    names = [name for name in data.snapshot_names(run) if data.embedding(run, name, pca=how == "PCA")[1] == how.lower()]
    if probes is None or not names:
        return
    latest = {name.model: name for name in names}
    table = pd.DataFrame({"image": range(1, len(probes["labels"]) + 1)})
    table["class"] = [str(probes["classes"][label]) for label in probes["labels"]]
    for model, name in latest.items():
        points = data.embedding(run, name, pca=how == "PCA")[0]
        table[f"{model} x"], table[f"{model} y"] = points[:, 0], points[:, 1]
    show_numbers(table.round(3), key="embedding_numbers", label=f"{how} of every image at the latest step")
