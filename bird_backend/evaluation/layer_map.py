"""CKA of every layer of one network with every layer of another on the same images: which pairs are alike already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

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
    teacher: Mapping[str, Tensor],
    student: Mapping[str, Tensor],
    *,
    estimator: Estimator,
    kernel: Kernel,
    progress: Callable[[float], None] | None = None,
) -> LayerMap:
    """Both networks' pooled features [N, d] of the same images, by layer, compared pair by pair."""
    values: list[tuple[float, ...]] = []
    nulls: list[tuple[float, ...]] = []
    for row, x in enumerate(teacher.values()):
        measured: list[tuple[float, float]] = []
        for y in student.values():
            check_stop()
            null = cka_null(x, y, estimator=estimator, kernel=kernel, shuffles=3)
            measured.append((float(cka(x, y, estimator=estimator, kernel=kernel)), null))
        values.append(tuple(value for value, _ in measured))
        nulls.append(tuple(null for _, null in measured))
        if progress is not None:
            progress((row + 1) / len(teacher))
    return LayerMap(
        teacher_layers=tuple(teacher),
        student_layers=tuple(student),
        cka=tuple(values),
        null=tuple(nulls),
        n=len(next(iter(teacher.values()))),
        estimator=estimator,
        kernel=kernel,
    )
