"""Which network a group of tensors is of: by its fingerprint, or else the one that shares most of its tensors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from bird_backend.catalog.signatures import Signature, body, fingerprint, mark, short, signatures
from bird_backend.models.foreign.unwrapping import Group, Shapes

__all__ = ["Candidate", "closest", "exact"]

_LARGEST_GROUPS = 12
_LEAST_HITS = 0.2
"""Of a sample; fewer may be there by chance in a large file."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A network that a group may be of, and how like it is: the share of tensors, roughly, that both have."""

    group: Group
    signature: Signature
    likeness: float


def exact(found: Sequence[Group]) -> list[Candidate]:
    """The groups that have all tensors of a network and no others, in their order."""
    return [
        Candidate(group=group, signature=signature, likeness=1.0)
        for group in found
        for signature in _with_fingerprint(group.shapes)
    ]


def closest(found: Sequence[Group], count: int = 4) -> list[Candidate]:
    """The networks that have most in common with a group, likest first; none where nothing is alike."""
    largest = sorted(found, key=lambda group: -len(group.shapes))[:_LARGEST_GROUPS]
    candidates = []
    for group in largest:
        marks = {short(each) for each in body(group.shapes, ()).values()}
        for signature in signatures():
            hits = sum(each in marks for each in signature.sample) / len(signature.sample)
            likeness = hits * signature.tensors / max(signature.tensors, len(marks))
            if hits >= _LEAST_HITS:
                candidates.append(Candidate(group=group, signature=signature, likeness=likeness))
    return sorted(candidates, key=lambda candidate: -candidate.likeness)[:count]


def _with_fingerprint(shapes: Shapes) -> list[Signature]:
    marks = body(shapes, ())
    total = sum(marks.values())
    found = []
    for heads, known in _by_heads().items():
        if all(name in shapes for name in heads):
            rest = total - sum(mark(name, shapes[name]) for name in heads)
            if (signature := known.get(fingerprint([rest]))) is not None:
                found.append(signature)
    return found


@cache
def _by_heads() -> Mapping[tuple[str, ...], Mapping[str, Signature]]:
    found: dict[tuple[str, ...], dict[str, Signature]] = defaultdict(dict)
    for signature in signatures():
        found[signature.heads].setdefault(signature.fingerprint, signature)
    return found
