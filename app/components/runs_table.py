"""Runs as a table of chosen columns, of which rows are chosen to be compared, marked or deleted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.backend import data
from app.backend.marks import known_tags, mark_runs
from app.components.run_marks import act_on_runs, delete_with_undo
from app.components.run_state import result_word
from bird_backend.experiments import KINDS, TransferSpec
from bird_backend.measures.figures import FIGURES, read_figure
from bird_backend.transfer import METHODS

__all__ = ["COLUMNS", "USUAL", "runs_table"]


def _spec(run: data.Run) -> Any:
    try:
        return data.spec_of(run)
    except data.BirdError:
        return None  # its spec is gone or damaged, which its page says


def _method(run: data.Run) -> str:
    spec = _spec(run)
    return METHODS[spec.method.name].title if isinstance(spec, TransferSpec) else ""


def _figure(name: str) -> Callable[[data.Run], float | None]:
    def read(run: data.Run) -> float | None:
        summary = run.summary or {}
        found = read_figure(summary, str(summary.get("after", "")), name)
        return None if found is None else FIGURES[name].unit.scale * found.value

    return read


_PLAIN: Mapping[str, tuple[str, Callable[[data.Run], Any]]] = {
    "state": ("State", lambda run: result_word(run.state)),
    "kind": ("Kind", lambda run: KINDS[run.kind].label),
    "created": ("Asked for", lambda run: datetime.fromtimestamp(run.created, UTC)),
    "method": ("Method", _method),
    "data": ("Data", lambda run: getattr(_spec(run), "data", "")),
    "seed": ("Seed", lambda run: getattr(_spec(run), "seed", None)),
    "tags": ("Tags", lambda run: list(run.marks.tags)),
    "notes": ("Notes", lambda run: run.marks.notes),
    "seconds": ("Took, s", lambda run: (run.summary or {}).get("seconds")),
    "device": ("Device", lambda run: run.device or ""),
    "id": ("Name in a command", lambda run: run.id),
}
_FIGURES = {name: figure for name, figure in FIGURES.items() if name not in _PLAIN}
COLUMNS: Mapping[str, str] = {name: title for name, (title, _) in _PLAIN.items()} | {
    name: figure.heading for name, figure in _FIGURES.items()
}
"""What can be shown beside a run's title, by name."""
USUAL = ("state", "kind", "created", "method", "seed", "robust", "gain", "tags")


def runs_table(runs: Sequence[data.Run], columns: Sequence[str]) -> None:
    """Draw it; what is done with the chosen rows stands beneath."""
    shown: dict[str, list[Any]] = {"★": ["★" if run.marks.starred else "" for run in runs]}
    shown["Run"] = [run.title for run in runs]
    for name in columns:
        read = _PLAIN[name][1] if name in _PLAIN else _figure(name)
        shown[COLUMNS[name]] = [read(run) for run in runs]
    picked = st.dataframe(
        pd.DataFrame(shown),
        hide_index=True,
        key=f"runs_table_{runs[0].id}_{runs[-1].id}",
        on_select="rerun",
        selection_mode="multi-row",
        height=min(38 + 35 * len(runs), 730),
        column_config=_config(columns),
        alt="Runs with their figures, newest first",
    )
    chosen = [runs[row] for row in picked["selection"]["rows"] if row < len(runs)]
    if chosen:
        _actions(chosen)
    else:
        st.caption("Press a column's name to sort by it, and the boxes before rows to act on them.")


def _config(columns: Sequence[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "★": st.column_config.TextColumn("★", width=32, help="Starred."),
        "Run": st.column_config.TextColumn(width="large", pinned=True),
        "Asked for": st.column_config.DatetimeColumn(format="localized"),
        "Took, s": st.column_config.NumberColumn(format="%.0f"),
        "Tags": st.column_config.ListColumn(),
    }
    for name in columns:
        if name in _FIGURES:
            figure = _FIGURES[name]
            found[figure.heading] = st.column_config.NumberColumn(
                format=f"%.{figure.unit.digits}f", help=figure.explained
            )
    return found


def _actions(chosen: Sequence[data.Run]) -> None:
    ids = [run.id for run in chosen]
    st.markdown(f"**{len(ids)} {'run' if len(ids) == 1 else 'runs'} chosen**")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if len(ids) == 1:
            link("live", "Open", icon=":material/timeline:", run=ids[0])
        elif all("curves" in KINDS[run.kind].shows for run in chosen):
            link("compare", "Compare", icon=":material/stacked_line_chart:", of="runs", runs=",".join(ids))
        starred = all(run.marks.starred for run in chosen)
        _act("Take the stars" if starred else "Star", ":material/star:", mark_runs, ids, starred=not starred)
        archived = all(run.marks.archived for run in chosen)
        label = "Back to the lists" if archived else "Archive"
        _act(label, ":material/archive:", mark_runs, ids, archived=not archived)
        finished = not any(data.is_active(run) for run in chosen)
        st.button(
            "Delete",
            key="delete_chosen",
            icon=":material/delete:",
            disabled=not finished,
            on_click=delete_with_undo,
            args=(ids,),
            help="Into the trash, with undo." if finished else "Some of these are under way; stop them first.",
        )
    tag = st.selectbox(
        "Give these a tag",
        list(known_tags()),
        index=None,
        key="tag_chosen",
        accept_new_options=True,
        placeholder="one there is, or a new one",
        width=320,
    )
    if tag:
        st.button(
            f"Tag {len(ids)} with “{tag}”",
            key="tag_these",
            icon=":material/sell:",
            on_click=act_on_runs,
            args=(partial(mark_runs, ids, tags=(tag,)),),
        )


def _act(label: str, icon: str, act: Callable[..., object], ids: Sequence[str], **changes: bool) -> None:
    key = f"{next(iter(changes))}_chosen"
    st.button(label, key=key, icon=icon, on_click=act_on_runs, args=(partial(act, ids, **changes),))
