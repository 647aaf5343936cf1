"""The files that were dropped here, what still needs each, and the button that deletes it."""

from __future__ import annotations

import time

import streamlit as st

from app.address.routes import link
from app.backend.data import BirdError
from app.backend.kept_files import KeptFile, forget, kept_files
from app.words.markdown import plain
from app.words.sizes import room

__all__ = ["kept_files_section"]

_MOST_NAMED = 5


def kept_files_section() -> None:
    """Draw it; nothing is drawn where nothing is kept."""
    if said := st.session_state.pop("_deleted", None):
        st.toast(said, icon=":material/check:")
    if said := st.session_state.pop("_not_deleted", None):
        st.error(said, icon=":material/error:")
    there = kept_files()
    if not there:
        return
    with st.expander(f"Files that were dropped here take {room(sum(file.bytes for file in there))}"):
        st.caption(
            "They are copies on the machine that runs this app: yours stay where they are. Weights that were "
            "recognised are kept as weights of their own and need their file no more."
        )
        for file in there:
            _row(file)


def _row(file: KeptFile) -> None:
    left, right = st.columns([3, 1], vertical_alignment="center")
    day = time.strftime("%d %B %Y", time.localtime(file.kept)).lstrip("0")
    needed = f" · {_runs(len(file.runs))} {'names' if len(file.runs) == 1 else 'name'} it" if file.runs else ""
    left.markdown(f"**{plain(file.title)}** · {room(file.bytes)} · dropped {day}{needed}")
    with right:
        if file.at_work is not None:
            st.button(
                "In use",
                key=f"delete_{file.name}",
                disabled=True,
                help=f"{plain(file.at_work.title)} works on it or waits to.",
                width="stretch",
            )
            return
        with st.popover("Delete", icon=":material/delete:", width="stretch", key=f"asks_{file.name}"):
            _asked(file)


def _asked(file: KeptFile) -> None:
    """What goes, and what can't be done again without it, before anything is gone."""
    training = [run for run in file.runs if run.kind not in ("convert", "inspect", "gallery")]
    st.markdown(f"Delete **{plain(file.title)}** and free **{room(file.bytes)}**?")
    if training:
        st.markdown(
            f"{_runs(len(training))} on it {'needs' if len(training) == 1 else 'need'} it to be resumed or run again; "
            "until the same file is dropped again, that fails. Results stay."
        )
        for run in training[:_MOST_NAMED]:
            link("live", plain(run.title), icon=":material/timeline:", run=run.id)
    st.button("Yes, delete it", key=f"delete_{file.name}_yes", type="primary", on_click=_delete, args=(file.name,))


def _delete(name: str) -> None:
    try:
        st.session_state["_deleted"] = f"{room(forget(name))} freed."
    except BirdError as error:
        st.session_state["_not_deleted"] = str(error)


def _runs(count: int) -> str:
    return f"{count:,} run{'' if count == 1 else 's'}"
