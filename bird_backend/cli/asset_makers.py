"""What lies in assets/, made from nothing: the demo's weights, by runs like any other, and the pictures of frost."""

from __future__ import annotations

import shutil
from typing import Any

from bird_backend import runs, settings
from bird_backend.experiments import load_spec, read_spec
from bird_backend.jobs.process import OnProgress, perform

__all__ = ["WEIGHTS", "make_frost", "make_weights"]

WEIGHTS = {
    "digits-robust-teacher": "teacher.json",
    "fashion-student": "student.json",
    "digits-geometric-teacher": "teacher-geometric.json",
    "digits-adversarial-teacher": "teacher-adversarial.json",
}
"""Names in `assets/checkpoints`, and the spec in `assets/examples` that makes each."""


def make_weights(on_progress: OnProgress) -> list[dict[str, Any]]:
    """Train the aligned teachers and the student on the CPU and put their weights into `assets/checkpoints`."""
    made = []
    for name, example in WEIGHTS.items():
        spec = load_spec(read_spec(settings.ASSETS / "examples" / example))
        run = runs.RunStore().create(spec, state="running", device="cpu")
        summary = perform(run.id, device="cpu", on_progress=on_progress)
        target = settings.ASSETS / "checkpoints" / f"{name}.safetensors"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(run.directory.artifacts / "model.safetensors", target)
        made.append({"name": name, "bytes": target.stat().st_size, **summary})
    return made


def make_frost() -> list[dict[str, Any]]:
    """Draw the pictures that frost lays over images and put them into `assets/frost`."""
    from PIL import Image  # noqa: PLC0415

    from bird_backend.corruptions.crystals import PICTURES, draw_frost  # noqa: PLC0415

    folder = settings.ASSETS / "frost"
    folder.mkdir(exist_ok=True)
    made = []
    for number in range(PICTURES):
        target = folder / f"frost{number + 1}.png"
        Image.fromarray(draw_frost(number)).save(target, optimize=True)
        made.append({"name": target.name, "bytes": target.stat().st_size})
    return made
