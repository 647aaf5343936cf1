"""What was found in one's own images, and what had to be done to them: nothing of that happens in silence."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bird_backend.datasets.images import Decoded
from bird_backend.errors import plain

__all__ = ["Reading", "other_kinds", "why_size"]

_MOST_KINDS = 5
_MOST_NAMES = 5
_MOST_SIZES = 12


@dataclass(kw_only=True)
class Reading:
    """Counts over the images that were read, and over the files that were not, by reason."""

    image_size: int
    """The side that images were brought to."""
    why_size: str = ""
    """In a sentence, how that came to be chosen."""
    images: int = 0
    squashed: int = 0
    """Not square, so their proportions were changed."""
    enlarged: int = 0
    """Smaller than a network's input on a side."""
    transparent: int = 0
    """Put on white."""
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    """How many images have which width and height."""
    skipped: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    """Files that were left out, by reason: how many, and the names of a few."""
    broken: int = 0
    """Images among them that could not be read."""
    first_broken: str = ""
    """The name of the first of those, and why."""
    origins: dict[str, str] = field(default_factory=dict)
    """Where each split's images come from, in words."""

    def begun(self, image_size: int) -> Reading:
        """A reading of images at that size, which begins with what was left out here."""
        skipped = {reason: (count, list(names)) for reason, (count, names) in self.skipped.items()}
        return Reading(image_size=image_size, skipped=skipped, origins=self.origins)

    def add(self, image: Decoded) -> None:
        """Count an image that was read."""
        size = image.width, image.height
        self.images += 1
        self.squashed += image.width != image.height
        self.enlarged += min(size) < self.image_size
        self.transparent += image.transparent
        self.sizes[size] += 1

    def add_many(self, size: tuple[int, int], count: int, transparent: int) -> None:
        """Count images of one width and height, so many of them transparent in places."""
        self.images += count
        self.squashed += count * (size[0] != size[1])
        self.enlarged += count * (min(size) < self.image_size)
        self.transparent += transparent
        self.sizes[size] += count

    def skip(self, reason: str, names: Iterable[str]) -> None:
        """Count files that are left out."""
        known, examples = self.skipped.get(reason, (0, []))
        names = list(names)
        self.skipped[reason] = known + len(names), [*examples, *map(plain, names[:_MOST_NAMES])][:_MOST_NAMES]

    def skip_broken(self, reason: str, name: str) -> None:
        """Count an image that can't be used."""
        self.broken += 1
        self.first_broken = self.first_broken or f"the first, {plain(name)}, is {reason}"
        self.skip(reason, [name])

    def as_dict(self) -> dict[str, Any]:
        """As JSON; `sizes` are the most frequent ones, [width, height, how many], and `distinct_sizes` their number."""
        return {
            "image_size": self.image_size,
            "why_size": self.why_size,
            "images": self.images,
            "squashed": self.squashed,
            "enlarged": self.enlarged,
            "transparent": self.transparent,
            "smallest": list(min(self.sizes, key=_pixels)) if self.sizes else None,
            "largest": list(max(self.sizes, key=_pixels)) if self.sizes else None,
            "sizes": [[*size, count] for size, count in self.sizes.most_common(_MOST_SIZES)],
            "distinct_sizes": len(self.sizes),
            "skipped": [
                {"reason": reason, "count": count, "examples": examples}
                for reason, (count, examples) in self.skipped.items()
            ],
            "broken": self.broken,
            "origins": self.origins,
        }

    def remarks(self) -> list[str]:
        """A sentence for each thing that a person would want to know of before training on it."""
        side = f"{self.image_size}×{self.image_size}"
        found = [
            (self.squashed, f"not square and squashed to {side}"),
            (self.enlarged, f"smaller than {side} and enlarged"),
            (self.transparent, "transparent in places and put on white"),
        ]
        told = [f"{n:,} of {self.images:,} images {'is' if n == 1 else 'are'} {what}." for n, what in found if n]
        for reason, (count, examples) in self.skipped.items():
            such_as = f", such as {examples[0]}" if examples else ""
            told.append(f"{count:,} file{'s' if count > 1 else ''} left out: {reason}{such_as}.")
        return told


def why_size(size: int, sizes: Collection[tuple[int, int]]) -> str:
    """Why images of these widths and heights are brought to that size where nobody asked for one."""
    if set(sizes) == {(size, size)}:
        return "all images have that size already"
    found = (
        "images have several sizes" if len(sizes) > 1 else "images have a size of their own that is not used as it is"
    )
    return f"{found}, so they are brought to the usual one; a spec's image_size says another"


def other_kinds(suffixes: Sequence[str]) -> str:
    """Why files with these endings are left out."""
    others = Counter(suffix or "no ending" for suffix in suffixes)
    named = ", ".join(plain(suffix) for suffix, _ in others.most_common(_MOST_KINDS))
    return f"not an image format that is read ({named})"


def _pixels(size: Iterable[int]) -> int:
    return math.prod(size)
