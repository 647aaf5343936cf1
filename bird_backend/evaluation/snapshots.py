"""The geometry of the probe images at one moment: Gram matrix, features, a projection, and CKA with the teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bird_backend.activations import Pooling, capture_activations, pool
from bird_backend.datasets import normalise
from bird_backend.evaluation.probes import Probes
from bird_backend.runs.attribution import Attribution
from bird_backend.similarity import Estimator, centred_gram, cka, cka_null, cka_shares
from bird_backend.stopping import check_stop
from bird_backend.training.device import layout, to_layout, training_mode

__all__ = ["Geometry", "Snapshotter", "layer_features"]

_BATCH = 125
_PIXELS = _BATCH * 64 * 64
"""At once, fewer of larger images: a wide network on a CPU hears of a request to stop within a second."""


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """CKA with the teacher on `n` probe images, debiased and linear, and what shuffled images would give."""

    cka: float
    null: float
    n: int


class Snapshotter:
    """Draws one network against a teacher, both at a fixed layer."""

    def __init__(self, probes: Probes, teacher_features: Tensor, *, layer: str, pooling: Pooling) -> None:
        self._probes = probes
        self._teacher = teacher_features
        self._layer = layer
        self._pooling = pooling
        self._axes: tuple[np.ndarray, np.ndarray] | None = None

    def draw(self, model: nn.Module) -> tuple[Geometry, dict[str, np.ndarray]] | None:
        """How close the geometry is to the teacher's, and a snapshot file's arrays; none where features aren't finite.

        Beside those of `arrays` each image's part in the CKA. The model is left as it was.
        """
        features = layer_features(model, self._probes.images, (self._layer,), self._pooling)[self._layer]
        if not bool(features.isfinite().all()):
            return None
        # Debiased, because 1,000 images of a wide layer are few: the biased value would call strangers alike.
        value = float(cka(self._teacher, features))
        null = cka_null(self._teacher, features, shuffles=3)
        shares = attribute(self._teacher, features).arrays()
        return Geometry(cka=value, null=null, n=len(features)), self.arrays(features) | shares

    def arrays(self, features: Tensor) -> dict[str, np.ndarray]:
        """`gram`, `features` and `pca` of pooled features [N, d]."""
        largest = float(np.finfo(np.float16).max)
        kept = features.float().clamp(-largest, largest).cpu().numpy().astype(np.float16)
        return {
            "gram": centred_gram(features[self._probes.gram]).cpu().numpy().astype(np.float16),
            "features": kept,
            "pca": self._project(kept.astype(np.float32)),
        }

    def _project(self, features: np.ndarray) -> np.ndarray:
        if self._axes is None:
            mean = features.mean(axis=0)
            _, _, directions = np.linalg.svd(features - mean, full_matrices=False)
            axes = directions[:2].T
            # The sign of a singular vector is arbitrary; this one is the same on every machine.
            axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), range(axes.shape[1])])
            self._axes = mean, axes
        mean, axes = self._axes
        points = (features - mean) @ axes
        return np.pad(points, ((0, 0), (0, 2 - points.shape[1]))).astype(np.float32)


def attribute(teacher: Tensor, student: Tensor) -> Attribution:
    """What each image adds to the CKA of the teacher's features [N, p] with the student's [N, q]."""
    estimators: tuple[Estimator, Estimator] = ("debiased", "biased")
    debiased, biased = (cka_shares(teacher, student, estimator=each) for each in estimators)
    kept = {"share": debiased.share, "share_biased": biased.share, "agreement": debiased.agreement}
    return Attribution(**{name: values.float().cpu().numpy() for name, values in kept.items()})


@torch.no_grad()
def layer_features(
    model: nn.Module, images: Tensor, layers: tuple[str, ...], pooling: Pooling = "mean"
) -> dict[str, Tensor]:
    """Pooled features [N, d] of uint8 `images` at `layers`, in evaluation mode; the model is left as it was."""
    memory_layout = layout(model)
    collected: dict[str, list[Tensor]] = {name: [] for name in layers}
    with training_mode(model, False):
        step = max(1, min(_BATCH, _PIXELS // (images.shape[-2] * images.shape[-1])))
        for start in range(0, len(images), step):
            check_stop()
            batch = to_layout(normalise(images[start : start + step]), memory_layout)
            with capture_activations(model, layers, stop_early=True) as captured:
                model(batch)
            for name in layers:
                collected[name].append(pool(captured[name], pooling))
    return {name: torch.cat(parts) for name, parts in collected.items()}
