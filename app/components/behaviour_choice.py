"""What a network is to keep doing right: the behaviour, its conditions and strengths, and the options it has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st
from pydantic.fields import FieldInfo

from app.address.url_state import keep_valid
from app.form.drafts import ALL, Draft, option_fields, read_options, write_options
from bird_backend.behaviours import BEHAVIOURS, STRENGTHS, Behaviour

__all__ = ["behaviour_choice", "condition_choice", "condition_label"]


def behaviour_choice() -> str:
    """Draw the choice of a behaviour, and what it is; returns its name."""
    keep_valid("behaviour", list(BEHAVIOURS), next(iter(BEHAVIOURS)))
    name = st.segmented_control(
        "Robust to what",
        list(BEHAVIOURS),
        format_func=lambda each: BEHAVIOURS[each].title,
        key="behaviour",
        required=True,
        on_change=_other_behaviour,
        label_visibility="collapsed",
    )
    behaviour = BEHAVIOURS[str(name)]
    st.caption(f"{behaviour.caption} {behaviour.words.note}".strip())
    return behaviour.name


def condition_choice(draft: Draft) -> Draft:
    """Draw its conditions, its strengths and its options; returns the draft with them put in."""
    behaviour = BEHAVIOURS[draft.behaviour]
    chosen = _conditions(behaviour)
    st.session_state["strengths"] = [each for each in st.session_state["strengths"] if each in STRENGTHS]
    strengths = st.pills(behaviour.words.strengths.capitalize(), STRENGTHS, selection_mode="multi", key="strengths")
    return replace(
        draft,
        conditions=(ALL,) if chosen == tuple(behaviour.conditions) else chosen,
        strengths=tuple(sorted(strengths)),
        options=_options(behaviour, draft.options),
    )


def condition_label(behaviour: Behaviour, name: str) -> str:
    """A condition in a list of them."""
    condition = behaviour.conditions[name]
    return f"{condition.title}, held out" if condition.held_out else condition.title


def _conditions(behaviour: Behaviour) -> tuple[str, ...]:
    words, names = behaviour.words, tuple(behaviour.conditions)
    asked = tuple(st.session_state["conditions"])
    st.session_state["conditions"] = [name for name in names if ALL in asked or name in asked]
    picked = st.pills(
        f"{words.conditions.capitalize()} to test on",
        names,
        selection_mode="multi",
        format_func=lambda name: condition_label(behaviour, name),
        key="conditions",
        wrap=True,
        help=f"{words.how} Robust accuracy is the mean over {words.conditions} and {words.strengths}."
        + (" A robust teacher may train on any but the held-out ones." if behaviour.held_out else ""),
    )
    return tuple(name for name in names if name in picked)


def _options(behaviour: Behaviour, asked: tuple[str, ...]) -> tuple[str, ...]:
    """A widget for each setting that the behaviour has of its own; those that differ from their defaults."""
    given, values = read_options(behaviour.name, asked), {}
    fields = option_fields(behaviour.name)
    if st.session_state.get("_options_of") != (behaviour.name, asked):
        for name, field in fields.items():
            st.session_state[_key(behaviour, name)] = _shown(field, given.get(name, field.default))
    for column, (name, field) in zip(st.columns(max(len(fields), 1)), fields.items(), strict=False):
        with column:
            values[name] = _widget(_key(behaviour, name), name, field)
    written = write_options(behaviour.name, values)
    st.session_state["options"] = written
    st.session_state["_options_of"] = (behaviour.name, written)
    return written


def _widget(key: str, name: str, field: FieldInfo) -> Any:
    label, help = field.title or name.replace("_", " ").capitalize(), field.description
    if isinstance(field.default, bool):
        return st.toggle(label, key=key, help=help)
    if isinstance(field.default, int):
        return int(st.number_input(label, step=1, key=key, help=help))
    if isinstance(field.default, float):
        return float(st.number_input(label, key=key, help=help))
    return st.text_input(label, key=key, help=help) or None


def _shown(field: FieldInfo, value: Any) -> Any:
    return "" if value is None else type(field.default)(value) if field.default is not None else str(value)


def _key(behaviour: Behaviour, name: str) -> str:
    return f"_{behaviour.name}_{name}"


def _other_behaviour() -> None:
    st.session_state["conditions"], st.session_state["options"] = (ALL,), ()
