"""Where a run goes on from: a checkpoint that another run kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bird_backend.specs.parts import Spec

__all__ = ["Fork"]

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Fork(Spec):
    """After `step` steps of an arm of `run`; the digests say by content what is gone on from."""

    run: str = Field(pattern=r"^\d{8}-\d{6}-[a-z]+-[0-9a-f]{16}$")
    step: int = Field(ge=1)
    arm: str = Field(pattern=r"^[a-z][a-z-]{0,39}$")
    """Whose student the method goes on with: the other run's method, or its fine-tuning."""
    checkpoint: Digest
    """SHA-256 of the checkpoint."""
    twin: Digest | None = None
    """Of that of the other run's fine-tuning, which this run's goes on from; none: it is trained from its start."""
