"""The networks of a run: loaded for looking at or for training, and kept with where they come from."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from bird_backend import settings
from bird_backend.datasets import Dataset
from bird_backend.errors import InputError
from bird_backend.experiments import PretrainSpec, RobustifySpec, TransferSpec
from bird_backend.measures import Interval, Predictions, by_group
from bird_backend.models import load_model, save_tensors
from bird_backend.models.preprocessing import preprocessing_of
from bird_backend.runs.identity import code_version
from bird_backend.runs.provenance import Provenance, Validated, find_weights, read_provenance
from bird_backend.seeds import derive_seed
from bird_backend.specs import ModelRef
from bird_backend.training import prepare

__all__ = ["frozen", "keep", "keep_tensors", "provenance_of", "require_same_classes", "trainable"]


def frozen(
    ref: ModelRef, *, role: Literal["teacher", "student"], data: Dataset, seed: int, device: torch.device
) -> nn.Module:
    """A network that is only looked at, at images of `data`. Its weights may be for any number of classes.

    Random weights depend on the role, or a teacher without weights would be a student of its kind.
    """
    count = len(data.classes) if ref.weights is None else None
    purpose = f"weights of {ref.model}" if role == "student" else f"weights of {ref.model} as teacher"
    model, _ = load_model(ref, classes=count, seed=derive_seed(seed, purpose), image_size=data.image_size)
    return prepare(model, device).eval().requires_grad_(False)


def trainable(ref: ModelRef, data: Dataset, seed: int, device: torch.device) -> nn.Module:
    """A network for the classes of `data`; weights for another number of classes are an error."""
    drawn = derive_seed(seed, f"weights of {ref.model}")
    model, _ = load_model(ref, classes=len(data.classes), seed=drawn, image_size=data.image_size)
    return prepare(model, device)


def require_same_classes(ref: ModelRef, data: Dataset) -> None:
    """An accuracy before any training means nothing where the output units stand for other classes."""
    if ref.weights is None:
        return
    origin = read_provenance(find_weights(ref.weights))
    if origin is not None and not origin.data and origin.classes != data.classes:
        raise InputError(
            f"Nobody knows which classes the weights {ref.weights} tell apart: if they were trained on {data.name},"
            " convert them again with that as data."
        )
    if origin is not None and origin.classes != data.classes:
        raise InputError(
            f"The weights {ref.weights} tell apart the classes of {origin.data}, not those of {data.name};"
            f" train a network on {data.name} first."
        )


def provenance_of(
    spec: TransferSpec | PretrainSpec | RobustifySpec,
    data: Dataset,
    predictions: Predictions,
    arm: str,
    *,
    role: Literal["teacher", "student"],
    model: str,
    network: nn.Module,
    validation: Mapping[str, Interval],
) -> Provenance:
    """Of `network`, called `model`, which is the arm `arm` of `predictions`; `validation` is as arms record it."""
    own = preprocessing_of(network)
    clean, robust = by_group(predictions, arm, "clean"), by_group(predictions, arm, "robust")
    return Provenance(
        model=model,
        classes=data.classes,
        data=spec.data,
        recipe=spec.model_dump(mode="json"),
        seed=spec.seed,
        clean_accuracy=clean.value if clean else None,
        robust_accuracy=robust.value if robust else None,
        n_test=predictions.n,
        validated=_validated(validation),
        code_version=code_version(),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        title=spec.title,
        image_size=own.size if own is not None and own.size is not None else data.image_size,
        preprocessing=own,
        role=role,
    )


def _validated(found: Mapping[str, Interval]) -> Validated | None:
    clean, robust = found.get("validation"), found.get("validation_robust")
    if clean is None:
        return None
    return Validated(
        clean_accuracy=clean.value,
        n=clean.n,
        robust_accuracy=None if robust is None else robust.value,
        n_robust=0 if robust is None else robust.n,
    )


def keep(name: str | None, model: nn.Module, provenance: Provenance) -> str | None:
    """Save a network under `name` in the folder of weights, never over another: a taken name gets a number."""
    return None if name is None else keep_tensors(name, model.state_dict(), provenance)


def keep_tensors(name: str, tensors: Mapping[str, Tensor], provenance: Provenance) -> str:
    """The same of a network's tensors by their names; returns the name that they were saved under."""
    folder = settings.checkpoints_dir()
    folder.mkdir(parents=True, exist_ok=True)
    free = next(
        candidate
        for candidate in (name, *(f"{name}-{number}" for number in range(2, 10_000)))
        if not (folder / f"{candidate}.safetensors").exists()
    )
    save_tensors(folder / f"{free}.safetensors", tensors, provenance)
    return free
