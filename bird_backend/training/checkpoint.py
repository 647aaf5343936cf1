"""What a run resumes or is forked from: one safetensors file, replaced whole, with all that the next step depends on.

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

__all__ = ["Checkpoint", "Origin", "begin_from", "load_checkpoint", "save_checkpoint", "where_taken"]


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """After how many steps it was taken, and how long the metrics were then."""

    step: int
    metrics_size: int


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Another run's checkpoint, which a training begins from rather than from its own start."""

    path: Path
    same_method: bool
    """Whether it was trained by the same method between the same layers, so that its own state counts."""


def save_checkpoint(
    path: Path,
    checkpoint: Checkpoint,
    *,
    model: nn.Module,
    method: nn.Module,
    optimiser: optim.Optimizer,
    durable: bool = True,
) -> None:
    """Write model, method and optimiser state beside the old file, then replace it; wait for the disk if `durable`."""
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"method.{name}": tensor for name, tensor in method.state_dict().items()}
    for index, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{name}"] = value
    metadata = {"checkpoint": json.dumps({"step": checkpoint.step, "metrics_size": checkpoint.metrics_size})}
    temporary = path.with_name(f".{path.name}")
    save_file(separate(tensors), temporary, metadata=metadata)
    if durable:
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
    temporary.replace(path)


def load_checkpoint(
    path: Path, *, model: nn.Module, method: nn.Module, optimiser: optim.Optimizer
) -> Checkpoint | None:
    """Put everything back as it was; none where there is no checkpoint yet. A damaged file is a `RunError`."""
    if not path.exists():
        return None
    taken, tensors = _read(path)
    model.load_state_dict(_under("model.", tensors))
    method.load_state_dict(_under("method.", tensors))
    optimiser.load_state_dict({**optimiser.state_dict(), "state": _optimiser_state(tensors)})
    return taken


def begin_from(origin: Origin, *, model: nn.Module, method: nn.Module, optimiser: optim.Optimizer) -> int:
    """Put in what the origin has for these: the model, and of method and optimiser what means the same here.

    Returns the step it was taken after. The optimiser's momentum of the model's parameters goes on where the same ones
    are trained by the same kind of optimiser; of the method's own where its state does. A file that is gone, damaged or
    of another model is a `RunError`.
    """
    if not origin.path.exists():
        raise RunError(f"The checkpoint {origin.path.name} that this run goes on from is gone; fork the run anew.")
    taken, tensors = _read(origin.path)
    try:
        model.load_state_dict(_under("model.", tensors))
    except RuntimeError as error:
        raise RunError(f"The checkpoint {origin.path.name} is of another network than this run's student.") from error
    if origin.same_method:
        method.load_state_dict(_under("method.", tensors))
    theirs, parameters = _optimiser_state(tensors), optimiser.param_groups[0]["params"]
    own = len(parameters) if origin.same_method else sum(p.requires_grad for p in model.parameters())
    state = {index: theirs[index] for index in range(own) if index in theirs}
    if len(state) == own and all(_fits(state[index], parameters[index], optimiser) for index in state):
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return taken.step


def _fits(state: dict[str, Tensor], parameter: Tensor, optimiser: optim.Optimizer) -> bool:
    """Whether an optimiser of this kind would have it of a parameter of that shape."""
    names = {"step", "exp_avg", "exp_avg_sq"} if isinstance(optimiser, optim.AdamW) else {"momentum_buffer"}
    return set(state) == names and all(
        value.shape == parameter.shape for name, value in state.items() if name != "step"
    )


def _read(path: Path) -> tuple[Checkpoint, dict[str, Tensor]]:
    with _opened(path) as file:
        return _taken(file), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping


def _optimiser_state(tensors: dict[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _under("optimiser.", tensors).items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = tensor
    return state


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
