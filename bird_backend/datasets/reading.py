"""What was found in a folder or zip of images, and what had to be done to it: nothing of that happens in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bird_backend.datasets.images import Decoded
from bird_backend.errors import plain

__all__ = ["Reading", "why_skipped"]

_MOST_KINDS = 5


@dataclass(kw_only=True)
class Reading:
    """Counts over the images that were read, and over the files that were not, by reason."""

    image_size: int
    """The side that images were brought to."""
    images: int = 0
    squashed: int = 0
    """Not square, so their proportions were changed."""
    enlarged: int = 0
    """Smaller than a network's input on a side."""
    transparent: int = 0
    """Put on white."""
    smallest: tuple[int, int] | None = None
    """Width and height of the image with the fewest pixels."""
    largest: tuple[int, int] | None = None
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Files that were left out, by reason."""

    def add(self, image: Decoded) -> None:
        """Count an image that was read."""
        size = image.width, image.height
        self.images += 1
        self.squashed += image.width != image.height
        self.enlarged += min(size) < self.image_size
        self.transparent += image.transparent
        self.smallest = min(self.smallest or size, size, key=_pixels)
        self.largest = max(self.largest or size, size, key=_pixels)

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    def remarks(self) -> list[str]:
        """A sentence for each thing that a person would want to know of before training on it."""
        side = f"{self.image_size}×{self.image_size}"
        found = [
            (self.squashed, f"not square and squashed to {side}"),
            (self.enlarged, f"smaller than {side} and enlarged"),
            (self.transparent, "transparent in places and put on white"),
        ]
        told = [f"{n:,} of {self.images:,} images {'is' if n == 1 else 'are'} {what}." for n, what in found if n]
        return told + [f"{n:,} file{'s' if n > 1 else ''} left out: {reason}." for reason, n in self.skipped.items()]


def why_skipped(suffixes: Sequence[str], *, outside: int) -> dict[str, int]:
    """Files left out by reason: those of other kinds, and `outside` images that lie in no class."""
    others = Counter(suffix or "no ending" for suffix in suffixes)
    reasons = {}
    if others:
        named = ", ".join(plain(suffix) for suffix, _ in others.most_common(_MOST_KINDS))
        reasons[f"not an image format that is read ({named})"] = others.total()
    if outside:
        reasons["in no class's folder"] = outside
    return reasons


def _pixels(size: tuple[int, int]) -> int:
    return size[0] * size[1]
