"""How much each feature says of each class when images change: gamma-robust usefulness (after Ilyas et al. 2019, §2).

With features f standardised on clean training images, y_k = ±1 for one class against the rest, both halves weighing the
same, and f_i turned to the sign of its correlation with y_k there:

    rho_ik   = E[ y_k f_i(x) ]
    gamma_ik = E[ min over conditions and strengths c of y_k f_i(c(x)) ]       (or the mean over c)

E is over held-out images. A feature that is turned, or an image of another class, has its least y_k f_i where f_i is
largest: so the smallest and the largest value of each feature over the cells, [n, d] each, are all that is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from bird_backend.attributes.scale import Scale
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.measures import Interval

__all__ = [
    "AGGREGATIONS",
    "REDUCTIONS",
    "Aggregation",
    "Reduction",
    "Responses",
    "aggregate",
    "usefulness",
    "usefulness_of_each",
]

Reduction = Literal["min", "mean", "clean"]
"""Over the cells: the least, the mean, or none at all, which is rho."""
Aggregation = Literal["mean", "max", "probe_weighted"]
"""Over features, of each one's best class: the mean, the best, or each by how much a probe goes by it."""

REDUCTIONS: tuple[Reduction, ...] = get_args(Reduction)
AGGREGATIONS: tuple[Aggregation, ...] = get_args(Aggregation)

_RESAMPLES = 1000
_NUMBERS_AT_ONCE = 2**24


@dataclass(frozen=True, kw_only=True, eq=False)
class Responses:
    """Raw features [n, d] of held-out images: as they are, and the least, largest and mean value over the cells."""

    clean: Tensor
    least: Tensor
    largest: Tensor
    mean: Tensor

    def ends(self, reduce: Reduction) -> tuple[Tensor, Tensor]:
        """The two values [n, d] of which the worse counts; the same twice where nothing is the worst of anything."""
        if reduce not in REDUCTIONS:
            raise UnknownNameError("reduction of usefulness", reduce, REDUCTIONS)
        if reduce == "min":
            return self.least, self.largest
        return (self.mean, self.mean) if reduce == "mean" else (self.clean, self.clean)


def usefulness_of_each(responses: Responses, labels: Tensor, scale: Scale, *, reduce: Reduction = "min") -> Tensor:
    """gamma [K, d] (`clean`: rho) of held-out images with `labels` [n].

    0 for a constant feature; NaN for a class that lacks images, held out or in training.
    """
    _check(responses, labels, scale)
    return next(_gammas(responses, labels, scale, (reduce,), resamples=0, seed=0))[reduce][0]


def aggregate(gamma: Tensor, how: Aggregation = "mean", importance: Tensor | None = None) -> Tensor:
    """One number of gamma [..., K, d], whose classes without images are NaN: of each feature its best class.

    `importance` [d], at least 0, is what `probe_weighted` weighs features by.
    """
    if how not in AGGREGATIONS:
        raise UnknownNameError("aggregation of usefulness", how, AGGREGATIONS)
    best = gamma.nan_to_num(nan=-torch.inf).amax(-2)
    if how == "max":
        return best.amax(-1)
    if how == "mean":
        return best.mean(-1)
    if importance is None:
        raise InputError("Usefulness weighted by a probe needs the probe's weights.")
    total = importance.sum()
    # A probe that goes by nothing, as of features that are all constant, finds nothing useful.
    shares = importance / total if float(total) > 0 else torch.zeros_like(importance)
    return (best * shares.to(best.dtype)).sum(-1)


