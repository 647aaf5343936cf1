"""CKA against an independent NumPy float64 oracle, its invariances, and the inputs that break naive implementations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bird_backend.errors import InputError
from bird_backend.similarity import MinibatchCKA, centred_gram, cka, cka_loss, cka_null, linear_gram, rbf_gram

KERNELS = ("linear", "rbf")
ESTIMATORS = ("biased", "debiased")


def oracle(X: np.ndarray, Y: np.ndarray, kernel: str, estimator: str, bandwidth: float = 1.0) -> float:
    """CKA by explicit matrices and loops over the definitions, float64, no shortcut shared with the package."""

    def gram(Z: np.ndarray) -> np.ndarray:
        Z = Z.astype(np.float64)
        if kernel == "linear":
            return Z @ Z.T
        distances = ((Z[:, None, :] - Z[None, :, :]) ** 2).sum(-1)
        pairs = np.sort(distances[np.triu_indices(len(Z), 1)])
        return np.exp(-distances / (2 * bandwidth * pairs[(len(pairs) - 1) // 2]))

    def hsic(K: np.ndarray, L: np.ndarray) -> float:
        n = len(K)
        if estimator == "biased":
            H = np.eye(n) - np.ones((n, n)) / n
            return float(np.trace(K @ H @ L @ H))
        K, L, one = K.copy(), L.copy(), np.ones(n)
        np.fill_diagonal(K, 0)
        np.fill_diagonal(L, 0)
        middle = (one @ K @ one) * (one @ L @ one) / ((n - 1) * (n - 2))
        return float(np.trace(K @ L) + middle - 2 / (n - 2) * (one @ K @ L @ one))

    K, L = gram(X), gram(Y)
    return hsic(K, L) / np.sqrt(hsic(K, K) * hsic(L, L))


def pair(n: int, p: int, q: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Two related representations."""
    generator = torch.Generator().manual_seed(seed)
    X = torch.randn(n, p, generator=generator)
    mix = torch.randn(p, q, generator=generator)
    return X + 0.3, X @ mix / p**0.5 + 0.7 * torch.randn(n, q, generator=generator)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("n", "p", "q"), [(16, 5, 7), (12, 300, 40), (64, 3, 500), (200, 8, 4), (5, 1, 1)])
