"""What lies in assets/, made from nothing: the demo's weights, by runs like any other, and the pictures of frost."""

from __future__ import annotations

import shutil
from typing import Any

from bird_backend import runs, settings
from bird_backend.experiments import load_spec, read_spec
from bird_backend.jobs.process import OnProgress, perform
from bird_backend.studies.zoo import plan_zoo

__all__ = ["WEIGHTS", "ZOO", "make_frost", "make_weights"]

WEIGHTS = {
    "digits-robust-teacher": "teacher.json",
    "fashion-student": "student.json",
    "digits-geometric-teacher": "teacher-geometric.json",
    "digits-adversarial-teacher": "teacher-adversarial.json",
}
"""Names in `assets/checkpoints`, and the spec in `assets/examples` that makes each."""

ZOO = (
    "zoo-resnet-narrow-fashion-0-4-clean",
    "zoo-resnet-narrow-fashion-0-4-corruptions",
    "zoo-resnet-narrow-fashion-5-9-clean",
    "zoo-resnet-narrow-fashion-5-9-corruptions",
    "zoo-cnn-small-digits-corruptions",
    "zoo-cnn-small-fashion-0-4-corruptions",
    "zoo-cnn-small-fashion-0-4-half-trained",
    "zoo-cnn-small-fashion-5-9-clean",
)
"""Those of the zoo that come with the project: the demo's pair, and some to rank beside them."""


def make_weights(on_progress: OnProgress) -> list[dict[str, Any]]:
    """Train the aligned teachers and the students on the CPU and put their weights into `assets/checkpoints`.

    What a teacher of the zoo begins with is made before it, and stays in the home where it is not one of them.
    """
    examples = {name: load_spec(read_spec(settings.ASSETS / "examples" / path)) for name, path in WEIGHTS.items()}
    specs = examples | {teacher.name: teacher.spec for teacher in plan_zoo(only=ZOO)}
    made = []
    for name, spec in specs.items():
        run = runs.RunStore().create(spec, state="running", device="cpu")
        summary = perform(run.id, device="cpu", on_progress=on_progress)
        if name not in (*WEIGHTS, *ZOO):
            continue
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
