"""The demo checkpoints, made from nothing by runs like any other: `python -m bird_backend assets`."""

from __future__ import annotations

import shutil
from typing import Any

from bird_backend import runs, settings
from bird_backend.jobs.process import OnProgress, perform
from bird_backend.specs import load_spec, read_spec

__all__ = ["CHECKPOINTS", "make_checkpoints"]

CHECKPOINTS = {"digits-robust-teacher": "teacher.json", "fashion-student": "student.json"}
"""Names in `assets/checkpoints`, and the spec in `assets/examples` that makes each."""


def make_checkpoints(on_progress: OnProgress) -> list[dict[str, Any]]:
    """Train the robust teacher and the student on the CPU and put their weights into `assets/checkpoints`."""
    made = []
    for name, example in CHECKPOINTS.items():
        spec = load_spec(read_spec(settings.ASSETS / "examples" / example))
        run = runs.RunStore().create(spec, state="running")
        summary = perform(run.id, device="cpu", on_progress=on_progress)
        target = settings.ASSETS / "checkpoints" / f"{name}.safetensors"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(run.directory.artifacts / "model.safetensors", target)
        made.append({"name": name, "bytes": target.stat().st_size, **summary})
    return made
