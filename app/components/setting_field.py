"""One of a method's settings as a widget, as the method declares it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamlit.delta_generator import DeltaGenerator

from app.address.url_state import keep_valid
from bird_backend.transfer import Setting

__all__ = ["one_of", "setting_field"]

_LARGE = 10


def setting_field(name: str, setting: Setting, place: DeltaGenerator) -> Any:
    """Draw the setting, whose key in the address is its name; returns what is chosen."""
    form, default = setting.form, setting.default
    if setting.options:
        words = form.words or {option: option for option in setting.options}
        return one_of(words, place, form.label, key=name, help=form.help or None)
    if isinstance(default, bool):
        return bool(place.toggle(form.label, key=name, help=form.help or None))
    help = f"{form.help} Usually {default:g}.".strip()
    if isinstance(default, int):
        return int(place.number_input(form.label, step=max(1, round(form.step)), key=name, help=help))
    step = form.step if default < _LARGE else default / 10
    return float(place.number_input(form.label, step=step, format="%.5g", key=name, help=help))


def one_of(words: Mapping[str, str], place: DeltaGenerator, label: str, *, key: str, help: str | None = None) -> str:
    """A list of the names in `words`, shown as their words; a name the address made up is the first."""
    keep_valid(key, list(words), next(iter(words)))
    return str(place.selectbox(label, list(words), format_func=words.__getitem__, key=key, help=help))
