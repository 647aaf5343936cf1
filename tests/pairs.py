"""Made-up tables of pairs: teachers, layers, students and seeds, with an outcome planted in the scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = ["PLANTED", "planted"]

PLANTED = (0.3, 0.2, 0.8)
"""What the outcome gains for one unit more of probe accuracy, complementary knowledge and usefulness."""


def planted(
    *,
    teachers: int = 12,
    layers: int = 2,
    students: int = 2,
    seeds: int = 1,
    noise: float = 0.0,
    between: float = 0.0,
    seed: int = 0,
    slopes: Sequence[float] = PLANTED,
) -> pd.DataFrame:
    """A row a pair and seed. `noise` is the spread of one run, `between` that of a teacher's own, in no score."""
    generator = np.random.default_rng(seed)
    rows = []
    for teacher in range(teachers):
        own = between * generator.normal()
        for layer in range(layers):
            probe, useful = generator.uniform(0.3, 0.9), generator.uniform(0.0, 0.4)
            for student in range(students):
                known = generator.uniform(0.02, 0.2)
                mean = 0.1 + float(np.dot(slopes, (probe, known, useful))) + own
                for number in range(seeds):
                    rows.append(
                        {
                            "teacher": f"teacher-{teacher}",
                            "teacher_layer": f"block{layer}",
                            "student": f"student-{student}",
                            "student_layer": "block1",
                            "seed": number,
                            "data": "fashion-mnist-small",
                            "probe_accuracy": probe,
                            "complementary_knowledge": known,
                            "usefulness": useful,
                            "robust_after": (after := mean + noise * generator.normal()),
                            "gain": after - 0.4,
                            "run": f"20260101-0000{teacher:02d}-transfer-{layer}{student}{number}",
                        }
                    )
    return pd.DataFrame(rows)
