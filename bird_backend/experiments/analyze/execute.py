"""Measuring a layer map."""

from __future__ import annotations

from typing import Any

from bird_backend.evaluation import choose_probes, layer_features, measure_layer_map
from bird_backend.evaluation.layer_geometry import GRAM, layer_geometry
from bird_backend.experiments.analyze import AnalyzeSpec
from bird_backend.experiments.networks import frozen
from bird_backend.experiments.work import Work
from bird_backend.models.anatomy import anatomy_of
from bird_backend.runs.layer_geometry import GEOMETRY

__all__ = ["execute"]


def execute(spec: AnalyzeSpec, work: Work) -> dict[str, Any]:
    """CKA of every layer pair, kept as `layer-map.json`, what it is made of beside it, and the closest pair."""
    data, writer = work.read(spec.data, spec.image_size), work.writer
    teacher = frozen(spec.teacher, role="teacher", data=data, seed=spec.seed, device=work.device)
    student = frozen(spec.student, role="student", data=data, seed=spec.seed, device=work.device)
    probes = choose_probes(data, embedding=spec.images, gram=GRAM).to(work.device)
    u, v = (
        layer_features(network, probes.images, anatomy_of(ref.model, network, data.image_size).outline)
        for ref, network in ((spec.teacher, teacher), (spec.student, student))
    )
    writer.begin("Comparing layers", 0.98)
    layers = measure_layer_map(u, v, estimator=spec.estimator, kernel=spec.kernel, progress=writer.progress)
    writer.save_arrays(GEOMETRY, layer_geometry(u, v, probes).arrays())
    writer.save_json("layer-map.json", layers.as_dict())
    best = max(
        ((value, i, j) for i, row in enumerate(layers.cka) for j, value in enumerate(row)),
        key=lambda entry: entry[0],
    )
    return {
        "n": layers.n,
        "estimator": layers.estimator,
        "kernel": layers.kernel,
        "closest_pair": {
            "teacher": layers.teacher_layers[best[1]],
            "student": layers.student_layers[best[2]],
            "cka": best[0],
        },
    }
