"""A small form that trains a new teacher (under a behaviour's conditions) or a new student (on images as they are)."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.address.routes import go
from app.address.url_state import adopt, keep_valid, publish
from app.backend import data
from app.backend.machine import machine
from app.backend.named_networks import is_network, network_words
from app.components.data_choice import TRAINING_KEYS, data_choice
from app.components.expert_options import MIRRORING
from app.components.network_naming import another_network
from app.components.spec_view import spec_view
from app.form.drafts import ALL
from app.form.estimates import estimate
from app.form.training import DEFAULTS, checked_training, suggested_name
from bird_backend import catalog
from bird_backend.behaviours import BEHAVIOURS, USUAL, Behaviour
from bird_backend.errors import BirdError
from bird_backend.experiments import PretrainSpec, RobustifySpec, load_spec

__all__ = ["training_form"]

_ROLES = {"robustify": "A robust teacher", "pretrain": "A student"}


def training_form() -> None:
    """Draw the form; pressing its button leaves for the live page."""
    defaults = {**DEFAULTS, "net": next(iter(catalog.models()), "")}
    adopt("training", defaults)
    form, summary = st.columns([1.6, 1], gap="large")
    with form:
        values = _choices()
    publish("training", values, defaults)
    document, problem = checked_training(values)
    with summary, st.container(border=True):
        _launch(document, problem)
    if problem is None:
        spec_view(document, compare=False)


def _choices() -> dict[str, Any]:
    keep_valid("role", list(_ROLES), "robustify")
    role = str(
        st.segmented_control("What for", list(_ROLES), format_func=_ROLES.__getitem__, key="role", required=True)
    )
    models = catalog.models()
    asked = str(st.session_state["net"])
    options = [*models, *([asked] if asked not in models and is_network(asked) else [])]
    keep_valid("net", options, next(iter(models)))
    net = str(st.selectbox("Network", options, format_func=network_words, key="net"))
    st.caption(models[net].caption if net in models else f"`{net}`, with random weights to begin with.")
    another_network("net")
    on, folder, pixels, among = data_choice(TRAINING_KEYS, fallback="digits", help="What it trains on.")
    keep_valid("behaviour", list(BEHAVIOURS), USUAL)
    behaviour = str(
        st.segmented_control(
            "Robust against" if role == "robustify" else "Measured against",
            list(BEHAVIOURS),
            format_func=lambda each: BEHAVIOURS[each].title,
            key="behaviour",
            required=True,
            on_change=_other_behaviour,
        )
    )
    against = _against(BEHAVIOURS[behaviour]) if role == "robustify" else (ALL,)
    first, second, third, fourth = st.columns(4)
    rounds = first.number_input("Epochs", step=1, key="rounds")
    start = second.number_input("Learning rate", step=0.01, format="%.5g", key="start")
    draw = third.number_input("Seed", step=1, key="draw")
    keep_valid("mirror", list(MIRRORING), "auto")
    mirror = str(
        fourth.selectbox("Mirror the images", list(MIRRORING), format_func=MIRRORING.__getitem__, key="mirror")
    )
    name = st.text_input(
        "Name of the weights",
        key="name",
        placeholder=suggested_name(role, net, on, behaviour, among),
        help="What you will find them by, here and on the launch page.",
    )
    also = st.session_state["also"]
    if also:
        # Only what a run brought along: a newcomer's form has no such field.
        also = st.text_area(
            "Further settings", key="also", height="content", help="As `--set` takes them, a line each."
        )
    return {
        "role": role,
        "net": net,
        "on": on,
        "folder": folder,
        "among": among,
        "pixels": pixels,
        "behaviour": behaviour,
        "against": against,
        "mirror": mirror,
        "rounds": int(rounds),
        "start": float(start),
        "draw": int(draw),
        "name": name or "",
        "also": also or "",
    }


def _against(behaviour: Behaviour) -> tuple[str, ...]:
    """The conditions to train on, of those that may be."""
    words, names = behaviour.words, behaviour.seen
    asked = st.session_state["against"]
    st.session_state["against"] = [name for name in names if ALL in asked or name in asked]
    picked = st.pills(
        f"{words.conditions.capitalize()} to train on",
        names,
        selection_mode="multi",
        format_func=lambda name: behaviour.conditions[name].title,
        key="against",
        wrap=True,
        help=f"Each image is {words.changed} anew at each step, by one of these at a {words.strength} from 0 to 5."
        + (
            " The held-out ones are never trained on: they show whether robustness carries over."
            if behaviour.held_out
            else ""
        ),
    )
    chosen = tuple(name for name in names if name in picked)
    return (ALL,) if chosen == names else chosen


def _other_behaviour() -> None:
    st.session_state["against"] = (ALL,)


def _launch(document: dict[str, Any], problem: str | None) -> None:
    st.header("Ready to train" if problem is None else "Not ready yet", anchor=False)
    if problem:
        st.error(problem, icon=":material/error:")
    else:
        spec = load_spec(document)
        if isinstance(spec, PretrainSpec | RobustifySpec):
            guess = estimate(spec, data.list_runs(kind=spec.kind, limit=30), machine())
            st.markdown(f"It will take **{guess.words}** on {machine().words}.", help=guess.basis.capitalize() + ".")
        name = str(document["save_as"])
        taken = {found.name for found in data.weights_files()}
        if name in taken:
            st.caption(f":orange[:material/info:] There are weights named {name} already.")
        else:
            st.caption(f"The weights will be called `{name}`.")
    if st.button(
        "Start training",
        type="primary",
        icon=":material/model_training:",
        disabled=problem is not None,
        width="stretch",
        key="train",
    ):
        try:
            run = data.submit(document)
        except BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            go("live", run=run.id)
