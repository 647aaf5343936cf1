"""Every method keeps one contract: what moves, what the parts add up to, how pairs weigh, who a shuffled teacher is."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bird_backend.models import build_model
from bird_backend.specs import LayerPair, Training
from bird_backend.training import TransferMethod, build_optimiser
from bird_backend.transfer import METHODS
from bird_backend.transfer.bird import BirdSettings
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.lp_ft import LinearProbeThenFineTuningSettings
from bird_backend.transfer.none import UntouchedSettings
from tests.learnable import HEAD, PAIRS, SPECS, TASK, a_batch, cast


def state(network: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def moved(before: dict[str, Tensor], network: nn.Module) -> set[str]:
    """Parameters and buffers that are no longer the same, byte for byte."""
    return {name for name, tensor in network.state_dict().items() if not torch.equal(before[name], tensor)}


def train(
    built: TransferMethod, student: nn.Module, *, steps: int = 15, progress: float = 0.0
) -> list[dict[str, float]]:
    optimiser = build_optimiser(student, built, Training(lr=0.01))
    rows = []
    for _ in range(steps):
        parts = built.losses(student, a_batch(progress=progress), TASK)
        assert {"loss", "task_loss"} <= set(parts)
        assert all(part.ndim == 0 and part.dtype == torch.float32 for part in parts.values())
        optimiser.zero_grad()
        parts["loss"].backward()
        optimiser.step()
        rows.append({name: float(part.detach()) for name, part in parts.items()})
    return rows


@pytest.mark.parametrize("method", list(SPECS))
def test_the_loss_falls_and_only_what_should_move_moves(method: str) -> None:
    built, student, teacher = cast(SPECS[method])
    before, own, theirs = state(student), state(built), state(teacher)
    rows = train(built, student)
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert not moved(theirs, teacher), "the teacher is as it was, batch statistics too"
    assert not teacher.training and student.training
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert not any(m._forward_hooks or m._forward_pre_hooks for net in (teacher, student) for m in net.modules())
    head = {f"{HEAD}.weight", f"{HEAD}.bias"}
    assert moved(before, student) == (head if method in ("linear-probe", "lp-ft") else set(before))
    assert moved(own, built) == set(own), "what a method learns is trained with the student"
    assert {name.partition(".")[0] for name in own} == {
        "hints": {"regressors"},
        "lwf-logits": {"old_head"},
        "bird, learned": {"log_weights"},
    }.get(method, set())


@pytest.mark.parametrize("method", list(SPECS))
def test_the_parts_sum_to_the_loss(method: str) -> None:
    spec: Any = SPECS[method]
    built, student, _ = cast(spec)
    for row in train(built, student, steps=3):
        other = [row[name] for name in METHODS[spec.name].parts]
        assert len(other) == (0 if spec.name in ("linear-probe", "fine-tuning", "lp-ft", "oracle") else 1)
        assert {name for name in row if name.endswith("_loss")} == {"task_loss", *METHODS[spec.name].parts}
        expected = getattr(spec, "alpha", 1.0) * row["task_loss"] + getattr(spec, "beta", 0.0) * sum(other)
        assert row["loss"] == pytest.approx(expected, rel=1e-5)
        assert "cka" not in row or row["cka"] == pytest.approx(1 - row["representation_loss"])


@pytest.mark.parametrize("method", list(SPECS))
def test_bfloat16_leaves_every_part_a_float32_near_to_what_it_was(method: str) -> None:
    built, student, _ = cast(SPECS[method])
    exact = built.losses(student, a_batch(), TASK)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = built.losses(student, a_batch(), TASK)
    for name, part in rough.items():
        assert part.dtype == torch.float32
        assert float(part.detach()) == pytest.approx(float(exact[name].detach()), rel=0.1, abs=0.02), name


def test_lp_ft_probes_first_and_then_moves_everything() -> None:
    built, student, _ = cast(LinearProbeThenFineTuningSettings(share=0.3))
    before = state(student)
    train(built, student, steps=2, progress=0.29)
    assert moved(before, student) == {f"{HEAD}.weight", f"{HEAD}.bias"}
    train(built, student, steps=2, progress=0.3)
    assert moved(before, student) == set(before)


def test_a_probe_reads_the_features_of_evaluation() -> None:
    built, student, _ = cast(SPECS["linear-probe"])
    found = built.losses(student, a_batch(), TASK)["task_loss"]
    batch = a_batch()
    expected = nn.functional.cross_entropy(student.eval()(batch.inputs), batch.targets)
    torch.testing.assert_close(found, expected)


def test_nothing_trains_what_is_not_to_be_touched() -> None:
    with pytest.raises(ValueError, match="none trains nothing"):
        cast(UntouchedSettings())


# Layer pairs and their weights


def test_several_pairs_weigh_as_the_spec_says() -> None:
    spec = BirdSettings(alpha=0.3, beta=0.6, pairs=PAIRS)
    built, student, _ = cast(spec)
    parts = built.losses(student.eval(), a_batch(), TASK)
    single = [
        cast(spec.model_copy(update={"pairs": (pair,)}))[0].losses(student, a_batch(), TASK)["cka"] for pair in PAIRS
    ]
    torch.testing.assert_close(parts["cka"], 0.25 * single[0] + 0.75 * single[1])


def test_learned_weights_start_from_the_specs_and_lean_towards_what_is_closer() -> None:
    spec = BirdSettings(pairs=PAIRS, weighting="learned")
    built, student, _ = cast(spec)
    student.eval()
    fixed = cast(spec.model_copy(update={"weighting": "fixed"}))[0].losses(student, a_batch(), TASK)
    parts = built.losses(student, a_batch(), TASK)
    assert "weight_1" not in fixed
    torch.testing.assert_close(parts["loss"], fixed["loss"])
    assert [float(parts[f"weight_{index}"]) for index in (1, 2)] == pytest.approx([0.25, 0.75])
    single = [
        float(cast(spec.model_copy(update={"pairs": (pair,)}))[0].losses(student, a_batch(), TASK)["cka"].detach())
        for pair in PAIRS
    ]
    optimiser = torch.optim.SGD(built.parameters(), lr=5.0)
    parts["loss"].backward()
    optimiser.step()
    after = built.losses(student, a_batch(), TASK)
    closer, other = (1, 2) if single[0] > single[1] else (2, 1)
    assert float(after[f"weight_{closer}"]) > float(parts[f"weight_{closer}"])
    assert float(after[f"weight_{other}"]) < float(parts[f"weight_{other}"])
    assert float(after["weight_1"] + after["weight_2"]) == pytest.approx(1)


# The shuffled teacher


def test_a_shuffled_teacher_says_the_same_of_other_images() -> None:
    network = build_model("cnn-small", classes=7, seed=2)
    images = a_batch(12)
    plain, shuffled = FrozenNetwork(network), FrozenNetwork(network, shuffled=True)

    def looks() -> tuple[Tensor, Tensor]:
        torch.manual_seed(4)
        return shuffled.outputs(images), shuffled.features(images, ("block2",), "flatten")["block2"]

    (logits, block), (again, _) = looks(), looks()
    assert torch.equal(logits, again)
    expected = plain.outputs(images)
    assert not torch.allclose(logits, expected, atol=1e-3)
    torch.testing.assert_close(logits.sort(dim=0).values, expected.sort(dim=0).values)
    order = torch.cdist(logits, expected).argmin(1)
    assert sorted(order.tolist()) == list(range(12)) and order.tolist() != list(range(12))
    torch.testing.assert_close(
        block.sort(dim=0).values, plain.features(images, ("block2",), "flatten")["block2"].sort(dim=0).values
    )
    assert not torch.equal(shuffled.outputs(images), logits), "in another step, another order"


def test_a_shuffled_teacher_has_less_to_give_in_common() -> None:
    spec = BirdSettings(pairs=(LayerPair(teacher="block3", student="block3"),))
    values = []
    for shuffled in (False, True):
        built, student, teacher = cast(spec, shuffled=shuffled)
        student.load_state_dict({k: t for k, t in teacher.state_dict().items() if HEAD not in k}, strict=False)
        torch.manual_seed(0)
        values.append(float(built.losses(student.eval(), a_batch(96), TASK)["cka"].detach()))
    assert values[0] == pytest.approx(1, abs=1e-4)
    assert values[1] < 0.6
