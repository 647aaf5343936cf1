"""By what each network's weights are recognised: a fingerprint of its tensors' names and shapes, whatever its classes.

`python -m bird_backend assets signatures` writes `signatures.json`. Networks that share all names and shapes share one
signature: they differ in what weights don't show, such as an activation or a stride.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

__all__ = [
    "SIGNATURES_FILE",
    "Signature",
    "body",
    "fingerprint",
    "mark",
    "sample",
    "short",
    "signatures",
    "write_signatures",
]

SIGNATURES_FILE = Path(__file__).with_name("signatures.json")
_SAMPLE = 12
_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class Signature:
    """A network's tensors in few bytes. `names` share it, the first is the one to say."""

    names: tuple[str, ...]
    image_sizes: tuple[int, ...]
    """Sides of images at which they have these tensors, the likeliest first: below 64 pixels the stem is another."""
    heads: tuple[str, ...]
    """Tensors whose shape depends on the classes; the first has a row for each."""
    tensors: int
    """How many there are besides, without BatchNorm's counters."""
    fingerprint: str
    """Of those."""
    sample: tuple[int, ...]
    """The marks of some of them, to see how much of the network a file has."""


def mark(name: str, shape: Iterable[int]) -> int:
    """Sixty-four bits that stand for a tensor's name and shape."""
    said = f"{name} {','.join(map(str, shape))}"
    return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big")


def body(shapes: Mapping[str, tuple[int, ...]], heads: Iterable[str]) -> dict[str, int]:
    """The marks of all tensors but the heads and BatchNorm's counters, which old files lack."""
    left_out = set(heads)
    return {
        name: mark(name, shape)
        for name, shape in shapes.items()
        if name not in left_out and not name.endswith("num_batches_tracked")
    }


def fingerprint(marks: Iterable[int]) -> str:
    """Of any order; a sum, so that what all but a few tensors have can be told by taking those away."""
    return f"{sum(marks) % 2**64:016x}"


def sample(marks: Iterable[int]) -> tuple[int, ...]:
    """The smallest marks, cut short: as good as drawn at random, and the same ones every time."""
    return tuple(short(each) for each in sorted(marks)[:_SAMPLE])


def short(mark: int) -> int:
    """A mark as samples have it, in 24 bits: one in thirty thousand of a large file's is there by chance."""
    return mark >> (64 - 4 * _DIGITS)


@cache
def signatures(path: Path = SIGNATURES_FILE) -> tuple[Signature, ...]:
    """Every signature there is: the catalogue's own networks first, then torchvision's, then timm's."""
    return tuple(
        Signature(
            names=tuple(names),
            image_sizes=tuple(image_sizes),
            heads=tuple(heads),
            tensors=tensors,
            fingerprint=whole,
            sample=tuple(int(some[at : at + _DIGITS], 16) for at in range(0, len(some), _DIGITS)),
        )
        for names, image_sizes, heads, tensors, whole, some in json.loads(path.read_text("utf-8"))
    )


def write_signatures(found: Iterable[Signature], path: Path = SIGNATURES_FILE) -> None:
    """One line each, its fields in their order."""
    lines = (
        json.dumps(
            [*list(vars(signature).values())[:-1], "".join(f"{each:0{_DIGITS}x}" for each in signature.sample)],
            separators=(",", ":"),
        )
        for signature in found
    )
    path.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")
    signatures.cache_clear()
