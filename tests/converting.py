"""A file of another program converted in a test, its child's work done in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from bird_backend import runs, settings
from bird_backend.errors import InputError
from bird_backend.experiments import load_spec
from bird_backend.jobs.process import perform
from bird_backend.models import build_model
from bird_backend.models.foreign import reading
from bird_backend.models.foreign.child import open_file
from bird_backend.models.foreign.flattening import NotWeightsError

__all__ = ["convert", "open_at_once", "refused", "refused_beside", "saved", "small"]


def open_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For a test, the child's work is done in this process, without its limits."""

    def here(source: Path, target: Path, *, subject: str, size: int, **_: object) -> dict[str, Any]:
        try:
            return open_file(source, target, settings.MAX_WEIGHTS_BYTES)
        except NotWeightsError as error:
            raise InputError(f"{subject} {error}.") from error

    monkeypatch.setattr(reading, "_child", here)


def small(classes: int = 10, seed: int = 0) -> nn.Module:
    return build_model("cnn-small", classes=classes, seed=seed)


def saved(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(document, path)
    return path


def convert(source: object, **fields: object) -> dict[str, Any]:
    spec = load_spec({"kind": "convert", "source": str(source), "device": "cpu", **fields})
    run = runs.RunStore().create(spec, state="running")
    return perform(run.id, device="cpu")


def refused(source: object, **fields: object) -> str:
    with pytest.raises(InputError) as caught:
        convert(source, **fields)
    said = str(caught.value)
    assert "\n" not in said
    assert said.endswith(".")
    assert not list(settings.checkpoints_dir().glob("*")) if settings.checkpoints_dir().exists() else True
    return said


def refused_beside(source: object, **fields: object) -> str:
    """Refused, with the weights that there are."""
    before = sorted(settings.checkpoints_dir().iterdir())
    with pytest.raises(InputError) as caught:
        convert(source, **fields)
    assert sorted(settings.checkpoints_dir().iterdir()) == before
    return str(caught.value)
