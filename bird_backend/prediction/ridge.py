"""Ridge regression whose penalty is chosen inside the rows it is fitted on, by leaving out one group at a time."""

from __future__ import annotations

import numpy as np

__all__ = ["PENALTIES", "choose_penalty", "ridge"]

PENALTIES = tuple(float(penalty) for penalty in np.logspace(-3, 3, 13))
"""Of standardised columns, as a share of the number of rows: 1 halves the coefficient of a column alone."""


def ridge(X: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """The constant and p coefficients [1 + p] of the columns as given, the penalty being on standardised ones.

    The constant is not penalised; a column that is the same in every row gets nothing.
    """
    return np.asarray(_paths(X, y, (penalty,))[0])


def choose_penalty(X: np.ndarray, y: np.ndarray, groups: np.ndarray) -> float:
    """The one of `PENALTIES` whose squared error is smallest on groups left out in turn; the largest of equal ones."""
    errors = np.zeros(len(PENALTIES))
    for group in np.unique(groups):
        held = groups == group
        found = _paths(X[~held], y[~held], PENALTIES)  # (penalties, 1 + p)
        errors += ((found[:, :1] + found[:, 1:] @ X[held].T - y[held]) ** 2).sum(axis=1)
    return PENALTIES[len(PENALTIES) - 1 - int(np.argmin(errors[::-1]))]


def _paths(X: np.ndarray, y: np.ndarray, penalties: tuple[float, ...]) -> np.ndarray:
    centre, scale = X.mean(axis=0), X.std(axis=0)
    scale = np.where(scale > 1e-12 * np.maximum(np.abs(centre), 1e-300), scale, np.inf)
    U, singular, Vt = np.linalg.svd((X - centre) / scale, full_matrices=False)
    shrunk = singular / (singular**2 + len(X) * np.array(penalties)[:, None])  # (penalties, rank)
    slopes = (shrunk * (U.T @ (y - y.mean()))) @ Vt / scale
    return np.column_stack([y.mean() - slopes @ centre, slopes])
