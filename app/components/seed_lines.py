"""What other seeds say of the same choices, or a calm word that there is one seed so far and how to get more."""

from __future__ import annotations

import shlex

import streamlit as st

from app.backend import data
from app.findings.seeds import Siblings, figure_over_seeds, seed_documents, seeds_of, siblings
from app.words.intervals import points, verdict
from bird_backend.experiments import KINDS
from bird_backend.measures import Interval

__all__ = ["seed_lines"]


def seed_lines(run: data.Run, known: Siblings, gain: Interval | None) -> None:
    """Draw them; `known` are the run's siblings, `gain` is its own."""
    runs = known.done
    seeds = ", ".join(str(seed) for seed in seeds_of(runs))
    together = figure_over_seeds(runs, "gain")
    if together is not None and gain is not None:
        st.markdown(
            f"Over **{len(runs)} seeds** ({seeds}) the mean gain is **{points(together)} points**: "
            f"{verdict(together)}. That interval is over seeds (95 %, Student's t); the one above is over the images "
            "of this one run."
        )
    elif len(runs) > 1:
        st.markdown(f"There are {len(runs)} seeds of this ({seeds}); the table has their means.")
    if under_way := len(known.coming):
        st.caption(f"{under_way} more with other seeds {'is' if under_way == 1 else 'are'} queued or running.")
        return
    if len(runs) >= 3 or KINDS[run.kind].recorded:
        return
    more = seed_documents(run, known, 2)
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.caption(
            f"One seed ({seeds}) so far; another would move these numbers."
            if len(runs) < 2
            else "Two seeds make a very wide interval; two more would narrow it.",
            width="content",
        )
        st.button(
            f"Queue seeds {more[0]['seed']} and {more[1]['seed']}",
            icon=":material/casino:",
            key="queue_seeds",
            on_click=_queue,
            args=(run.id,),
        )
        with st.popover("As a command", type="tertiary", icon=":material/terminal:"):
            st.code("\n".join(_command(run, document["seed"]) for document in more), language="bash")
    if said := st.session_state.pop("_seeds_failed", None):
        st.error(said)


def _command(run: data.Run, seed: int) -> str:
    spec = shlex.quote(str(run.directory.path / "spec.json"))
    save = " --set save_as=null" if getattr(data.spec_of(run), "save_as", None) else ""
    return f"python -m bird_backend submit {spec} --set seed={seed}{save}"


def _queue(run_id: str) -> None:
    run = data.get_run(run_id)
    if run is None:
        return
    try:
        for document in seed_documents(run, siblings(run), 2):
            data.submit(document)
    except data.BirdError as error:
        st.session_state["_seeds_failed"] = str(error)
