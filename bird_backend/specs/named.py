"""A part of a spec that is one of a registry's entries: its `name` says which, and the entry checks its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BeforeValidator

from bird_backend.specs.parts import Spec

__all__ = ["named"]


def named(settings_of: Callable[[str], type[Spec]]) -> BeforeValidator:
    """Checks a mapping with the settings class that `settings_of` has for its `name`; a bare name is all its defaults.

    `settings_of` raises an `UnknownNameError` for a name that no entry has. For a field such as
    `Annotated[SerializeAsAny[MethodSettings], named(...)]`, so that a new entry needs no change here or there.
    """

    def choose(value: Any) -> Any:
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, Mapping):
            return value  # a settings object, or something that the field's own type refuses
        name = value.get("name")
        if not isinstance(name, str):
            raise ValueError("says by its name which it is, and this has no name")
        return settings_of(name).model_validate(value)

    return BeforeValidator(choose)
