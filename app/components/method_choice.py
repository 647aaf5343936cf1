"""Choosing a method out of thirteen: a family, then one of it, and only the settings that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app.address.url_state import keep_valid, put
from app.backend.weights import RANDOM
from app.form.drafts import Draft, settings_of
from app.words.sentences import CONTROLS
from bird_backend import catalog

__all__ = ["method_choice", "method_settings"]

_FAMILIES: Mapping[str, tuple[str, ...]] = {
    "Follow the teacher": ("bird", "hints", "rkd", "sp", "pkt", "soft-labels"),
    "Go on from weights": ("fine-tuning", "linear-probe", "lp-ft", "lwf-features", "lwf-logits"),
    "Floor and ceiling": ("none", "oracle"),
}
_TOLD = {
    "Follow the teacher": "The student trains while it is held to what the frozen teacher makes of the same images.",
    "Go on from weights": "Nobody looks at the teacher; what it knows comes along where training starts from its "
    "weights.",
    "Floor and ceiling": "What all others lie between: no transfer at all, and training on corrupted images directly.",
}
_WEIGHTS = {
    "alpha": ("α, weight of the task loss", 0.05, "How much the student's own task counts."),
    "beta": ("β, weight of the method's loss", 0.05, "How hard the student is held to it; 0 is fine-tuning."),
    "temperature": ("Temperature", 0.5, "Outputs are softened by it before they are compared."),
    "share": ("Share of the steps for the head alone", 0.05, "After it the whole network trains."),
}
_LABELS = {
    ("bird", "beta"): (
        "β, weight of the representation loss",
        "How hard the guided layer is drawn to the guiding layer: loss = α × task loss + β × (1 − CKA). The paper uses "
        "α = 0.1, β = 0.9.",
    ),
    ("lwf-features", "beta"): ("λ, weight of the drift", "How hard the head's input is held where it began."),
    ("lwf-logits", "beta"): ("λ, weight of what was said", "How hard the old head is held to what it said."),
}


def method_choice(demo: Draft) -> str:
    """Draw the family and its methods with a line each; returns the one chosen. `demo` has the usual settings."""
    keep_valid("method", list(catalog.METHODS), demo.method)
    chosen = str(st.session_state["method"])
    st.session_state["_family"] = next(family for family, names in _FAMILIES.items() if chosen in names)
    family = str(
        st.segmented_control(
            "Kind of method",
            list(_FAMILIES),
            key="_family",
            required=True,
            on_change=_family_changed,
            args=(demo,),
            label_visibility="collapsed",
        )
    )
    st.caption(_TOLD[family])
    return str(
        st.radio(
            "Method",
            _FAMILIES[family],
            format_func=lambda name: catalog.METHODS[name].title,
            captions=[catalog.METHODS[name].caption for name in _FAMILIES[family]],
            key="method",
            on_change=lambda: _take(demo, st.session_state["method"]),
            label_visibility="collapsed",
        )
    )


def method_settings(draft: Draft) -> Draft:
    """Draw what can be set of the draft's method, its layers aside; returns the draft with them put in."""
    settings = settings_of(draft.method)
    changes: dict[str, Any] = {}
    numbers = [name for name in _WEIGHTS if name in settings]
    if numbers:
        for name, column in zip(numbers, st.columns(max(2, len(numbers))), strict=False):
            label, step, help = _WEIGHTS[name]
            label, help = _LABELS.get((draft.method, name), (label, help))
            step = step if settings[name] < 10 else float(settings[name]) / 10
            usual = f" Usually {settings[name]:g}."
            changes[name] = float(column.number_input(label, step=step, format="%.5g", key=name, help=f"{help}{usual}"))
    if "start" in settings:
        changes["start"] = _start(draft)
    if catalog.METHODS[draft.method].needs_teacher:
        changes["control"] = _control()
    return replace(draft, **changes)


def _start(draft: Draft) -> str:
    alone = draft.method == "fine-tuning"
    own = "Random weights, as the student has them" if draft.student.startswith(RANDOM) else "The student's own weights"
    options = ["", "teacher"] if alone else ["", "teacher", "student"]
    keep_valid("start", options, "")
    words = {
        "": own if alone else "The teacher's weights where architectures allow",
        "teacher": "The teacher's weights, always" if not alone else "The teacher's weights and a new head",
        "student": own,
    }
    return str(
        st.selectbox(
            "Begin with",
            options,
            format_func=words.__getitem__,
            key="start",
            help="A robust teacher's weights bring its robustness along; they only fit a student of its architecture.",
        )
    )


def _control() -> str:
    keep_valid("control", list(CONTROLS), "none")
    chosen = str(
        st.selectbox(
            "Control",
            list(CONTROLS),
            format_func=lambda name: CONTROLS[name][0],
            key="control",
            help="The same run with a teacher that can teach nothing. A gain that the control has too isn't the "
            "teacher's.",
        )
    )
    if chosen != "none":
        st.caption(CONTROLS[chosen][1])
    return chosen


def _family_changed(demo: Draft) -> None:
    _take(demo, _FAMILIES[st.session_state["_family"]][0])


def _take(demo: Draft, method: str) -> None:
    """Another method has other scales: its settings go to where they usually are."""
    drawn = demo.with_method(method)
    put(
        {
            "method": method,
            "start": "",
            **{name: getattr(drawn, name) for name in settings_of(method) if name != "start"},
        }
    )
