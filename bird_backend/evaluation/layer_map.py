"""CKA of every layer of one network with every layer of another on the same images: which pairs are alike already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bird_backend.evaluation.snapshots import layer_features
from bird_backend.similarity import Estimator, Kernel, cka, cka_null
from bird_backend.stopping import check_stop

__all__ = ["LayerMap", "measure_layer_map"]


@dataclass(frozen=True, kw_only=True)
class LayerMap:
    """`cka[i][j]` of teacher layer i with student layer j on `n` images; `null` is the same with images shuffled."""

    teacher_layers: tuple[str, ...]
    student_layers: tuple[str, ...]
    cka: tuple[tuple[float, ...], ...]
    null: tuple[tuple[float, ...], ...]
    n: int
    estimator: Estimator
    kernel: Kernel

    def as_dict(self) -> dict[str, object]:
        """As kept in a run's `layer-map.json`."""
        return {
            "teacher_layers": list(self.teacher_layers),
            "student_layers": list(self.student_layers),
            "cka": [list(row) for row in self.cka],
            "null": [list(row) for row in self.null],
            "n": self.n,
            "estimator": self.estimator,
            "kernel": self.kernel,
        }


@torch.no_grad()
def measure_layer_map(
    teacher: nn.Module,
    student: nn.Module,
    images: Tensor,
    *,
    teacher_layers: tuple[str, ...],
    student_layers: tuple[str, ...],
    estimator: Estimator,
    kernel: Kernel,
    progress: Callable[[float], None] | None = None,
) -> LayerMap:
    """Both networks' pooled features of uint8 `images` [N, 3, S, S], compared pair by pair."""
    u = layer_features(teacher, images, teacher_layers)
    v = layer_features(student, images, student_layers)
    values: list[tuple[float, ...]] = []
    nulls: list[tuple[float, ...]] = []
    for row, guiding in enumerate(teacher_layers):
        measured: list[tuple[float, float]] = []
        for guided in student_layers:
            check_stop()
            x, y = u[guiding], v[guided]
            null = cka_null(x, y, estimator=estimator, kernel=kernel, shuffles=3)
            measured.append((float(cka(x, y, estimator=estimator, kernel=kernel)), null))
        values.append(tuple(value for value, _ in measured))
        nulls.append(tuple(null for _, null in measured))
        if progress is not None:
            progress((row + 1) / len(teacher_layers))
    return LayerMap(
        teacher_layers=teacher_layers,
        student_layers=student_layers,
        cka=tuple(values),
        null=tuple(nulls),
        n=len(images),
        estimator=estimator,
        kernel=kernel,
    )
