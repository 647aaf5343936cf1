"""Which run a page shows: its name is in the URL and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import streamlit as st

from app.address.kept import VIEW, keep, recall, view_of
from app.address.routes import go, link
from app.backend import data
from app.components.address_list import address_list
from app.components.drawing_again import draw_again
from app.components.run_state import result_word, since
from bird_backend.experiments import KINDS, Shown

__all__ = ["empty_state", "latest_of", "pick_run", "run_label"]


def run_label(run: data.Run) -> str:
    """A run in one line, told apart by the end of its id."""
    return f"{run.title} · {result_word(run.state).lower()} · {since(run.created)} · {run.id[-4:]}"


def empty_state(title: str, sentence: str, *, demo: bool = True) -> None:
    """What a page says when it has nothing to show, with the next step on top."""
    with st.container(border=True, horizontal_alignment="center", key="empty_state"):
        st.header(title, anchor=False)
        st.markdown(sentence)
        with st.container(horizontal=True, gap="medium"):
            pressed = demo and st.button("Run the demo transfer", type="primary", icon=":material/play_arrow:")
            link("launch", "Set up a transfer", icon=":material/rocket_launch:")
        if pressed:
            _start_demo()


def pick_run(*, showing: Collection[Shown], nothing: tuple[str, str]) -> data.Run | None:
    """The run that the URL names, else the one looked at last, else the newest fitting one that has begun.

    Draws the picker. None, with a designed message, where there is none. Fitting are the kinds of run that have any of
    `showing` to show; `nothing` is the title and sentence for when there is no fitting run at all.
    """
    recall("view", VIEW)
    asked = st.query_params.get("run")
    kinds = [kind.name for kind in KINDS.values() if kind.shows & set(showing)]
    fitting = data.list_runs(kinds)
    listed = len(fitting)
    if asked:
        run = data.get_run(asked)
        if run is None:
            _unknown(asked, fitting)
            return None
        if run.id not in {other.id for other in fitting}:
            fitting = [run, *fitting]
    elif fitting:
        begun = [run for run in fitting if run.state != "queued"]
        run = next((run for run in begun if not KINDS[run.kind].answers_form), (begun or fitting)[0])
        # So that the address, reloaded or sent to someone, goes on showing this run when newer ones have come.
        st.query_params["run"] = run.id
    else:
        empty_state(*nothing)
        return None
    left_out = data.count_runs(kinds) - listed
    if address_list(
        "run",
        {other.id: run_label(other) for other in fitting},
        run.id,
        label="Run",
        key="_picked_run",
        label_visibility="collapsed",
        # What was looked at in one run (a step, a student) means nothing in another.
        forget=VIEW[1:],
        beyond=f"{left_out:,} older ones: see all runs" if left_out else "",
    ):
        go("runs")
    keep("view", view_of(run.id))
    return run


def latest_of(shown: int, total: int, *, what: str = "runs") -> None:
    """What a list that ends says of the rest, and the way there; nothing where it has all."""
    if shown < total:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"The latest {shown:,} of {total:,} {what}.", width="content")
            link("runs", "All runs", icon=":material/list:")


def _unknown(asked: str, fitting: Sequence[data.Run]) -> None:
    with st.container(border=True, key="unknown_run"):
        st.header("There is no such run", anchor=False)
        st.markdown(f"The address asks for `{asked[:60].replace('`', '')}`, which is not in this home's list of runs.")
        for run in fitting[:5]:
            if st.button(run_label(run), key=f"open_{run.id}", type="tertiary", icon=":material/arrow_forward:"):
                st.query_params["run"] = run.id
                draw_again()
        link("runs", "All runs", icon=":material/list:")


def _start_demo() -> None:
    try:
        run = data.start_demo()
    except data.BirdError as error:
        st.error(str(error))
    else:
        go("live", run=run.id)
