"""A study before it is queued: how many runs it is, how long they take, and the button that begins it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app.address.routes import go
from app.backend import data
from app.backend.machine import machine
from app.backend.studies import Plan, already_there, start_study
from app.form.estimates import study_seconds
from bird_backend.durations import exact, rough
from bird_backend.errors import BirdError

__all__ = ["study_plan"]


def study_plan(make: Callable[[], Plan], *, of: object, key: str, label: str) -> None:
    """Draw what `make` plans, what is wrong with it, or its cost and the button `label`, which leaves for its page.

    `of` is all that the plan depends on: while that stays as it is, nothing is planned anew. `key` is the form's.
    """
    plan: Plan | None = None
    try:
        plan, there, seconds = _priced(make, of=repr(of), key=key)
        _says(plan, there, seconds)
    except BirdError as error:
        st.error(str(error), icon=":material/error:")
    pressed = st.button(
        label, key=f"{key}_start", icon=":material/stacked_line_chart:", disabled=plan is None, width="stretch"
    )
    if pressed and plan is not None:
        try:
            study = start_study(plan)
        except BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            go("compare", study=study.id)


def _priced(make: Callable[[], Plan], *, of: str, key: str) -> tuple[Plan, int, float]:
    """The plan, how many of its runs are there already, and the seconds that the others take."""
    asked = (of, data.count_runs())
    kept: tuple[object, tuple[Plan, int, float]] | None = st.session_state.get(f"_{key}_priced")
    if kept is not None and kept[0] == asked:
        return kept[1]
    plan = make()
    there = already_there(plan)
    whole = study_seconds(plan, data.list_runs(kind="transfer", limit=15), machine())
    found = plan, there, whole * (len(plan.asked) - there) / len(plan.asked)
    st.session_state[f"_{key}_priced"] = (asked, found)
    return found


def _says(plan: Plan, there: int, seconds: float) -> None:
    asked = len(plan.asked)
    words = f"{_rows(plan)} × {_count(len(plan.seeds), 'seed')} = **{_count(asked, 'run')}**"
    took = f", **about {rough(seconds)}** on {machine().words}" if there < asked else ""
    again = f"; {there:,} of them {'is' if there == 1 else 'are'} there already and taken as they are" if there else ""
    budget = plan.budget_seconds
    ends = f" It ends after {exact(budget)}, wherever it is then." if budget is not None and budget < seconds else ""
    st.markdown(f"{words}{took}{again}.{ends}")
    for note in plan.notes:
        if "left out" in note:
            st.caption(f":orange[:material/info:] {note}")


def _rows(plan: Plan) -> str:
    trained = len(plan.asked) // len(plan.seeds)
    if plan.preset != "pairs":
        return _count(trained, "variant")
    pairs = sum(variant.role == "contender" for variant in plan.variants)
    random = sum(variant.control == "random-weights" for variant in plan.variants)
    parts = [_count(pairs, "pair"), *([f"{random:,} of random weights"] if random else [])]
    return f"({' + '.join([*parts, _count(trained - pairs - random, 'reference')])})"


def _count(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"
