"""Choosing a method: a family, then one of it, and only the settings that it has."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.address.url_state import keep_valid, put
from app.backend.weights import RANDOM
from app.components.setting_field import setting_field
from app.form.drafts import Draft, settings_of, without_method
from bird_backend.specs import CONTROLS
from bird_backend.transfer import FAMILIES, METHODS

__all__ = ["method_choice", "method_settings"]


def method_choice(demo: Draft) -> str:
    """Draw the family and its methods with a line each; returns the one chosen. `demo` has the usual settings."""
    keep_valid("method", list(METHODS), demo.method)
    st.session_state["_family"] = METHODS[str(st.session_state["method"])].family
    family = str(
        st.segmented_control(
            "Kind of method",
            list(FAMILIES),
            key="_family",
            required=True,
            on_change=_family_changed,
            args=(demo,),
            label_visibility="collapsed",
        )
    )
    st.caption({str(name): told for name, told in FAMILIES.items()}[family])
    members = _members(family, demo)
    return str(
        st.radio(
            "Method",
            members,
            format_func=lambda name: METHODS[name].title,
            captions=[METHODS[name].caption for name in members],
            key="method",
            on_change=lambda: _take(demo, st.session_state["method"]),
            label_visibility="collapsed",
        )
    )


def method_settings(draft: Draft) -> Draft:
    """Draw what can be set of the draft's method, its layers aside; returns the draft with them put in."""
    method = METHODS[draft.method]
    asked = {name: setting for name, setting in draft.asked.items() if not setting.form.expert}
    if asked:
        columns = zip(asked.items(), st.columns(max(2, len(asked))), strict=False)
        draft = draft.with_settings(**{name: setting_field(name, setting, place) for (name, setting), place in columns})
    if method.may_start_from_teacher:
        draft = replace(draft, start=_start(draft))
    return replace(draft, control=_control()) if method.needs_teacher else draft


def _members(family: str, demo: Draft) -> list[str]:
    """A family's methods: the demo's and what gains are over come first, the others as in a comparison's table."""
    found = [method for method in METHODS.values() if method.family == family]
    found.sort(key=lambda method: (method.name != demo.method, method.role != "reference"))
    return [method.name for method in found]


def _start(draft: Draft) -> str:
    alone = METHODS[draft.method].usual_start == "student"
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
    keep_valid("control", ["none", *CONTROLS], "none")
    chosen = str(
        st.selectbox(
            "Control",
            ["none", *CONTROLS],
            format_func=lambda name: CONTROLS[name].title if name in CONTROLS else "None: the teacher as it is",
            key="control",
            help="The same run learning nothing of the teacher. A gain that the control has too isn't the teacher's.",
        )
    )
    if chosen != "none":
        st.caption(CONTROLS[chosen].caption)
    return chosen


def _family_changed(demo: Draft) -> None:
    _take(demo, _members(st.session_state["_family"], demo)[0])


def _take(demo: Draft, method: str) -> None:
    """Another method has other scales: its settings go to where they usually are."""
    drawn = demo.with_method(method)
    further = without_method(st.session_state["further"])
    settings = {name: drawn.settings[name] for name in settings_of(method)}
    put({"method": method, "start": "", "further": further, **settings})
