"""`execute(spec, writer)`: any kind of run from top to bottom, by what its kind declares."""

from __future__ import annotations

import time
from typing import Any

from bird_backend.experiments import KINDS, RunSpec
from bird_backend.experiments.sharing import Shared
from bird_backend.experiments.work import Work
from bird_backend.runs.identity import code_version
from bird_backend.runs.writing import RunWriter
from bird_backend.training import choose_device

__all__ = ["execute"]


def execute(
    spec: RunSpec, writer: RunWriter, *, device: str | None = None, shared: Shared | None = None
) -> dict[str, Any]:
    """Do what `spec` asks, writing into the run's directory; returns the summary. Goes on from checkpoints it finds.

    `device` is the lease a supervisor gave, where the spec says `auto`; `shared` what earlier runs left.
    """
    began = time.monotonic()
    chosen = choose_device(device if device and spec.device == "auto" else spec.device)
    writer.begin("Loading data", 0.02)
    summary = KINDS[spec.kind].execute(spec, Work(writer=writer, device=chosen, shared=shared or Shared()))
    summary |= {
        "kind": spec.kind,
        "state": "done",
        "run": writer.directory.path.name,
        "data": getattr(spec, "data", None),
        "device": str(chosen),
        "seed": spec.seed,
        "seconds": round(time.monotonic() - began, 2),
        "code_version": code_version(),
    }
    writer.close(summary)
    return summary
