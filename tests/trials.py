"""Trials under corruptions for tests that measure networks."""

from __future__ import annotations

from collections.abc import Iterable

from bird_backend.behaviours import STRENGTHS
from bird_backend.behaviours.corruptions import CorruptionSettings
from bird_backend.behaviours.trial import Stored, Trial

__all__ = ["corrupting"]


def corrupting(
    conditions: Iterable[str] = (), strengths: Iterable[int] = STRENGTHS, *, seed: int = 0, stored: Stored | None = None
) -> Trial:
    """On the fly, or from what is stored."""
    settings = CorruptionSettings(conditions=tuple(conditions), strengths=tuple(strengths))
    return Trial(settings=settings, seed=seed, stored=stored)
