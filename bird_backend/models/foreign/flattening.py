"""A loaded checkpoint, which may be mappings in mappings, as one mapping from dotted names to tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from bird_backend.errors import is_plain

__all__ = ["Flat", "NotWeightsError", "flatten"]

MOST_TENSORS = 50_000
_DEEPEST = 6
_LONGEST_NAME = 400
_NOT_WEIGHTS = ("optim", "scheduler", "scaler", "amp", "rng", "criterion", "loss")
"""Beginnings of names under which a training loop keeps its own state."""
_CLASSES = ("classes", "class_names", "class_to_idx", "idx_to_class", "categories")
"""Names under which one finds the classes' names."""


class NotWeightsError(Exception):
    """The end of a sentence about the file: what about it is not weights that are read."""


@dataclass
class Flat:
    """`tensors` by their names joined with dots; `mappings`, the names of those that tensors lay in directly."""

    tensors: dict[str, Tensor] = field(default_factory=dict)
    mappings: list[str] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    _seen: set[int] = field(default_factory=set)


def flatten(document: Any) -> Flat:
    """Every tensor of the checkpoint but a training loop's own; none at all is a `NotWeightsError`."""
    if isinstance(document, Tensor):
        raise NotWeightsError("holds a single tensor, not a network's weights by their names")
    found = Flat()
    _walk(document, "", found, 0)
    if not found.tensors:
        raise NotWeightsError("holds no weights: there is no tensor in it that has a name")
    return found


def _walk(node: Any, path: str, found: Flat, depth: int) -> None:
    if id(node) in found._seen or depth > _DEEPEST:
        return
    if isinstance(node, Mapping):
        entries = [(name, value) for name, value in node.items() if isinstance(name, str)]
    elif isinstance(node, Sequence) and not isinstance(node, str | bytes) and len(node) <= _LONGEST_NAME:
        entries = [(str(index), value) for index, value in enumerate(node) if isinstance(value, Mapping)]
    else:
        return
    found._seen.add(id(node))
    if any(isinstance(value, Tensor) for _, value in entries):
        found.mappings.append(path)
    for name, value in entries:
        full = f"{path}.{name}" if path else name
        if isinstance(value, Tensor):
            _take(full, value, found)
        elif depth <= 1 and name in _CLASSES and (classes := _class_names(value)):
            found.classes = classes
        elif not name.lower().startswith(_NOT_WEIGHTS):
            _walk(value, full, found, depth + 1)


def _take(name: str, tensor: Tensor, found: Flat) -> None:
    if len(name) > _LONGEST_NAME or not is_plain(name):
        return  # no network calls a tensor so; one that is missing will be told
    if len(found.tensors) >= MOST_TENSORS:
        raise NotWeightsError(f"holds more than {MOST_TENSORS:,} tensors, the most that are read")
    found.tensors[name] = tensor


def _class_names(value: Any) -> list[str]:
    """Names in the order of their numbers, from a list, a mapping to numbers or one from numbers; none from others."""
    if isinstance(value, Mapping):
        pairs = list(value.items())
        if all(isinstance(key, str) and isinstance(number, int) for key, number in pairs):
            pairs = [(number, key) for key, number in pairs]
        try:
            value = [name for _, name in sorted((int(number), name) for number, name in pairs)]
        except (TypeError, ValueError):
            return []
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) and is_plain(name) for name in value):
        return []
    return list(value)
