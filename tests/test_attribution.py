"""Shares of CKA: they sum to it, agree with explicit matrices, and are what a run keeps of each snapshot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.backend.attribution import attribution
from app.backend.data import SnapshotName
from bird_backend.errors import InputError
from bird_backend.evaluation.snapshots import attribute
from bird_backend.runs.attribution import read_attribution
from bird_backend.similarity import Estimator, cka, cka_shares
from tests import synthetic

ESTIMATORS: tuple[Estimator, Estimator] = ("biased", "debiased")
SHAPES = [(4, 1, 1), (16, 5, 7), (12, 300, 40), (64, 3, 500), (200, 8, 4), (1000, 64, 128)]


def pair(n: int, p: int, q: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two related representations, far from zero."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, p, generator=generator, dtype=torch.float64)
    mix = torch.randn(p, q, generator=generator, dtype=torch.float64)
    return X + 3, X @ mix / p**0.5 + 0.7 * torch.randn(n, q, generator=generator, dtype=torch.float64) - 2


def matrix(Z: np.ndarray, estimator: str) -> np.ndarray:
    """Centred by H K H; U-centred entry by entry, from Székely & Rizzo 2014, eq. 3.1."""
    n = len(Z)
    K = Z @ Z.T
    if estimator == "biased":
        H = np.eye(n) - np.ones((n, n)) / n
        return np.asarray(H @ K @ H)
    np.fill_diagonal(K, 0)
    rows, total = K.sum(axis=1), K.sum()
    A = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            if i != j:
                A[i, j] = K[i, j] - rows[i] / (n - 2) - rows[j] / (n - 2) + total / ((n - 1) * (n - 2))
    return A


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("n", "p", "q"), SHAPES)
def test_shares_sum_to_the_cka(n: int, p: int, q: int, estimator: Estimator) -> None:
    X, Y = pair(n, p, q)
    assert float(cka_shares(X, Y, estimator=estimator).share.sum()) == pytest.approx(
        float(cka(X, Y, estimator=estimator)), abs=1e-10
    )
    # What training has: float32 features, and a CKA that is worked out in float32.
    X, Y = X.float(), Y.float()
    found = cka_shares(X, Y, estimator=estimator)
    if n >= 16:
        assert float(found.share.sum()) == pytest.approx(float(cka(X, Y, estimator=estimator)), abs=1e-6)
    assert found.share.dtype == torch.float64


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("n", "p", "q"), SHAPES[:-1])
def test_each_share_is_its_row_of_the_matrices(n: int, p: int, q: int, estimator: Estimator) -> None:
    X, Y = pair(n, p, q)
    A, B = matrix(X.numpy(), estimator), matrix(Y.numpy(), estimator)
    found = cka_shares(X, Y, estimator=estimator)
    rows = (A * B).sum(axis=1)
    np.testing.assert_allclose(found.share, rows / (np.linalg.norm(A) * np.linalg.norm(B)), atol=1e-12)
    cosines = rows / (np.linalg.norm(A, axis=1) * np.linalg.norm(B, axis=1))
    np.testing.assert_allclose(found.agreement, cosines, atol=1e-9)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_invariances(estimator: Estimator) -> None:
    X, Y = pair(60, 9, 6)
    found = cka_shares(X, Y, estimator=estimator)
    turn, _ = torch.linalg.qr(torch.randn(6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    same = cka_shares(100 * X - 7, Y @ turn, estimator=estimator)
    other = cka_shares(Y, X, estimator=estimator)
    order = torch.randperm(60, generator=torch.Generator().manual_seed(2))
    moved = cka_shares(X[order], Y[order], estimator=estimator)
    for name in ("share", "agreement"):
        torch.testing.assert_close(getattr(same, name), getattr(found, name))
        torch.testing.assert_close(getattr(other, name), getattr(found, name))
        torch.testing.assert_close(getattr(moved, name), getattr(found, name)[order])
    own = cka_shares(X, X, estimator=estimator)
    torch.testing.assert_close(own.agreement, torch.ones(60, dtype=torch.float64))
    assert float(own.share.sum()) == pytest.approx(1, abs=1e-12)
    assert bool((own.share >= 0).all())


def test_the_image_that_moved_away_is_the_one_that_disagrees() -> None:
    X = torch.randn(100, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    Y = X.clone()
    Y[17] = -X[17]
    found, before = cka_shares(X, Y), cka_shares(X, X)
    assert int(found.agreement.argmin()) == 17
    # The least share may be of an image in the middle, which weighs nothing; the greatest loss is its own.
    assert int((found.share - before.share).argmin()) == 17


def test_nothing_is_known_of_constant_features() -> None:
    X, _ = pair(20, 3, 3)
    found = cka_shares(X, torch.ones(20, 4))
    assert float(found.share.abs().max()) == float(found.agreement.abs().max()) == 0
    with pytest.raises(InputError, match="same images"):
        cka_shares(X, X[:-1])
    with pytest.raises(InputError, match="at least 4 images"):
        cka_shares(X[:3], X[:3])


def test_a_snapshot_keeps_them_and_older_ones_lack_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    run = synthetic.write_transfer("done", umap=False)
    name = SnapshotName("bird", synthetic.STEPS)
    found = attribution(run, name)
    assert found is not None
    features: dict[str, Any] = {}
    for which in (SnapshotName("teacher", 0), name):
        with np.load(run.directory.artifacts / which.file) as file:
            features[which.model] = torch.from_numpy(file["features"].astype(np.float64))
    made = attribute(features["teacher"], features["bird"])
    np.testing.assert_allclose(found.share, made.share, atol=1e-5)
    np.testing.assert_allclose(found.agreement, made.agreement, atol=1e-4)
    assert made.share.dtype == np.float32
    both = (
        float(cka(features["teacher"], features["bird"])),
        float(cka(features["teacher"], features["bird"], estimator="biased")),
    )
    # Even of what the file keeps, in single precision.
    assert (float(made.share.sum(dtype=np.float64)), float(made.share_biased.sum(dtype=np.float64))) == pytest.approx(
        both, abs=1e-6
    )
    assert attribution(run, SnapshotName("teacher", 0)) is None
    with np.load(run.directory.artifacts / name.file) as file:
        np.savez(run.directory.artifacts / name.file, **{key: file[key] for key in ("gram", "features", "pca")})
    assert read_attribution(run.directory, name) is None
