"""Whether a group of tensors is a network's, tensor by tensor: what is taken for what, in words what doesn't fit."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bird_backend.models.foreign.unwrapping import Group, Shapes

__all__ = ["Fit", "fit"]

_SHOWN = 3
_COUNTER = "num_batches_tracked"
_HARMLESS = re.compile(
    r"(?:^|\.)(?:total_ops|total_params|n_averaged|attn_mask|relative_position_index)$"  # counted, or computed anew
    r"|^(?:aux1|aux2|AuxLogits|aux_classifier)\."  # classifiers for training alone
)


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a group compares with the network it is taken for."""

    sources: Mapping[str, str | None]
    """For each tensor of the network the one in the file; none: a BatchNorm counter that is filled with zero."""
    heads: tuple[str, ...]
    classes: int
    total: int
    """Tensors of the network, without counters that are filled."""
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    misshapen: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]
    """Name, shape in the file, shape in the network."""
    remarks: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether the network's forward pass is made of this file's tensors and of no others."""
        return not (self.missing or self.unexpected or self.misshapen)

    @property
    def headless(self) -> bool:
        """Whether nothing is wrong but that there is no classifier."""
        return not (self.unexpected or self.misshapen) and set(self.missing) == set(self.heads)

    @property
    def agreeing(self) -> int:
        """Tensors that are the same on both sides."""
        return self.total - len(self.missing) - len(self.misshapen)

    @property
    def likeness(self) -> float:
        """Their share of both sides'."""
        return self.agreeing / max(1, self.total + len(self.unexpected))

    def differences(self) -> str:
        """What doesn't fit, counted, the first few by name."""
        wrong = [f"{name} is {list(given)}, not {list(right)}" for name, given, right in self.misshapen]
        parts = (("missing", self.missing), ("too many", self.unexpected), ("of another shape", wrong))
        return "; ".join(f"{len(names)} {what} ({_first(names)})" for what, names in parts if names)


def fit(group: Group, expected: Shapes, heads: Sequence[str], others: Shapes) -> Fit:
    """`group` against a network's tensors; `heads` have a row for each class, and `others` is what else the file has.

    A classifier that stands elsewhere than the network's is taken for it where there is only one that could be.
    """
    shapes, sources, remarks = dict(group.shapes), dict(group.sources), []
    if moved := _moved_head(shapes, expected, heads, others):
        home = moved[0].removesuffix(".weight")
        for head, name in zip(heads, moved, strict=True):
            inside = name in shapes
            sources[head] = sources.pop(name) if inside else name
            shapes[head] = shapes.pop(name) if inside else others[name]
        remarks.append(f"{home} was taken for the classifier {heads[0].removesuffix('.weight')}")
    classes = shapes[heads[0]][0] if heads and shapes.get(heads[0]) else 0
    wanted = {name: (classes, *shape[1:]) if name in heads else tuple(shape) for name, shape in expected.items()}
    counters = [name for name in wanted if name.endswith(_COUNTER) and name not in shapes]
    if counters:
        remarks.append(f"{len(counters)} BatchNorm counters ({_COUNTER}) were missing and are filled with 0")
    spare = [name for name in shapes if name not in wanted]
    dropped = [name for name in spare if _HARMLESS.search(name)]
    if dropped:
        remarks.append(f"{len(dropped)} tensors that its output does not depend on were left out ({_first(dropped)})")
    taken: dict[str, str | None] = {name: sources[name] for name in wanted if name in shapes}
    return Fit(
        sources=taken | dict.fromkeys(counters),
        heads=tuple(heads),
        classes=classes,
        total=len(wanted) - len(counters),
        missing=tuple(name for name in wanted if name not in shapes and name not in counters),
        unexpected=tuple(name for name in spare if name not in dropped),
        misshapen=tuple(
            (name, tuple(shapes[name]), shape)
            for name, shape in wanted.items()
            if name in shapes and tuple(shapes[name]) != shape
        ),
        remarks=tuple(remarks),
    )


def _moved_head(shapes: Shapes, expected: Shapes, heads: Sequence[str], others: Shapes) -> tuple[str, ...]:
    """The names of the one linear layer that could be the classifier, where the network's own is not there."""
    if len(heads) != 2 or any(head in shapes for head in heads):
        return ()
    inputs = tuple(expected[heads[0]][1:])
    spare = {name: shape for name, shape in shapes.items() if name not in expected} | dict(others)
    found = [
        (name, bias)
        for name, shape in spare.items()
        if name.endswith(".weight") and tuple(shape[1:]) == inputs
        if spare.get(bias := f"{name.removesuffix('weight')}bias") == tuple(shape[:1])
        if _stands_alone(name, spare) and "proj" not in name  # a projection's rows are no classes
    ]
    return found[0] if len(found) == 1 else ()


def _stands_alone(name: str, among: Shapes) -> bool:
    """Whether a layer, or the `Sequential` that it is in, holds nothing else."""
    home = re.sub(r"(\.\d+)?\.weight$", "", name)
    return sum(other.startswith(f"{home}.") for other in among) == 2


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