def test_agrees_with_the_oracle(kernel: str, estimator: str, n: int, p: int, q: int) -> None:
    X, Y = pair(n, p, q)
    expected = oracle(X.numpy(), Y.numpy(), kernel, estimator)
    assert float(cka(X, Y, kernel=kernel, estimator=estimator)) == pytest.approx(expected, abs=2e-4)
    assert float(cka(X.double(), Y.double(), kernel=kernel, estimator=estimator)) == pytest.approx(expected, abs=1e-10)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    n=st.integers(5, 40),
    p=st.integers(1, 30),
    q=st.integers(1, 30),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-1e3, 1e3),
    kernel=st.sampled_from(KERNELS),
    estimator=st.sampled_from(ESTIMATORS),
)
def test_invariances(n: int, p: int, q: int, scale: float, shift: float, kernel: str, estimator: str) -> None:
    X, Y = (side.double() for side in pair(n, p, q))
    value = cka(X, Y, kernel=kernel, estimator=estimator)
    rotation, _ = torch.linalg.qr(torch.randn(p, p, generator=torch.Generator().manual_seed(1), dtype=torch.float64))
    order = torch.randperm(n, generator=torch.Generator().manual_seed(2))
    for moved in (X @ rotation, X * scale, X + shift):
        torch.testing.assert_close(cka(moved, Y, kernel=kernel, estimator=estimator), value, atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(cka(Y, X, kernel=kernel, estimator=estimator), value)
    torch.testing.assert_close(cka(X[order], Y[order], kernel=kernel, estimator=estimator), value)
    torch.testing.assert_close(cka(X, X, kernel=kernel, estimator=estimator), torch.ones_like(value))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_low_precision_is_computed_in_float32(dtype: torch.dtype) -> None:
    X, Y = (side.to(dtype) for side in pair(64, 20, 30))
    expected = oracle(X.double().numpy(), Y.double().numpy(), "linear", "biased")
    value = cka(X, Y, estimator="biased")
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(expected, abs=1e-5)
    assert float(cka(X, X, estimator="biased")) <= 1 + 1e-6
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert float(cka(X, Y, estimator="biased")) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_features_far_from_zero_and_of_extreme_size(estimator: str) -> None:
    X, Y = pair(64, 20, 30)
    expected = oracle(X.numpy(), Y.numpy(), "linear", estimator)
    assert float(cka(X + 1000, Y, estimator=estimator)) == pytest.approx(expected, abs=1e-3)
    for scale in (1e-30, 1e30):
        assert float(cka(X * scale, Y, estimator=estimator)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("constant", [0.0, 3.7, 1000.1])
def test_a_representation_without_variance_has_cka_zero_and_zero_gradient(
    kernel: str, estimator: str, constant: float
) -> None:
    X = torch.full((8, 5), constant, requires_grad=True)
    Y = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = cka_loss(X, Y, kernel=kernel, estimator=estimator)
    loss.backward()
    assert float(loss.detach()) == 1.0
    assert X.grad is not None and torch.equal(X.grad, torch.zeros_like(X))
    assert Y.grad is not None and torch.equal(Y.grad, torch.zeros_like(Y))


def test_dead_images_among_live_ones_do_not_poison_the_gradient() -> None:
    X, Y = pair(16, 6, 6)
    X[:10] = 0
    X.requires_grad_()
    for kernel in KERNELS:
        cka_loss(X, Y, kernel=kernel).backward()
        assert X.grad is not None and torch.isfinite(X.grad).all()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(("p", "q"), [(3, 4), (20, 15)])
def test_gradients(kernel: str, estimator: str, p: int, q: int) -> None:
    X, Y = (side.double().requires_grad_() for side in pair(8, p, q))
    assert torch.autograd.gradcheck(lambda x, y: cka(x, y, kernel=kernel, estimator=estimator), (X, Y))


@pytest.mark.parametrize(("n", "estimator"), [(1, "biased"), (3, "debiased")])
def test_too_few_images_is_a_clear_error(n: int, estimator: str) -> None:
    with pytest.raises(InputError, match="at least"):
        cka(torch.randn(n, 4), torch.randn(n, 4), estimator=estimator)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(InputError, match="same images"):
        cka(torch.randn(8, 4), torch.randn(9, 4))
    with pytest.raises(InputError, match="images, features"):
        cka(torch.randn(8, 4, 2), torch.randn(8, 4))
    with pytest.raises(InputError, match="valid: linear, rbf"):
        cka(torch.randn(8, 4), torch.randn(8, 4), kernel="cosine")  # type: ignore[arg-type]


def test_bias_in_small_batches_of_wide_features() -> None:
    generator = torch.Generator().manual_seed(0)
    pairs = [torch.randn(2, 16, 512, generator=generator) for _ in range(30)]
    assert min(float(cka(X, Y, estimator="biased")) for X, Y in pairs) > 0.9
    assert abs(np.mean([float(cka(X, Y, estimator="debiased")) for X, Y in pairs])) < 0.05


def test_minibatch_of_one_batch_is_the_whole() -> None:
    X, Y = pair(40, 6, 9)
    for kernel in KERNELS:
        for estimator in ESTIMATORS:
            accumulator = MinibatchCKA(kernel=kernel, estimator=estimator)
            accumulator.update(X, Y)
            assert accumulator.compute() == pytest.approx(
                float(cka(X, Y, kernel=kernel, estimator=estimator)), abs=1e-5
            )


def test_minibatch_approaches_the_whole_and_ignores_batch_scale() -> None:
    X, Y = pair(4096, 16, 24)
    whole = float(cka(X, Y, estimator="debiased"))
    accumulator = MinibatchCKA(estimator="debiased")
    for start in range(0, 4096, 64):
        accumulator.update(X[start : start + 64], Y[start : start + 64])
    assert accumulator.images == 4096
    assert accumulator.compute() == pytest.approx(whole, abs=0.01)
    with pytest.raises(InputError, match="no batch"):
        MinibatchCKA().compute()


def normal(n: int, d: int, seed: int) -> torch.Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def over_batches(kernel: str, estimator: str, batches: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    accumulator = MinibatchCKA(kernel=kernel, estimator=estimator)
    for X, Y in batches:
        accumulator.update(X, Y)
    return accumulator.compute()


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("constant", [0.0, 7.5])
def test_a_batch_without_variance_adds_nothing_wherever_it_comes(kernel: str, estimator: str, constant: float) -> None:
    X, Y = pair(96, 6, 9)
    parts = [(X[start : start + 32], Y[start : start + 32]) for start in (0, 32, 64)]
    flat = (torch.full((32, 6), constant), torch.full((32, 9), constant))
    expected = over_batches(kernel, estimator, parts)
    assert 0 < expected <= 1
    for place in range(4):
        found = over_batches(kernel, estimator, [*parts[:place], flat, *parts[place:]])
        assert found == pytest.approx(expected, rel=1e-5), place
    assert over_batches(kernel, estimator, [flat, flat]) == 0


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_batches_of_extreme_size_are_weighed_by_their_own(estimator: str) -> None:
    X, Y = pair(64, 6, 9)
    parts = [(X[:32], Y[:32]), (X[32:], Y[32:])]
    for small in (1e-3, 1e-12, 1e-25):
        quiet = (normal(32, 6, 5) * small, normal(32, 9, 6) * small)
        expected = over_batches("linear", estimator, parts)
        for order in ([quiet, *parts], [*parts, quiet]):
            assert over_batches("linear", estimator, order) == pytest.approx(expected, abs=1e-3)


def test_every_batch_is_seen_through_the_first_ones_bandwidth() -> None:
    def gram(Z: np.ndarray, spread: float) -> np.ndarray:
        return np.exp(-((Z[:, None, :] - Z[None, :, :]) ** 2).sum(-1) / (2 * spread))

    def median(Z: np.ndarray) -> float:
        pairs = np.sort(((Z[:, None, :] - Z[None, :, :]) ** 2).sum(-1)[np.triu_indices(len(Z), 1)])
        return float(pairs[(len(pairs) - 1) // 2])

    def hsic(K: np.ndarray, L: np.ndarray) -> float:
        H = np.eye(len(K)) - 1 / len(K)
        return float(np.trace(K @ H @ L @ H)) / (len(K) - 1) ** 2

    batches = [(normal(24, 5, seed) * 3.0**seed, normal(24, 4, seed + 9)) for seed in range(3)]
    first = [side.double().numpy() for side in batches[0]]
    spreads = [median(side) for side in first]
    terms = []
    for X, Y in batches:
        K, L = (gram(side.double().numpy(), spread) for side, spread in zip((X, Y), spreads, strict=True))
        terms.append((hsic(K, L), hsic(K, K), hsic(L, L)))
    xy, xx, yy = np.mean(terms, axis=0)
    assert over_batches("rbf", "biased", batches) == pytest.approx(xy / np.sqrt(xx * yy), rel=1e-4)


def test_null_is_near_zero_debiased_and_inflated_biased() -> None:
    X, Y = pair(32, 200, 200)
    assert abs(cka_null(X, Y, estimator="debiased")) < 0.1
    assert cka_null(X, Y, estimator="biased") > 0.7
    assert cka_null(X, Y) == cka_null(X, Y)


def test_gram_matrices() -> None:
    X, Y = pair(20, 6, 9)
    K, L = centred_gram(X), centred_gram(Y)
    assert float((K * L).sum()) == pytest.approx(float(cka(X, Y, estimator="biased")), abs=1e-5)
    assert float(K.norm()) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(linear_gram(X).sum(dim=0), torch.zeros(20), atol=1e-4, rtol=0)
    R = rbf_gram(X)
    torch.testing.assert_close(R.diagonal(), torch.ones(20))


@pytest.mark.parametrize("constant", [0.0, 2.5, 4.5, -1e4, 1e30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_gram_matrix_of_constant_features_is_zero(constant: float, dtype: torch.dtype) -> None:
    assert torch.equal(centred_gram(torch.full((5, 3), constant, dtype=dtype)).float(), torch.zeros(5, 5))


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
def test_a_gram_matrix_knows_no_scale(scale: float) -> None:
    X, _ = pair(20, 6, 9)
    torch.testing.assert_close(centred_gram(X * scale), centred_gram(X), atol=1e-5, rtol=1e-4)
