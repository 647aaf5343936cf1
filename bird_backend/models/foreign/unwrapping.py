"""Which of a file's tensors are a network's weights, and what stands before their names.

A checkpoint wraps a network in mappings (`state_dict`, `model`, `ema`), and names are wrapped in turn (`module.` by
DataParallel, `_orig_mod.` by compile, `backbone.` by an own class). Joined with dots, all of it is one prefix, and so
there is no list of wrappings here: every prefix that enough tensors share is tried for a network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Group", "Shapes", "groups", "is_averaged", "wrapping"]

Shapes = Mapping[str, tuple[int, ...]]
_DEEPEST = 6
_MOST = 40
_LEAST_SHARE = 0.04
_AVERAGED = re.compile(r"(?:^|[._])(?:ema|swa|averaged?)(?:[._]|$)|^ema|ema$", re.IGNORECASE)
_RENAMED: tuple[tuple[re.Pattern[str], str], ...] = (
    # torchvision's oldest files, whose names its own loading changes too.
    (re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)"), r"\1\2"),
    (re.compile(r"(\.mlp)\.linear_1\."), r"\1.0."),
    (re.compile(r"(\.mlp)\.linear_2\."), r"\1.3."),
)


@dataclass(frozen=True, kw_only=True)
class Group:
    """The tensors of a file under one prefix, by the names that remain."""

    prefix: str
    """Empty, or ending with a dot."""
    shapes: Shapes
    sources: Mapping[str, str]
    """Each name's tensor in the file."""

    @property
    def averaged(self) -> bool:
        """Whether the prefix says that it is an average of weights over training (EMA, SWA)."""
        return is_averaged(self.prefix)


def is_averaged(prefix: str) -> bool:
    """Whether some part of the prefix names an average of weights."""
    return _AVERAGED.search(prefix) is not None


def groups(tensors: Shapes, part: str | None = None) -> list[Group]:
    """Every prefix with enough tensors to be a network, plain weights before averaged ones, outer before inner.

    `part` is a prefix that all of them have to lie under, without its last dot.
    """
    under = [name for name in tensors if part is None or name.startswith(f"{part}.")]
    found: dict[str, list[str]] = {}
    for name in under:
        pieces = name.split(".")
        for depth in range(min(len(pieces), _DEEPEST + 1)):
            prefix = "".join(f"{piece}." for piece in pieces[:depth])
            found.setdefault(prefix, []).append(name)
    least = max(2, _LEAST_SHARE * len(under))
    start = 0 if part is None else len(part) + 1
    kept = [prefix for prefix, names in found.items() if len(names) >= least and len(prefix) >= start]
    kept.sort(key=lambda prefix: (is_averaged(prefix), prefix.count(".")))  # else as in the file
    return [_group(prefix, found[prefix], tensors) for prefix in kept[:_MOST]]


def wrapping(prefix: str, mappings: Iterable[str]) -> tuple[str, str]:
    """A prefix in two: the mapping that the weights lay in, and what stood before each name there."""
    outer = [name for name in mappings if name and prefix.startswith(f"{name}.")]
    mapping = max(outer, key=len, default="")
    return mapping, prefix[len(mapping) + 1 :] if mapping else prefix


def _group(prefix: str, names: Sequence[str], tensors: Shapes) -> Group:
    sources = {_renamed(name[len(prefix) :]): name for name in names}
    shapes = {name: tensors[source] for name, source in sources.items()}
    return Group(prefix=prefix, shapes=shapes, sources=sources)


def _renamed(name: str) -> str:
    for pattern, new in _RENAMED:
        name = pattern.sub(new, name)
    return name
