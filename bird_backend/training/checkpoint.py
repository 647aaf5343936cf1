"""What a run resumes from: one safetensors file, replaced whole, with everything the next step depends on.

Random numbers need no state here: each step seeds its own (see `seeds`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn, optim

from bird_backend.errors import RunError
from bird_backend.models.weights import separate

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint", "where_taken"]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """After how many steps it was taken, and how long the metrics were then."""

    step: int
    metrics_size: int


def save_checkpoint(
    path: Path, checkpoint: Checkpoint, *, model: nn.Module, method: nn.Module, optimiser: optim.Optimizer
) -> None:
    """Write model, method and optimiser state beside the old file, then replace it."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"method.{name}": tensor for name, tensor in method.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{name}"] = value
    metadata = {"checkpoint": json.dumps({"step": checkpoint.step, "metrics_size": checkpoint.metrics_size})}
    temporary = path.with_name(f".{path.name}")
    save_file(separate(tensors), temporary, metadata=metadata)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)


def load_checkpoint(
    path: Path, *, model: nn.Module, method: nn.Module, optimiser: optim.Optimizer
) -> Checkpoint | None:
    """Put everything back as it was; none where there is no checkpoint yet. A damaged file is a `RunError`."""
    if not path.exists():
        return None
    with _opened(path) as file:
        taken = _taken(file)
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    model.load_state_dict(_under("model.", tensors))
    method.load_state_dict(_under("method.", tensors))
    document = optimiser.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimiser.", tensors).items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**document, "state": state})
    return taken


def where_taken(path: Path) -> Checkpoint | None:
    """After which step a checkpoint was taken, from its header alone; none where there is none yet."""
    if not path.exists():
        return None
    with _opened(path) as file:
        return _taken(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise RunError(f"The checkpoint {path.name} can't be read ({error}); start the run anew.") from error


def _taken(file: Any) -> Checkpoint:
    header = json.loads(file.metadata()["checkpoint"])
    return Checkpoint(step=header["step"], metrics_size=header["metrics_size"])


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
