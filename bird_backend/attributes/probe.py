"""A linear probe: multinomial logistic regression with an L2 penalty on a layer's features, to convergence.

What is minimised is scikit-learn's `LogisticRegression`, mean cross-entropy + ||W||² / (2 C n), on features that are
standardised by the training images; the intercept is free. C is chosen by cross-entropy on a fifth of those images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bird_backend.attributes.scale import Scale, scale_of
from bird_backend.errors import InputError
from bird_backend.seeds import derive_seed
from bird_backend.stopping import check_stop

__all__ = ["STRENGTHS_OF_FIT", "LinearProbe", "fit_probe"]

STRENGTHS_OF_FIT = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""The values of C that are tried, from the strongest penalty to the weakest."""

_HELD_BACK = 0.2
_ITERATIONS = 500
_GRADIENT = 1e-5
"""The largest entry of the mean loss's gradient at which it has converged; scikit-learn stops at 1e-4."""
_ROUGHLY = 1e-4
"""The same while C is chosen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class LinearProbe:
    """A fitted probe. `weight` [K, d] and `bias` [K] are for features that `scale` standardised."""

    scale: Scale
    weight: Tensor
    bias: Tensor
    C: float
    converged: bool

    def logits(self, features: Tensor) -> Tensor:
        """[n, K] of raw features [n, d]."""
        return self.scale.standardise(features).to(self.weight.dtype) @ self.weight.T + self.bias

    def predict(self, features: Tensor) -> Tensor:
        """The class of each row, int64 [n]."""
        return self.logits(features).argmax(1)


def fit_probe(
    features: Tensor,
    labels: Tensor,
    classes: int,
    *,
    choices: Sequence[float] = STRENGTHS_OF_FIT,
    seed: int = 0,
) -> LinearProbe:
    """A probe on raw features [n, d] of images with `labels` [n], for `classes` classes.

    The images that C is chosen on are drawn by `seed`, evenly over the classes; then all are fitted. Features that are
    not finite, and fewer than two images, are an `InputError`.
    """
    if len(features) < 2:
        raise InputError(f"A linear probe needs at least two training images, not {len(features)}.")
    if not bool(features.isfinite().all()):
        raise InputError("A linear probe needs features that are numbers, and some of these are infinite or NaN.")
    scale = scale_of(features, labels, classes)
    dtype = torch.float32 if features.device.type == "mps" else torch.float64  # which Metal doesn't have
    x = scale.standardise(features)
    fitted, held_back = _parts(labels, seed)
    chosen, begin = choices[0], None
    if len(choices) > 1 and len(held_back):
        chosen, begin = _choose(x.float(), labels, classes, fitted, held_back, choices)
    weight, bias, converged = _Path(x.to(dtype), labels, classes, begin).fit(chosen)
    return LinearProbe(scale=scale, weight=weight, bias=bias, C=chosen, converged=converged)


def _choose(
    x: Tensor, labels: Tensor, classes: int, fitted: Tensor, held_back: Tensor, choices: Sequence[float]
) -> tuple[float, tuple[Tensor, Tensor]]:
    """The C with the smallest cross-entropy on the rows held back, and its fit without them.

    Past the minimum no weaker penalty is tried.
    """
    path = _Path(x[fitted], labels[fitted], classes)
    best: tuple[float, float, tuple[Tensor, Tensor]] | None = None
    for C in choices:
        weight, bias, _ = path.fit(C, _ROUGHLY)
        logits = x[held_back] @ weight.T + bias
        loss = float(torch.nn.functional.cross_entropy(logits, labels[held_back]))
        if best is not None and loss > best[0]:
            break
        best = loss, C, (weight, bias)
    assert best is not None  # noqa: S101 - for the type
    return best[1], best[2]


class _Path:
    """Fits for one penalty after the other, each from the last one's solution.

    Features are turned onto their principal axes, which leaves the penalty as it is, and each axis is scaled by a bound
    of the loss's curvature along it (Böhning 1992), so that L-BFGS converges in tens of steps however correlated the
    features are.
    """

    def __init__(self, x: Tensor, labels: Tensor, classes: int, begin: tuple[Tensor, Tensor] | None = None) -> None:
        """`begin` is where the first fit starts: weights [K, d] and intercepts [K]."""
        self._n = len(x)
        covariance = x.T @ x / self._n
        if x.device.type == "mps":  # which has no eigenvectors
            covariance = covariance.cpu()
        self._variances, self._axes = (found.to(x.device) for found in torch.linalg.eigh(covariance))
        self._turned = x @ self._axes
        self._labels = labels
        weight, bias = begin or (x.new_zeros(classes, x.shape[1]), x.new_zeros(classes))
        self._weight, self._bias = weight.to(x.dtype) @ self._axes, bias.to(x.dtype)

    def fit(self, C: float, gradient: float = _GRADIENT) -> tuple[Tensor, Tensor, bool]:
        """Weights [K, d] and intercepts [K] for standardised features, and whether it converged to that gradient."""
        check_stop()
        penalty = 1 / (C * self._n)
        steep = (self._variances.clamp_min(0) / 2 + penalty).sqrt()
        scaled = (self._weight * steep).requires_grad_()
        bias = self._bias.clone().requires_grad_()
        inputs = self._turned / steep
        optimiser = torch.optim.LBFGS(
            [scaled, bias],
            max_iter=_ITERATIONS,
            tolerance_grad=gradient / 3,
            tolerance_change=1e-12,
            history_size=20,
            line_search_fn="strong_wolfe",
        )

        def loss() -> Tensor:
            optimiser.zero_grad()
            value: Tensor = torch.nn.functional.cross_entropy(inputs @ scaled.T + bias, self._labels)
            value = value + penalty / 2 * (scaled / steep).square().sum()
            value.backward()  # type: ignore[no-untyped-call]
            return value

        with torch.enable_grad():
            optimiser.step(loss)  # type: ignore[no-untyped-call]
            loss()
        assert scaled.grad is not None and bias.grad is not None  # noqa: S101 - for the type
        slope = max(float((scaled.grad * steep).abs().max()), float(bias.grad.abs().max()))
        self._weight, self._bias = (scaled / steep).detach(), bias.detach()
        return self._weight @ self._axes.T, self._bias, slope <= gradient


def _parts(labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Rows to fit and rows to choose on: of every class the same share, by the rank of each row within its class."""
    labels = labels.cpu()
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(derive_seed(seed, "probe")))
    by_class = order[labels[order].argsort(stable=True)]
    # Every fifth of the rows in class order, so that each class gives its share whatever its size.
    held_back = torch.zeros(len(labels), dtype=torch.bool)
    every = round(1 / _HELD_BACK)
    held_back[by_class[every - 1 :: every]] = True
    return (~held_back).nonzero().flatten(), held_back.nonzero().flatten()
