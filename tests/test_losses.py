"""Each loss is what its equation says, against a loop written another way, and finite where there is no geometry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bird_backend.models import build_model
from bird_backend.specs import LayerPair
from bird_backend.transfer import MatchingSettings
from bird_backend.transfer.building import Networks, build_method
from bird_backend.transfer.distillation import distillation
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.hints import HintsSettings
from bird_backend.transfer.lwf_features import FeatureDriftSettings
from bird_backend.transfer.lwf_logits import OldHeadSettings
from bird_backend.transfer.matching import Matching
from bird_backend.transfer.pkt import ProbabilisticSettings
from bird_backend.transfer.rkd import RelationalSettings
from bird_backend.transfer.soft_labels import SoftLabelsSettings
from bird_backend.transfer.sp import SimilarityPreservingSettings
from tests.learnable import CLASSES, HEAD, PAIR, SPECS, TASK, a_batch, cast


def features(n: int = 7, p: int = 5, q: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, p)), generator.normal(size=(n, q)) + 1


def dissimilarity(spec: MatchingSettings, u: np.ndarray, v: np.ndarray) -> float:
    built, _, _ = cast(spec)
    assert isinstance(built, Matching)
    return float(built.dissimilarity(torch.tensor(u), torch.tensor(v), 0))


def huber(a: float, b: float) -> float:
    gap = abs(a - b)
    return 0.5 * gap**2 if gap < 1 else gap - 0.5


def test_rkd_is_what_its_loops_say() -> None:
    def distances(x: np.ndarray) -> np.ndarray:
        n = len(x)
        lines = np.array([[math.dist(x[i], x[j]) for j in range(n)] for i in range(n)])
        return np.asarray(lines / lines[lines > 0].mean())

    def cosine(x: np.ndarray, i: int, j: int, k: int) -> float:
        if j in (i, k):
            return 0.0
        a, b = x[i] - x[j], x[k] - x[j]
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    u, v = features()
    n = len(u)
    theirs, own = distances(u), distances(v)
    distance = np.mean([huber(own[i, j], theirs[i, j]) for i in range(n) for j in range(n)])
    angle = np.mean(
        [huber(cosine(v, i, j, k), cosine(u, i, j, k)) for i in range(n) for j in range(n) for k in range(n)]
    )
    spec = RelationalSettings(pairs=(PAIR,), distance_weight=0.7, angle_weight=1.9)
    assert dissimilarity(spec, u, v) == pytest.approx(0.7 * distance + 1.9 * angle, rel=1e-5)


def test_sp_is_what_its_loops_say() -> None:
    def similarities(x: np.ndarray) -> np.ndarray:
        rows = [[float(a @ b) for b in x] for a in x]
        return np.array([[value / math.sqrt(sum(entry**2 for entry in row)) for value in row] for row in rows])

    u, v = features()
    expected = np.sum((similarities(u) - similarities(v)) ** 2) / len(u) ** 2
    assert dissimilarity(SimilarityPreservingSettings(pairs=(PAIR,)), u, v) == pytest.approx(expected, rel=1e-5)


def test_pkt_is_what_its_loops_say() -> None:
    def probabilities(x: np.ndarray) -> list[list[float]]:
        rows = [[(1 + float(a @ b) / np.linalg.norm(a) / np.linalg.norm(b)) / 2 for b in x] for a in x]
        return [[value / sum(row) for value in row] for row in rows]

    u, v = features()
    expected = np.mean(
        [
            sum(p * math.log(p / q) for p, q in zip(theirs, own, strict=True))
            for theirs, own in zip(probabilities(u), probabilities(v), strict=True)
        ]
    )
    assert dissimilarity(ProbabilisticSettings(pairs=(PAIR,)), u, v) == pytest.approx(expected, rel=1e-4)


def test_hints_are_what_their_loop_says() -> None:
    built, student, teacher = cast(HintsSettings(pairs=(LayerPair(teacher="block2", student="block3"),)))
    weight, bias = (tensor.detach().numpy() for tensor in built.regressors[0].parameters())  # type: ignore[index, union-attr, operator]
    batch = a_batch(6)
    found: dict[str, Tensor] = {}
    for network, layer in ((teacher, "block2"), (student, "block3")):
        network.get_submodule(layer).register_forward_hook(lambda _m, _i, out, layer=layer: found.update({layer: out}))
    rows = built.losses(student, batch, TASK)
    u, v = (found[layer].detach().numpy().mean((2, 3)) for layer in ("block2", "block3"))
    assert weight.shape == (u.shape[1], v.shape[1]), "from the student's to the teacher's"
    expected = np.mean([0.5 * np.sum((a - (weight @ b + bias)) ** 2) for a, b in zip(u, v, strict=True)])
    assert float(rows["representation_loss"].detach()) == pytest.approx(expected, rel=1e-4)


def softmax(row: np.ndarray, temperature: float) -> np.ndarray:
    powers = np.exp(row / temperature - np.max(row / temperature))
    return np.asarray(powers / powers.sum())


def test_distillation_is_what_its_loop_says() -> None:
    generator = np.random.default_rng(1)
    theirs, own = generator.normal(size=(2, 6, 4)) * 3
    divergences = []
    for a, b in zip(theirs, own, strict=True):
        p, q = softmax(a, 2.5), softmax(b, 2.5)
        divergences.append(sum(p[c] * math.log(p[c] / q[c]) for c in range(4)))
    found = distillation(torch.tensor(theirs), torch.tensor(own), 2.5)
    assert float(found) == pytest.approx(2.5**2 * np.mean(divergences), rel=1e-5)


def test_soft_labels_compare_the_outputs() -> None:
    built, student, teacher = cast(SoftLabelsSettings(temperature=3.0))
    batch = a_batch(8)
    parts = built.losses(student.eval(), batch, TASK)
    torch.testing.assert_close(
        parts["distillation_loss"], distillation(teacher(batch.inputs), student(batch.inputs), 3.0)
    )


def test_drift_is_the_distance_of_the_heads_input_from_where_it_began() -> None:
    built, student, teacher = cast(FeatureDriftSettings())
    batch = a_batch(8)
    parts = built.losses(student.eval(), batch, TASK)
    for network in (student, teacher):
        network.classifier = nn.Identity()
    z, z0 = student(batch.inputs).detach().numpy(), teacher(batch.inputs).detach().numpy()
    expected = np.mean([math.dist(a, b) for a, b in zip(z, z0, strict=True)])
    assert float(parts["drift_loss"].detach()) == pytest.approx(expected, rel=1e-5)


def test_drift_has_no_gradient_where_nothing_has_moved() -> None:
    teacher = build_model("vit-tiny", classes=CLASSES, seed=2)
    student = build_model("vit-tiny", classes=CLASSES, seed=2)
    origin = FrozenNetwork(teacher)
    spec = FeatureDriftSettings(beta=1.0)
    batch = a_batch(4)
    built = build_method(
        spec, Networks(teacher=origin, origin=origin, student=student, classifier=HEAD, sample=batch), seed=0
    )
    parts = built.losses(student, batch, TASK)
    assert float(parts["drift_loss"].detach()) == 0
    parts["loss"].backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in student.parameters())


def test_the_old_head_reads_the_students_features() -> None:
    built, student, teacher = cast(OldHeadSettings(temperature=2.0))
    batch = a_batch(8)
    parts = built.losses(student.eval(), batch, TASK)
    before = teacher(batch.inputs)
    student.classifier = teacher.classifier
    torch.testing.assert_close(parts["distillation_loss"], distillation(before, student(batch.inputs), 2.0))
    assert before.shape[1] != CLASSES


# Where there is no geometry


@pytest.mark.parametrize("method", ["rkd", "sp", "pkt"])
@pytest.mark.parametrize(
    "v",
    [
        torch.zeros(6, 3),
        torch.full((6, 3), 1000.0),
        torch.cat([torch.zeros(2, 3), torch.eye(3), torch.ones(1, 3)]),
        torch.cat([torch.eye(3), torch.eye(3)]),
        1e15 * torch.eye(6)[:, :3],
        1e-20 * torch.eye(6)[:, :3],
        torch.ones(1, 3),
    ],
    ids=["zero", "constant", "some zero", "doubled", "huge", "tiny", "one image"],
)
def test_degenerate_features_give_finite_losses_and_gradients(method: str, v: Tensor) -> None:
    built, _, _ = cast(SPECS[method])
    assert isinstance(built, Matching)
    v = v.clone().requires_grad_()
    u = torch.randn(len(v), 5, generator=torch.Generator().manual_seed(0))
    for their in (u, torch.zeros_like(u)):
        loss = built.dissimilarity(their, v, 0)
        (gradient,) = torch.autograd.grad(loss, v)
        assert loss.isfinite() and gradient.isfinite().all()
        assert gradient.abs().max() < 1e7


@pytest.mark.parametrize("method", [name for name in SPECS if not name.startswith("bird")])
def test_a_batch_of_one_is_no_nan(method: str) -> None:
    built, student, _ = cast(SPECS[method])
    parts = built.losses(student, a_batch(1), TASK)
    assert all(part.isfinite() for part in parts.values())
    parts["loss"].backward()
    assert all(parameter.grad is None or parameter.grad.isfinite().all() for parameter in student.parameters())


@pytest.mark.parametrize("method", ["rkd", "sp", "pkt"])
def test_a_matching_network_costs_nothing_and_scale_is_no_matter(method: str) -> None:
    u, v = features(9)
    spec: Any = SPECS[method]
    assert dissimilarity(spec, u, u) == pytest.approx(0, abs=1e-9)
    assert dissimilarity(spec, u, 30 * u) == pytest.approx(0, abs=1e-9)
    assert dissimilarity(spec, u, v) == pytest.approx(dissimilarity(spec, 4 * u, 0.01 * v), rel=1e-6)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(4, 4)))[0]
    assert dissimilarity(spec, u, v) == pytest.approx(dissimilarity(spec, u, v @ turn), rel=1e-6)
