"""The network that a run is about as one `.safetensors` file, with its recipe in the header and beside it as JSON."""

from __future__ import annotations

import shutil
from pathlib import Path

from bird_backend.errors import InputError
from bird_backend.exports.declaration import Export
from bird_backend.runs.directory import write_json
from bird_backend.runs.provenance import read_provenance
from bird_backend.runs.store import Run

__all__ = ["DECLARES", "has_weights", "trained_weights"]


def trained_weights(run: Run) -> Path:
    """The weights of the network that a run is about; an `InputError` where it keeps none."""
    if (found := _find_weights(run)) is None:
        raise InputError(f"Run {run.id} keeps no weights: it is {run.state}, or no network was trained in it.")
    return found


def has_weights(run: Run) -> bool:
    """Whether it keeps any."""
    return _find_weights(run) is not None


def _find_weights(run: Run) -> Path | None:
    after = (run.summary or {}).get("after")
    names = (f"student-{after}.safetensors", "model.safetensors")
    return next((path for name in names if (path := run.directory.artifacts / name).is_file()), None)


def _write(run: Run, folder: Path) -> list[str]:
    source = trained_weights(run)
    target, recipe = folder / f"{run.id}.safetensors", folder / f"{run.id}.json"
    provenance = read_provenance(source)
    partial = target.with_name(f".{target.name}.partial")
    try:
        shutil.copyfile(source, partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    write_json(recipe, None if provenance is None else provenance.model_dump(mode="json"))
    return [str(target), str(recipe)]


DECLARES = Export(
    name="weights",
    place=30,
    title="Weights",
    caption="The trained network as safetensors, and its recipe, accuracies and code version as JSON.",
    write=_write,
    has=has_weights,
    download="weights.zip",
)
