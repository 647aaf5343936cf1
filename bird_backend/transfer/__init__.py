"""Ways of transferring, a folder each: what can be set and said of it, and beside that its loss, like its equation."""

from typing import Annotated

from pydantic import SerializeAsAny

from bird_backend.registry import Registry
from bird_backend.specs.named import named
from bird_backend.transfer.declaration import (
    FAMILIES,
    Entrant,
    MatchingSettings,
    Method,
    MethodSettings,
    Part,
    Role,
    Setting,
    StartingSettings,
)

__all__ = [
    "FAMILIES",
    "METHODS",
    "Entrant",
    "MatchingSettings",
    "Method",
    "MethodField",
    "MethodSettings",
    "Part",
    "Role",
    "Setting",
    "StartingSettings",
    "reference_method",
]

METHODS: Registry[Method] = Registry("method", "bird_backend.transfer")
MethodField = Annotated[SerializeAsAny[MethodSettings], named(lambda name: METHODS.find(name).settings)]
"""A spec's method: a name alone, or with settings, which the method's own class checks."""


def reference_method() -> Method:
    """What gains are over: plain fine-tuning."""
    return next(method for method in METHODS.values() if method.role == "reference")
