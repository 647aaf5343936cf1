"""Poisson counts by Walker's alias method: any of them takes one random word and two look-ups, however large.

A row of the table cuts the counts of one mean into equal columns, each shared by two counts at most.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bird_backend.corruptions.draws import random_words

__all__ = ["poisson_shares"]

_Array = NDArray[np.floating[Any]]

_LEVELS = 255
_DITHER = 8
"""Random bits, out of 32, that choose between two neighbouring levels."""


def poisson_shares(images: Tensor, generator: torch.Generator, photons: float) -> Tensor:
    """Poisson counts of mean `photons * images` as shares of `photons`, for images in [0,1].

    Exact to 2^-24 for whole levels, k/255; a value between two takes either's place, at odds that keep the mean.
    """
    table = _table(photons, images.device)
    chance = random_words(images.shape, generator)
    steps = images.detach().mul(_LEVELS << _DITHER).add_(0.5).to(torch.int32)
    level = steps.add_(chance & ((1 << _DITHER) - 1)).bitwise_right_shift_(_DITHER)
    chance.bitwise_right_shift_(_DITHER)
    column = level.bitwise_left_shift_(table.column_bits).bitwise_or_(chance & ((1 << table.column_bits) - 1)).flatten()
    height = chance.bitwise_right_shift_(table.column_bits).bitwise_and_((1 << table.height_bits) - 1).flatten()
    above = table.heights.index_select(0, column).sub_(height).bitwise_right_shift_(31)  # -1 or 0, faster than <
    return table.shares.index_select(0, column.mul_(2).sub_(above)).view(images.shape)


@dataclass(frozen=True, kw_only=True, eq=False)
class _AliasTable:
    """`shares[2c]` is drawn in column c at most `heights[c]` high, `shares[2c + 1]` above it."""

    column_bits: int
    height_bits: int
    heights: Tensor
    shares: Tensor


@lru_cache(maxsize=32)
def _table(photons: float, device: torch.device) -> _AliasTable:
    # Counts further than 5.6 deviations from their mean are rarer than the table can tell.
    column_bits = math.ceil(math.log2(11.2 * math.sqrt(photons) + 5))
    height_bits = 32 - _DITHER - column_bits
    columns = 1 << column_bits
    means = np.arange(_LEVELS + 1) * (photons / _LEVELS)
    first = np.maximum(np.rint(means) - columns // 2, 0)
    counts = first[:, None] + np.arange(columns)
    heights, aliases = _share_columns(_poisson_odds(counts, means[:, None]))
    pairs = np.stack([counts, np.take_along_axis(counts, aliases, axis=1)], axis=2) / photons
    return _AliasTable(
        column_bits=column_bits,
        height_bits=height_bits,
        heights=torch.from_numpy(np.rint(heights * (1 << height_bits) - 1).astype(np.int32)).flatten().to(device),
        shares=torch.from_numpy(pairs.astype(np.float32)).flatten().to(device),
    )


def _poisson_odds(counts: _Array, means: _Array) -> _Array:
    log_factorials = torch.lgamma(torch.from_numpy(counts + 1)).numpy()
    odds = np.exp(counts * np.log(np.maximum(means, 1e-300)) - means - log_factorials)
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _share_columns(odds: _Array) -> tuple[_Array, NDArray[np.int64]]:
    """Heights [0,1] and aliases for rows of odds: the poorest column is filled up by the richest, again and again."""
    rows, columns = np.arange(len(odds)), odds.shape[1]
    left = odds * columns
    heights, aliases = np.ones_like(odds), np.tile(np.arange(columns), (len(odds), 1))
    open_columns = left.copy()
    for _ in range(columns - 1):
        poorest, richest = open_columns.argmin(axis=1), left.argmax(axis=1)
        heights[rows, poorest] = left[rows, poorest]
        aliases[rows, poorest] = richest
        left[rows, richest] -= 1 - left[rows, poorest]
        open_columns[rows, richest] = left[rows, richest]
        open_columns[rows, poorest], left[rows, poorest] = np.inf, -np.inf
    return heights, aliases
