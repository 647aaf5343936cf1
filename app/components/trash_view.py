"""The trash: what was deleted, how much room it takes, and the way back or out."""

from __future__ import annotations

from functools import partial

import streamlit as st

from app.backend.marks import KEPT_DAYS, empty_trash, list_trash, restore_runs
from app.components.run_marks import act_on_runs
from app.components.run_state import since
from app.words.markdown import plain
from app.words.sizes import room

__all__ = ["trash_view"]

_SHOWN = 20


def trash_view() -> None:
    """Draw it, folded; what lies in it is looked at when it is opened."""
    part = st.expander("The trash", icon=":material/delete:", key="trash", on_change="rerun")
    if not part.open:
        return
    with part:
        there = list_trash()
        if not there:
            st.caption(f"It is empty. What is deleted can be had back for {KEPT_DAYS} days.")
            return
        taken = room(sum(each.bytes for each in there))
        st.caption(f"{len(there)} run{'' if len(there) == 1 else 's'}, {taken}; each is kept for {KEPT_DAYS} days.")
        for each in there[:_SHOWN]:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f"{plain(each.title)} · deleted {since(each.deleted)}", width="content")
                st.button(
                    "Have it back",
                    key=f"restore_{each.id}",
                    icon=":material/undo:",
                    on_click=act_on_runs,
                    args=(partial(restore_runs, [each.id]),),
                )
        if len(there) > _SHOWN:
            st.caption(f"And {len(there) - _SHOWN} more; `bird trash` lists all.")
        st.button(
            f"Free {taken} for good",
            key="empty_trash",
            icon=":material/delete_forever:",
            on_click=act_on_runs,
            args=(empty_trash,),
        )
