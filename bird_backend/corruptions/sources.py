"""Who chose a corruption's constants, for images of which size; and what holds for images of sizes between.

Hendrycks & Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019,
published one script for each of three sizes. Ours: CIFAR-C's constants hold up to 48 pixels, Tiny-ImageNet-C's from
there to 64 and ImageNet-C's from 224, and between those two, each constant lies on the line between theirs, by the
logarithm of the side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

__all__ = ["CIFAR_C", "IMAGENET_C", "SIZES", "TINY_IMAGENET_C", "Between", "Source", "between", "source_of_constants"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """A published table of constants; sizes are pixels of the shorter side."""

    title: str
    script: str
    made_for: int
    least: int
    """The smallest size that has these constants exactly."""
    most: int
    """The largest."""


CIFAR_C = Source(title="CIFAR-C", script="make_cifar_c.py", made_for=32, least=1, most=48)
TINY_IMAGENET_C = Source(title="Tiny-ImageNet-C", script="make_tinyimagenet_c.py", made_for=64, least=49, most=64)
IMAGENET_C = Source(title="ImageNet-C", script="make_imagenet_c.py", made_for=224, least=224, most=2**30)

SIZES = (
    f"images of up to {CIFAR_C.most} pixels have {CIFAR_C.title}'s, from there to {TINY_IMAGENET_C.most}"
    f" {TINY_IMAGENET_C.title}'s, from {IMAGENET_C.least} {IMAGENET_C.title}'s",
    "between these sizes, constants are interpolated: our choice",
)
"""Which images have whose constants, in words."""


@dataclass(frozen=True, kw_only=True)
class Between:
    """A place between two tables, `share` of the way from the lower to the upper; or in one, which is both."""

    lower: Source
    upper: Source
    share: float = 0.0


def between(side: int, sources: Sequence[Source] = (CIFAR_C, TINY_IMAGENET_C, IMAGENET_C)) -> Between:
    """Where images stand whose shorter side has so many pixels, among tables in the order of their sizes."""
    for lower, upper in pairwise(sources):
        if side <= lower.most:
            return Between(lower=lower, upper=lower)
        if side < upper.least:
            share = math.log(side / lower.most) / math.log(upper.least / lower.most)
            return Between(lower=lower, upper=upper, share=share)
    return Between(lower=sources[-1], upper=sources[-1])


def source_of_constants(side: int) -> str:
    """In words, whose constants images have whose shorter side has so many pixels: `CIFAR-C's constants`."""
    place = between(side)
    if place.lower != place.upper:
        lower, upper = place.lower, place.upper
        return f"constants between {lower.title}'s and {upper.title}'s for {side} pixels, interpolated: our choice"
    made_for = "" if side == place.lower.made_for else f", made for {place.lower.made_for} pixels"
    return f"{place.lower.title}'s constants{made_for}"