def usefulness(
    responses: Responses, labels: Tensor, scale: Scale, *, importance: Tensor, seed: int = 0
) -> dict[tuple[Reduction, Aggregation], Interval]:
    """Under every option, of held-out images with `labels` [n]; `importance` [d] is `aggregate`'s.

    Intervals are percentile bootstraps over images, drawn anew within each class, and moved back by as much as the
    draws lie above the value on average: the best of several classes is larger the more noise there is.
    """
    _check(responses, labels, scale)
    options = [(reduce, how) for reduce in REDUCTIONS for how in AGGREGATIONS]
    values: dict[tuple[Reduction, Aggregation], float] = {}
    draws: dict[tuple[Reduction, Aggregation], list[Tensor]] = {option: [] for option in options}
    for number, gammas in enumerate(_gammas(responses, labels, scale, REDUCTIONS, resamples=_RESAMPLES, seed=seed)):
        for reduce, how in options:
            found = aggregate(gammas[reduce], how, importance)
            if number == 0:
                values[reduce, how] = float(found[0])
            else:
                draws[reduce, how].append(found)
    result = {}
    for option in options:
        drawn, value = torch.cat(draws[option]).double().cpu().numpy(), values[option]
        low, high = np.quantile(drawn, (0.025, 0.975), method="closest_observation") - (drawn.mean() - value)
        result[option] = Interval(
            value=value, low=float(low), high=float(high), n=len(labels), kind="bootstrap, over images"
        )
    return result


def _check(responses: Responses, labels: Tensor, scale: Scale) -> None:
    classes = len(scale.known)
    counts = torch.bincount(labels, minlength=classes)
    if not bool((scale.known & (counts > 0) & (counts < len(labels))).any()):
        raise InputError("Usefulness needs held-out images of at least two classes that have training images too.")
    if responses.clean.shape != (len(labels), len(scale.mean)):
        raise InputError(
            f"Features of shape {list(responses.clean.shape)} are not those of {len(labels)} images and"
            f" {len(scale.mean)} features."
        )


def _gammas(
    responses: Responses, labels: Tensor, scale: Scale, reductions: tuple[Reduction, ...], *, resamples: int, seed: int
) -> Iterator[dict[Reduction, Tensor]]:
    """gamma [R, K, d] by reduction: of the images themselves (R = 1), then of resamples, a chunk at a time."""
    (K, d), dtype = scale.lean.shape, scale.mean.dtype
    counts = torch.bincount(labels, minlength=K)
    rows = [(labels == k).nonzero().flatten() for k in range(K)]
    standardised = {
        reduce: tuple(
            [scale.standardise(end)[members] for members in rows] for end in dict.fromkeys(responses.ends(reduce))
        )
        for reduce in reductions
    }
    known = scale.known & (counts > 0) & (counts < len(labels))
    generator = torch.Generator().manual_seed(seed)

    def of(weights: list[Tensor]) -> dict[Reduction, Tensor]:
        """By how often each image of each class counts, [R, n_k] a class."""
        found: dict[Reduction, Tensor] = {}
        for reduce, ends in standardised.items():
            sums = [torch.stack([w @ x for w, x in zip(weights, end, strict=True)], dim=1) for end in ends]  # (R, K, d)
            found[reduce] = _gamma(sums[0], sums[-1], counts, scale.lean, known)
        return found

    yield of([torch.ones(1, len(members), device=labels.device, dtype=dtype) for members in rows])
    at_once = max(1, min(resamples, _NUMBERS_AT_ONCE // (K * d)))
    for begin in range(0, resamples, at_once):
        R = min(at_once, resamples - begin)
        yield of([_drawn(R, len(members), generator).to(labels.device, dtype) for members in rows])


def _gamma(least: Tensor, largest: Tensor, counts: Tensor, lean: Tensor, known: Tensor) -> Tensor:
    """[R, K, d] of sums over each class's images [R, K, d], the two ends standardised."""
    own = counts.clamp_min(1)[:, None]
    others = (counts.sum() - counts).clamp_min(1)[:, None]

    def halves(inside: Tensor, outside: Tensor) -> Tensor:
        """Half of the mean over the class of one end, less half of the mean over the rest of the other."""
        rest = outside.sum(1, keepdim=True) - outside
        return (inside / own - rest / others) / 2

    # y f is least where f is least in the class and largest elsewhere; of a turned feature the other way round.
    gamma = torch.where(lean > 0, halves(least, largest), -halves(largest, least))
    return torch.where(known[:, None], gamma, torch.nan)


def _drawn(resamples: int, n: int, generator: torch.Generator) -> Tensor:
    """How often each of n images is drawn in n draws, float [R, n]."""
    if n == 0:
        return torch.zeros(resamples, 0)
    picks = torch.randint(n, (resamples, n), generator=generator)
    return torch.zeros(resamples, n).scatter_add_(1, picks, torch.ones(resamples, n))
