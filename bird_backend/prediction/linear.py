"""Least squares with rows that come in groups: coefficients, their covariance over groups, and leverage."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["LeastSquares", "determined", "with_constant"]


def with_constant(X: np.ndarray) -> np.ndarray:
    """[n, p] with a column of ones before it."""
    return np.column_stack([np.ones(len(X)), X])


def determined(X: np.ndarray) -> bool:
    """Whether least squares on [n, p] and a constant has one answer, whatever the columns' scales."""
    spread = X.std(axis=0)
    if len(X) <= X.shape[1] or (spread <= 1e-12 * np.abs(X).max(axis=0)).any():
        return False
    rows = with_constant((X - X.mean(axis=0)) / spread)
    return bool(np.linalg.matrix_rank(rows, tol=1e-8 * np.sqrt(len(X))) == rows.shape[1])


@dataclass(frozen=True, eq=False)
class LeastSquares:
    """y [n] on a constant and X [n, p], as they are in `groups` [n]."""

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray

    @cached_property
    def coefficients(self) -> np.ndarray:
        """The constant, then one a column: [1 + p]."""
        return _solve(self.X, self.y)

    @cached_property
    def residuals(self) -> np.ndarray:
        """Real less fitted [n]."""
        residuals: np.ndarray = self.y - self.fitted(self.X)
        return residuals

    @cached_property
    def noise(self) -> float:
        """Variance of what is left of a row, over n − 1 − p degrees of freedom."""
        return float((self.residuals**2).sum() / max(len(self.y) - self.X.shape[1] - 1, 1))

    @cached_property
    def covariance(self) -> np.ndarray | None:
        """Of the coefficients over groups [1 + p, 1 + p]: the jackknife, (G − 1)/G Σ (b₋g − b)(b₋g − b)′.

        It makes no assumption on how rows of one group hang together and is the most careful of the cluster-robust
        ones with few groups (CV3; MacKinnon, Nielsen & Webb 2023). None where a group can't be left out.
        """
        moved = []
        for group in np.unique(self.groups):
            others = self.groups != group
            if not determined(self.X[others]):
                return None
            moved.append(_solve(self.X[others], self.y[others]) - self.coefficients)
        steps = np.array(moved)
        covariance: np.ndarray = (len(steps) - 1) / len(steps) * steps.T @ steps
        return covariance

    def fitted(self, X: np.ndarray) -> np.ndarray:
        """What the line says of rows [m, p]: [m]."""
        values: np.ndarray = with_constant(X) @ self.coefficients
        return values

    def leverage(self, X: np.ndarray) -> np.ndarray:
        """x′(X′X)⁻¹x of rows [m, p]: how far each lies from what was fitted on, 1/n at its middle; [m]."""
        centre, scale = self.X.mean(axis=0), self.X.std(axis=0)
        _, triangle = np.linalg.qr(with_constant((self.X - centre) / scale))
        rows = np.linalg.solve(triangle.T, with_constant((X - centre) / scale).T)
        return np.asarray((rows**2).sum(axis=0))


def _solve(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    # Centred and scaled: parameters and shares differ by six orders of magnitude.
    centre, scale = X.mean(axis=0), X.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    slopes = np.linalg.lstsq((X - centre) / scale, y - y.mean(), rcond=None)[0] / scale
    return np.concatenate([[y.mean() - centre @ slopes], slopes])
