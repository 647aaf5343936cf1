"""A form whose choices live in the URL: what the address says fills the widgets, what they say is written back.

Streamlit's own binding writes labels into the address; labels change, so names are written here. An address that
changed from outside (a link, the back button) wins over the widgets; a choice of the reader wins over the address.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.address.kept import keep, kept, recall

__all__ = ["address", "adopt", "keep_valid", "publish", "put", "read"]

Value = str | int | float | bool | tuple[str, ...] | tuple[int, ...] | None


def adopt(form: str, defaults: Mapping[str, Value]) -> None:
    """Before the widgets: fill `st.session_state[key]` of each key from the URL, else from `defaults`.

    A form that one comes back to by an address that says nothing of it is as it was left.
    """
    recall(form, defaults)
    now = _address(defaults)
    changed_outside = _is_news(form, now)
    for key, default in defaults.items():
        if changed_outside or key not in st.session_state:
            st.session_state[key] = read(now[key], default) if key in now else default


def publish(form: str, values: Mapping[str, Value], defaults: Mapping[str, Value]) -> None:
    """After the widgets: write what differs from its default into the URL, and leave other parameters alone."""
    wanted = address(values, defaults)
    if wanted != _address(defaults):
        others = {key: value for key, value in st.query_params.to_dict().items() if key not in defaults}
        st.query_params.from_dict(others | wanted)
    before = kept(form)
    if before is not None and before != wanted:
        _overwritten(form).append(before)
    keep(form, wanted)


def _is_news(form: str, now: dict[str, str]) -> bool:
    """Whether the address is another than the form's because its reader went there.

    A browser says in each request where it is. One that was sent before the form's latest address arrived there says
    an older one, which is no wish to go back to it; the back button is such a wish, and is told apart.
    """
    if now == kept(form):
        _overwritten(form).clear()
        return False
    context = get_script_run_ctx()
    goes_back = context is not None and context.is_history_navigation
    return goes_back or now not in _overwritten(form)


def _overwritten(form: str) -> list[dict[str, str]]:
    """The addresses of the form that were replaced since the browser last told the newest one."""
    found: list[dict[str, str]] = st.session_state.setdefault(f"_{form}_overwritten", [])
    return found


def address(values: Mapping[str, Value], defaults: Mapping[str, Value]) -> dict[str, str]:
    """The query parameters that open a form with these values."""
    return {key: _write(value) for key, value in values.items() if value != defaults[key]}


def put(values: Mapping[str, Value]) -> None:
    """Set widgets from a callback (a preset, a clicked cell)."""
    for key, value in values.items():
        st.session_state[key] = value


def keep_valid(key: str, options: Sequence[str], fallback: str) -> str | None:
    """Make sure the widget's value is one of its options; returns what was asked for in vain, if anything."""
    asked = st.session_state.get(key)
    if asked in options:
        return None
    st.session_state[key] = fallback if fallback in options else options[0]
    return None if asked in (None, "") else str(asked)


def _address(defaults: Mapping[str, Value]) -> dict[str, str]:
    return {key: st.query_params[key] for key in defaults if key in st.query_params}


def _write(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(str(item).replace("%", "%25").replace(",", "%2C") for item in value)
    if isinstance(value, float):
        # As short as it can be without becoming another number.
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return "" if value is None else str(value)


def read(text: str, default: Value) -> Value:
    """Text of the address as a value of its default's type; what can't be read is the default."""
    value: Value = text
    try:
        match default:
            case bool():
                value = {"yes": True, "no": False}.get(text, default)
            case int():
                value = _bounded(int(text), default)
            case float():
                value = _bounded(float(text), default)
            case (int(), *_):
                value = tuple(int(part) for part in text.split(",") if part)
            case tuple():
                value = tuple(unquote(part) for part in text.split(",") if part)
    except ValueError:
        return default
    return value


def _bounded(value: float, default: float) -> int | float:
    """What a browser's number can hold; anything else is the default."""
    return value if abs(value) <= 2**53 else default
