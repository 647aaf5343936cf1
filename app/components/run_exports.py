"""A run for other programs: what the browser can be given of it, and what a terminal is for."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.backend import data
from app.components.replay import replay
from bird_backend.exports import EXPORTS, export_file

__all__ = ["run_exports"]


def run_exports(run: data.Run) -> None:
    """Draw it; nothing is drawn of a run that has nothing to be taken along."""
    offered = [export for export in EXPORTS.values() if export.has(run)]
    if not offered:
        return
    with st.expander("For other programs", icon=":material/download:"):
        with st.container(horizontal=True):
            for export in offered:
                if export.download is not None:
                    st.download_button(
                        export.title,
                        partial(export_file, run, export.name),
                        file_name=f"{run.id}-{export.download}",
                        icon=":material/download:",
                        key=f"export_{export.name}",
                        on_click="ignore",
                        disabled=not export.is_here,
                        help=export.caption,
                    )
            if data.snapshot_names(run):
                st.download_button(
                    "One page, to open offline",
                    partial(replay, run),
                    file_name=f"{run.id}.html",
                    mime="text/html",
                    icon=":material/slideshow:",
                    key="export_replay",
                    on_click="ignore",
                    help="Slider, curves, Gram matrices, map and table as they are here, in one HTML file.",
                )
        for export in offered:
            if not export.is_here:
                st.caption(export.needs)
            elif export.download is None:
                st.caption(f"To {export.title}, in a terminal: `bird export {run.id} --to {export.name} --out DIR`")
