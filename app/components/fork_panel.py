"""Forking a run from the step that is looked at: what to change from there, what it means, and off it goes."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.address.routes import go, link
from app.backend import data
from app.backend.forks import ForkPoint, Planned, fork, kept_checkpoints, parent, plan_fork, points
from app.charts.frame import arm as look_of
from app.components.relaunch import launch_query
from app.form.further import differences, setting_text
from app.words.sizes import room
from bird_backend import catalog
from bird_backend.experiments import TransferSpec
from bird_backend.transfer import METHODS

__all__ = ["fork_popover", "fork_words"]

_SAID = {"training.epochs": "epochs", "training.lr": "learning rate", "method.beta": "beta", "method.alpha": "alpha"}
_OF_EVERY_FORK = ("title", "save_as", "fork")


def fork_popover(run: data.Run) -> None:
    """A button at the step that the scrubber shows; nothing where the run has no checkpoint to go on from."""
    spec = data.spec_of(run)
    if not isinstance(spec, TransferSpec) or not (found := points(run)):
        return
    here = _nearest(run, found)
    opened = st.popover(
        f"Fork at step {here.step:,}",
        icon=":material/call_split:",
        key="fork",
        on_change="rerun",
        help="Go on from here as a new run, with other settings.",
    )
    if opened.open:
        with opened:
            _form(run, spec, here, [each.step for each in found if each.arm == here.arm])


def fork_words(run: data.Run) -> None:
    """Of a forked run where it comes from, and in what it differs from there on."""
    spec, origin = data.spec_of(run), parent(run)
    if not isinstance(spec, TransferSpec) or spec.fork is None or origin is None:
        return
    changed = _changes(spec, origin.spec)
    there = data.get_run(spec.fork.run)
    with st.container(horizontal=True, vertical_alignment="center", key="fork_words"):
        st.markdown(
            f":material/call_split: **A fork** of {_named(spec.fork.run, there)} at step {spec.fork.step:,}"
            + (f", from there with {changed}. " if changed else ", with nothing changed. ")
            + "Curves left of the dotted line are that run's.",
            width="content",
        )
        if there is not None:
            query = {"step": str(spec.fork.step), "arm": spec.fork.arm}
            link("live", "See where it comes from", icon=":material/arrow_back:", run=there.id, **query)


def _named(run_id: str, run: data.Run | None) -> str:
    return f"`{run_id}`" if run is None else f"*{run.title}* (`{run_id[-4:]}`)"


def _nearest(run: data.Run, found: list[ForkPoint]) -> ForkPoint:
    """The checkpoint nearest to what the address says is looked at; without a step, the last one."""
    asked, step = st.query_params.get("arm"), st.query_params.get("step", "")
    own = [each for each in found if each.arm == (asked or data.arm_of(run))] or found
    if not step.isdigit():
        return own[-1]
    return min(own, key=lambda each: (abs(each.step - int(step)), each.step))


def _form(run: data.Run, spec: TransferSpec, here: ForkPoint, steps: list[int]) -> None:
    of = f"{run.id}_{here.arm}_{here.step}"
    step = st.selectbox(
        "From step",
        steps,
        index=steps.index(here.step),
        format_func=lambda each: f"{each:,}",
        key=f"fork_step_{of}",
        help=f"Checkpoints of {look_of(here.arm).label} that were kept. The scrubber chooses the nearest.",
    )
    changes = _fields(spec, of)
    planned: Planned | None = None
    try:
        planned = plan_fork(run, step, changes, arm=here.arm)
        st.caption(_consequences(planned, spec))
    except data.BirdError as error:
        st.warning(str(error), icon=":material/info:")
    if st.button(
        "Fork and go on",
        key="fork_now",
        type="primary",
        icon=":material/call_split:",
        disabled=planned is None,
        width="stretch",
    ):
        _go_on(planned)
    if planned is not None and (query := launch_query(planned.spec.model_dump(mode="json"))) is not None:
        link("launch", "Change the method or anything else", icon=":material/edit:", **query)
    kept = kept_checkpoints(run)
    st.caption(
        f"Checkpoints to fork from take {room(kept.own)} of this run and {room(kept.all)} of all runs, at most "
        f"{room(kept.limit)} (`BIRD_KEPT_CHECKPOINTS`); beyond that the oldest are thinned out, the last stays."
    )


def _fields(spec: TransferSpec, of: str) -> list[str]:
    """What is asked for most; returns what differs from the run, as settings."""
    asked: dict[str, Any] = {}
    left, right = st.columns(2)
    asked["training.epochs"] = left.number_input(
        "Epochs in all", 1, 2000, spec.training.epochs, key=f"fork_epochs_{of}", help="Those before the fork count."
    )
    asked["training.lr"] = right.number_input(
        "Learning rate",
        min_value=1e-6,
        max_value=10.0,
        value=spec.training.lr,
        step=spec.training.lr / 5,
        format="%.4g",
        key=f"fork_lr_{of}",
        help="The highest of its cosine over all epochs, as if the whole run had been asked for so.",
    )
    for name, column in zip(("alpha", "beta"), st.columns(2), strict=True):
        if (usual := getattr(spec.method, name, None)) is not None:
            asked[f"method.{name}"] = column.number_input(
                name.capitalize(), 0.0, 1000.0, float(usual), step=0.1, format="%.4g", key=f"fork_{name}_{of}"
            )
    sides = (("teacher", "Guiding layer", spec.teacher), ("student", "Guided layer", spec.student))
    for (side, label, ref), column in zip(sides, st.columns(2), strict=True):
        if spec.pairs and ref.model in catalog.models():
            now = str(getattr(spec.pairs[0], side))
            layers = list(dict.fromkeys((*(layer.name for layer in catalog.models()[ref.model].layers), now)))
            asked[f"method.pairs.0.{side}"] = column.selectbox(
                label, layers, index=layers.index(now), key=f"fork_{side}_{of}"
            )
    have = spec.model_dump(mode="json")
    return [f"{name}={setting_text(value)}" for name, value in asked.items() if value != _value(have, name)]


def _consequences(planned: Planned, spec: TransferSpec) -> str:
    """What follows from the settings that one may not think of."""
    at = planned.spec.fork
    before, after = (f"{rate:.3g}" for rate in (planned.rate_before, planned.rate_after))
    words = (
        f"From there the learning rate {'goes on as it was' if before == after else f'is {after} instead of {before}'}."
    )
    if len(spec.arms) < 2:
        return words
    if not planned.spec.baseline:
        return f"{words} This run keeps no fine-tuning of that step, so the fork has none to be compared with."
    if at is not None and at.twin is not None:
        return f"{words} Fine-tuning beside it goes on from the same step, under the same settings."
    return f"{words} Fine-tuning beside it is trained from its start."


def _go_on(planned: Planned | None) -> None:
    if planned is None:
        return
    try:
        made = fork(planned)
    except data.BirdError as error:
        st.error(str(error))
        return
    go("live", run=made.id)


def _changes(spec: TransferSpec, origin: TransferSpec) -> str:
    """In what a fork differs, in words."""
    if spec.method.name != origin.method.name:
        said = [f"{METHODS[spec.method.name].title} in place of {METHODS[origin.method.name].title}"]
        skipped: tuple[str, ...] = (*_OF_EVERY_FORK, "method")
    else:
        said, skipped = [], _OF_EVERY_FORK
    own, theirs = (
        {name: value for name, value in each.model_dump(mode="json").items() if name not in skipped}
        for each in (spec, origin)
    )
    for place, value in differences(own, theirs):
        said.append(
            f"{_SAID.get(place, f'`{place}`')} {setting_text(value)} in place of {setting_text(_value(theirs, place))}"
        )
    return "; ".join(said)


def _value(document: Any, place: str) -> Any:
    for part in place.split("."):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document
