"""What people say of a run, and where they say it: name, star, tags, notes, archive, and deleting with undo."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from app.backend import data
from app.backend.marks import KEPT_DAYS, delete_runs, known_tags, mark_runs, restore_runs
from app.words.markdown import plain

__all__ = ["act_on_runs", "delete_with_undo", "marks_line", "marks_popover", "undo_bar"]

_DELETED, _FAILED = "_deleted_runs", "_marking_failed"


def marks_line(run: data.Run) -> None:
    """Its tags, and the first line of its notes; nothing of a run that has neither."""
    marks = run.marks
    if not (marks.tags or marks.notes or marks.archived):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if marks.archived:
            st.badge("Archived", color="gray", icon=":material/archive:")
        for tag in marks.tags:
            st.badge(plain(tag), color="violet", icon=":material/sell:")
        if marks.notes:
            first, *more = marks.notes.splitlines()
            st.caption(f"{plain(first)}{' …' if more else ''}", width="content")


def marks_popover(run: data.Run) -> None:
    """A button with a form in which all of it is said; it is drawn when it is opened."""
    popover = st.popover(
        "Mark",
        icon=":material/star:" if run.marks.starred else ":material/edit_note:",
        type="tertiary",
        key=f"marks_{run.id}",
        on_change="rerun",
        help="Rename, star, tag, note, archive or delete this run.",
    )
    if not popover.open:
        return
    marks = run.marks
    with popover:
        with st.container(horizontal=True, gap="small"):
            _button(run, "Take the star" if marks.starred else "Star", ":material/star:", starred=not marks.starred)
            _button(
                run,
                "Back to the lists" if marks.archived else "Archive",
                ":material/archive:",
                archived=not marks.archived,
            )
            if not data.is_active(run):
                st.button(
                    "Delete",
                    key=f"delete_{run.id}",
                    icon=":material/delete:",
                    on_click=delete_with_undo,
                    args=([run.id],),
                    help=f"It can be had back for {KEPT_DAYS} days.",
                )
        with st.form(key=f"say_{run.id}", border=False):
            st.text_input("Name", marks.name, placeholder=run.title, max_chars=120, key=f"name_{run.id}")
            tags = sorted({*known_tags(), *marks.tags}, key=str.casefold)
            st.multiselect("Tags", tags, list(marks.tags), accept_new_options=True, key=f"tags_{run.id}")
            st.text_area("Notes", marks.notes, max_chars=20_000, help="Markdown.", key=f"notes_{run.id}")
            st.form_submit_button("Keep", icon=":material/check:", type="primary", on_click=_keep, args=(run,))
        if said := st.session_state.pop(_FAILED, None):
            st.error(said, icon=":material/error:")


def _keep(run: data.Run) -> None:
    name, tags, notes = (st.session_state[f"{field}_{run.id}"] for field in ("name", "tags", "notes"))
    gone = [tag for tag in run.marks.tags if tag not in tags]
    act_on_runs(partial(mark_runs, [run.id], name=name, notes=notes, tags=tuple(tags), without_tags=tuple(gone)))


def _button(run: data.Run, label: str, icon: str, **changes: bool) -> None:
    st.button(
        label,
        key=f"mark_{next(iter(changes))}_{run.id}",
        icon=icon,
        on_click=act_on_runs,
        args=(partial(mark_runs, [run.id], **changes),),  # type: ignore[arg-type]
    )


def act_on_runs(act: Callable[[], object]) -> None:
    """Do it; what is wrong is said by `undo_bar`."""
    try:
        act()
    except data.BirdError as error:
        st.session_state[_FAILED] = str(error)


def delete_with_undo(run_ids: Sequence[str]) -> None:
    """Move runs to the trash; `undo_bar` offers them back."""

    def delete() -> None:
        st.session_state[_DELETED] = [gone.id for gone in delete_runs(run_ids)]

    act_on_runs(delete)


def undo_bar() -> None:
    """What was deleted just now with the way back, and what could not be done; nothing where there is neither."""
    if said := st.session_state.pop(_FAILED, None):
        st.error(said, icon=":material/error:")
    gone: list[str] = st.session_state.get(_DELETED, [])
    if not gone:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="undo_bar"):
        what = "The run is" if len(gone) == 1 else f"{len(gone)} runs are"
        st.markdown(f"**{what} in the trash**, for {KEPT_DAYS} days.", width="content")
        st.button("Undo", key="undo_delete", type="primary", icon=":material/undo:", on_click=_undo)
        st.button("All right", key="forget_delete", type="tertiary", on_click=st.session_state.pop, args=(_DELETED,))


def _undo() -> None:
    act_on_runs(lambda: restore_runs(st.session_state.pop(_DELETED, [])))
