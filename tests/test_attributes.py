"""Teacher attributes against slow NumPy and scikit-learn oracles on planted features, and their invariances."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from bird_backend.attributes import (
    AGGREGATIONS,
    REDUCTIONS,
    Responses,
    aggregate,
    alike,
    complementary_knowledge,
    complementary_rows,
    effective_dimension,
    fit_probe,
    probe_accuracy,
    scale_of,
    usefulness,
    usefulness_of_each,
)
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.similarity import cka

CLASSES = 3
ROBUST, BRITTLE, FLAT, TWIN, NOISE, TURNED = range(6)
"""Planted: a feature that changes keep, one they turn, a constant, the first again, noise, the first's negative."""


def planted(n: int = 120, cells: int = 7, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Clean training features [n, 6] and labels, then held-out ones in every cell [cells, n, 6], first clean."""
    generator = torch.Generator().manual_seed(seed)

    def features(labels: Tensor, strength: float) -> Tensor:
        signal = (labels == 1).float() * 2 + 0.4 * torch.randn(len(labels), generator=generator)
        shaken = signal + 0.1 * strength * torch.randn(len(labels), generator=generator)
        turned = signal * (1 - 2 * strength)
        noise = torch.randn(len(labels), generator=generator)
        return torch.stack([shaken, turned, torch.full_like(signal, 0.3), shaken, noise, -shaken], dim=1)

    train = torch.arange(n) % CLASSES
    labels = torch.randint(CLASSES, (n,), generator=generator)
    held_out = torch.stack([features(labels, cell / (cells - 1)) for cell in range(cells)])
    return features(train, 0.0), train, held_out, labels


def responses_of(held_out: Tensor) -> Responses:
    changed = held_out[1:]
    return Responses(clean=held_out[0], least=changed.amin(0), largest=changed.amax(0), mean=changed.mean(0))


def slow_gamma(
    train: np.ndarray, labels: np.ndarray, held_out: np.ndarray, held_labels: np.ndarray, how: str
) -> np.ndarray:
    """The definition, one class, feature and image at a time."""
    d = train.shape[1]
    mean, deviation = train.mean(0), train.std(0)
    gamma = np.zeros((CLASSES, d))
    for k in range(CLASSES):
        for i in range(d):
            if deviation[i] < 1e-6:
                continue
            y = np.where(labels == k, 1.0, -1.0)
            balance = np.where(labels == k, 0.5 / (labels == k).sum(), 0.5 / (labels != k).sum())
            f = (train[:, i] - mean[i]) / deviation[i]
            sign = np.sign((balance * (y - (balance * y).sum()) * (f - (balance * f).sum())).sum())
            worst = []
            for x, label in enumerate(held_labels):
                answers = [
                    (1.0 if label == k else -1.0) * sign * (cell[x, i] - mean[i]) / deviation[i] for cell in held_out
                ]
                worst.append({"min": min(answers[1:]), "mean": np.mean(answers[1:]), "clean": answers[0]}[how])
            own = held_labels == k
            gamma[k, i] = (np.mean(np.array(worst)[own]) + np.mean(np.array(worst)[~own])) / 2
    return gamma


@pytest.mark.parametrize("how", REDUCTIONS)
def test_usefulness_is_its_definition(how: str) -> None:
    train, labels, held_out, held_labels = planted()
    found = usefulness_of_each(responses_of(held_out), held_labels, scale_of(train, labels, CLASSES), reduce=how)  # type: ignore[arg-type]
    expected = slow_gamma(*(part.double().numpy() for part in (train, labels, held_out, held_labels)), how)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_a_robust_feature_is_useful_a_brittle_one_harmful_a_constant_one_nothing() -> None:
    train, labels, held_out, held_labels = planted(n=600)
    responses, scale = responses_of(held_out), scale_of(train, labels, CLASSES)
    best = usefulness_of_each(responses, held_labels, scale).amax(0)
    clean = usefulness_of_each(responses, held_labels, scale, reduce="clean").amax(0)
    assert float(best[ROBUST]) > 0.4
    assert float(clean[BRITTLE]) > 0.9
    assert float(best[BRITTLE]) < -0.5
    assert float(best[FLAT]) == 0 and bool(scale.constant[FLAT])
    assert float(best[TWIN]) == float(best[ROBUST]) == pytest.approx(float(best[TURNED]), abs=1e-6)
    assert abs(float(clean[NOISE])) < 0.15


def test_a_duplicate_counts_twice_in_the_mean_and_not_at_all_in_the_best_or_by_the_probe() -> None:
    train, labels, held_out, held_labels = planted()
    scale, responses = scale_of(train, labels, CLASSES), responses_of(held_out)
    gamma = usefulness_of_each(responses, held_labels, scale)
    importance = torch.tensor([2.0, 1.0, 0.0, 0.0, 0.0, 0.0])
    shared = torch.tensor([1.0, 1.0, 0.0, 1.0, 0.0, 0.0])
    assert float(aggregate(gamma, "max")) == float(gamma.amax())
    assert float(aggregate(gamma, "mean")) == pytest.approx(float(gamma.amax(0).mean()))
    assert float(aggregate(gamma, "probe_weighted", importance)) == pytest.approx(
        float(aggregate(gamma, "probe_weighted", shared))
    )
    assert float(aggregate(gamma, "probe_weighted", torch.zeros(6))) == 0


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 99),
    factor=st.floats(0.01, 100).flatmap(lambda size: st.sampled_from([size, -size])),
    shift=st.floats(-20, 20),
)
def test_usefulness_knows_neither_units_nor_orders(seed: int, factor: float, shift: float) -> None:
    train, labels, held_out, held_labels = planted(n=45, cells=4, seed=seed)
    before = usefulness_of_each(responses_of(held_out), held_labels, scale_of(train, labels, CLASSES))
    generator = torch.Generator().manual_seed(seed)
    images, features = torch.randperm(len(held_labels), generator=generator), torch.randperm(6, generator=generator)
    moved_train, moved = (part.double() * factor + shift for part in (train, held_out))
    after = usefulness_of_each(
        responses_of(moved[:, images][:, :, features]),
        held_labels[images],
        scale_of(moved_train[:, features], labels, CLASSES),
    )
    torch.testing.assert_close(after.float(), before[:, features], atol=1e-4, rtol=1e-3)


def test_every_option_has_an_interval_that_other_images_would_give() -> None:
    importance = torch.ones(6)
    values: dict[str, list[float]] = {how: [] for how in AGGREGATIONS}
    train, labels, *_ = planted(n=150)
    scale = scale_of(train, labels, CLASSES)
    for seed in range(30):
        _, _, held_out, held_labels = planted(n=150, seed=seed + 1)
        gamma = usefulness_of_each(responses_of(held_out), held_labels, scale)
        for how in AGGREGATIONS:
            values[how].append(float(aggregate(gamma, how, importance)))
    _, _, held_out, held_labels = planted(n=150, seed=1)
    found = usefulness(responses_of(held_out), held_labels, scale, importance=importance)
    assert set(found) == {(reduce, how) for reduce in REDUCTIONS for how in AGGREGATIONS}
    for how in AGGREGATIONS:
        interval = found["min", how]
        assert interval.kind == "bootstrap, over images" and interval.n == 150
        assert interval.value == pytest.approx(values[how][0])
        assert interval.half == pytest.approx(1.96 * np.std(values[how], ddof=1), rel=0.5)
        assert found["min", how].value <= found["mean", how].value


def test_a_class_without_a_held_out_image_has_no_part_and_a_single_class_is_an_error() -> None:
    train, labels, held_out, held_labels = planted()
    there = held_labels != 2
    scale, responses = scale_of(train, labels, CLASSES), responses_of(held_out[:, there])
    gamma = usefulness_of_each(responses, held_labels[there], scale)
    assert bool(gamma[2].isnan().all()) and bool(gamma[:2].isfinite().all())
    assert np.isfinite(usefulness(responses, held_labels[there], scale, importance=torch.ones(6))["min", "max"].value)
    only = held_labels == 1
    with pytest.raises(InputError, match="held-out images of at least two classes"):
        usefulness_of_each(responses_of(held_out[:, only]), held_labels[only], scale)
    with pytest.raises(UnknownNameError, match="aggregation"):
        aggregate(gamma, "median")  # type: ignore[arg-type]


def correlated(n: int, d: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features that overlap, at scales from 1e-2 to 1e2, with a constant and a duplicate."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(4, size=n)
    centres = np.random.default_rng(99).normal(size=(4, d))
    mixing = np.random.default_rng(98).normal(size=(d, d))
    x = (centres[labels] * 0.6 + generator.normal(size=(n, d))) @ mixing * np.logspace(-2, 2, d) + 3
    x[:, 0], x[:, 1] = 7, x[:, 2]
    return x.astype(np.float32), labels


@pytest.mark.parametrize("C", [1e-3, 1.0])
def test_the_probe_is_scikit_learns(C: float) -> None:
    (x, labels), (held_out, held_labels) = correlated(500, 12, 0), correlated(500, 12, 1)
    probe = fit_probe(torch.from_numpy(x), torch.from_numpy(labels), 4, choices=[C])
    deviation = np.where(x.std(0) > 1e-5, x.std(0), 1)
    theirs = LogisticRegression(C=C, tol=1e-8, max_iter=20_000).fit((x - x.mean(0)) / deviation, labels)
    expected = theirs.decision_function((held_out - x.mean(0)) / deviation)
    found = probe.logits(torch.from_numpy(held_out)).numpy()
    assert probe.converged
    np.testing.assert_allclose(
        found - found.mean(1, keepdims=True), expected - expected.mean(1, keepdims=True), atol=2e-3
    )
    agreed = probe.predict(torch.from_numpy(held_out)).numpy() == theirs.classes_[expected.argmax(1)]
    assert agreed.mean() > 0.995
    assert probe_accuracy(probe.predict(torch.from_numpy(held_out)).numpy(), held_labels).value == pytest.approx(
        float((theirs.classes_[expected.argmax(1)] == held_labels).mean()), abs=0.005
    )


def test_the_penalty_is_chosen_by_images_held_back_from_training() -> None:
    x, labels = correlated(400, 12, 2)
    told = fit_probe(torch.from_numpy(x), torch.from_numpy(labels), 4)
    lost = fit_probe(torch.randn(120, 80, generator=torch.Generator().manual_seed(0)), torch.arange(120) % 4, 4)
    assert told.C > lost.C, "what generalises is worth large weights, noise is not"
    again = fit_probe(torch.from_numpy(x), torch.from_numpy(labels), 4)
    assert torch.equal(told.weight, again.weight)


def test_a_probe_on_nothing_says_the_commonest_class_and_on_no_numbers_is_an_error() -> None:
    labels = torch.tensor([0, 1, 1, 1, 2, 1] * 5)
    probe = fit_probe(torch.full((30, 4), 2.0), labels, 4)
    assert probe.predict(torch.randn(5, 4)).tolist() == [1] * 5
    with pytest.raises(InputError, match="infinite or NaN"):
        fit_probe(torch.full((30, 4), torch.nan), labels, 4)
    with pytest.raises(InputError, match="at least two training images"):
        fit_probe(torch.ones(1, 4), labels[:1], 4)


def test_complementary_knowledge_is_what_the_student_lacks() -> None:
    labels, teacher, student = np.array([0, 1, 2, 0, 1]), np.array([0, 1, 0, 0, 2]), np.array([0, 2, 2, 1, 2])
    assert complementary_rows(teacher, student, labels).tolist() == [1, 3]
    found = complementary_knowledge(teacher, student, labels)
    assert (found.value, found.n, found.kind) == (0.4, 5, "Wilson, over images")
    assert complementary_knowledge(student, student, labels).value == 0
    with pytest.raises(InputError, match="no held-out image"):
        probe_accuracy(labels[:0], labels[:0])


def jackknifed(statistic: object, n: int) -> float:
    """The standard error by leaving out each image in turn."""
    left = np.array([statistic(np.delete(np.arange(n), row)) for row in range(n)])  # type: ignore[operator]
    return float(np.sqrt((n - 1) / n * ((left - left.mean()) ** 2).sum()))


@pytest.mark.parametrize(("p", "q"), [(4, 6), (90, 80)])
def test_intervals_of_geometry_are_the_jackknifes(p: int, q: int) -> None:
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(100, p, generator=generator, dtype=torch.float64) * torch.linspace(0.2, 3, p) + 40
    Y = X @ torch.randn(p, q, generator=generator, dtype=torch.float64) + 4 * torch.randn(100, q, generator=generator)
    found = alike(X, Y)
    assert found.value == pytest.approx(float(cka(X, Y)))
    assert found.half / 1.96 == pytest.approx(jackknifed(lambda kept: float(cka(X[kept], Y[kept])), 100), rel=0.15)

    def ratio(kept: np.ndarray) -> float:
        values = np.linalg.eigvalsh(np.cov(X.numpy()[kept].T))
        return float(values.sum() ** 2 / (values**2).sum())

    dimension = effective_dimension(X)
    assert dimension.value == pytest.approx(ratio(np.arange(100)))
    left_out = jackknifed(ratio, 100)  # which of few images of many features is smaller
    assert 0.85 * left_out < dimension.half / 1.96 < (1.15 if p < 10 else 1.5) * left_out
    assert dimension.kind == "jackknife, over images"


def test_geometry_of_what_does_not_vary_is_nothing() -> None:
    flat, other = torch.full((20, 3), 5.0), torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    assert alike(flat, other).value == 0
    assert effective_dimension(flat).value == 0
    assert effective_dimension(other @ torch.ones(4, 1) @ torch.ones(1, 3)).value == pytest.approx(1, abs=1e-5)
