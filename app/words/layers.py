"""Layers in words: their shape, their parameters, and a measured map of their CKA."""

from __future__ import annotations

import numpy as np
import pandas as pd

from app.words.intervals import rounded
from bird_backend.catalog import LayerFacts

__all__ = ["count_words", "layer_map_words", "layer_words", "shape_words"]


def layer_words(layer: LayerFacts) -> str:
    """Path, type of module and shape of a layer in one line."""
    parts = [layer.name, layer.kind, shape_words(layer.shape)]
    if layer.classifier:
        parts.append("the classifier")
    if layer.times > 1:
        parts.append(f"runs {layer.times} times, the last one counts")
    return " · ".join(part for part in parts if part)


def shape_words(shape: tuple[int, ...]) -> str:
    """`32 × 8 × 8` for maps, `64 tokens × 64`, `64 features`."""
    if len(shape) == 1:
        return f"{shape[0]} features"
    if len(shape) == 2:
        return f"{shape[0]} tokens × {shape[1]}"
    return " × ".join(str(size) for size in shape)


def count_words(count: int) -> str:
    """Parameters, short: `464`, `55.4k`, `2.36M`; nothing for none."""
    for unit, size in (("M", 10**6), ("k", 10**3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count) if count else ""


def layer_map_words(frame: pd.DataFrame, *, when: str = "before any training") -> str:
    """Estimator, kernel, n and null of a measured layer map; `when` it was measured."""
    null = np.asarray(frame.attrs["null"], dtype=float)
    low, high = (rounded(float(end), 2) for end in (null.min(), null.max()))
    spread = high if low == high else f"{low} to {high}"
    return (
        f"CKA ({frame.attrs['estimator']}, {frame.attrs['kernel']} kernel) on {frame.attrs['n']} validation images "
        f"{when}; with the images of one side shuffled it is {spread}."
    )
