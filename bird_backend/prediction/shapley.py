"""How much of R² is each column's: its Shapley value (Lindeman, Merenda & Gold 1980; Lipovetsky & Conklin 2001)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import comb

import numpy as np

__all__ = ["shapley", "subsets"]


def subsets(players: int) -> list[frozenset[int]]:
    """All of them, the empty one first."""
    return [frozenset(chosen) for size in range(players + 1) for chosen in combinations(range(players), size)]


def shapley(worth: Mapping[frozenset[int], np.ndarray], players: int) -> np.ndarray:
    """What each player adds to a set of others, over all orders in which they can come: [players, ...].

    `worth` says what every subset is worth, as arrays of one shape. The shares sum to the worth of all less that of
    none.
    """
    shares = []
    for player in range(players):
        added = 0.0
        for others in subsets(players):
            if player not in others:
                chance = 1 / (players * comb(players - 1, len(others)))
                added = added + chance * (worth[others | {player}] - worth[others])
        shares.append(added)
    return np.array(shares)
