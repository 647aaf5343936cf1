"""Attacks against torchattacks, and what they must leave as it was: networks, gradients, statistics, budgets."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torchattacks
from torch import Tensor, nn

from bird_backend.behaviours import BEHAVIOURS, STRENGTHS
from bird_backend.behaviours.adversarial import BUDGETS, AdversarialSettings, apply
from bird_backend.behaviours.adversarial.apply import ascend, attack, attack_each, whole_levels
from bird_backend.behaviours.trial import Attacked, Given, Trial
from bird_backend.datasets import Split
from bird_backend.evaluation import measure_accuracy
from bird_backend.models import build_model

MODELS = ["cnn-small", "resnet-narrow", "vit-tiny"]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 16, side: int = 32) -> Tensor:
    return torch.randint(0, 256, (n, 3, side, side), generator=generator(1), dtype=torch.uint8)


def attacked(name: str = "resnet-narrow", n: int = 16) -> Attacked:
    return Attacked(model=build_model(name, classes=5, seed=0), labels=torch.arange(n) % 5)


def given(network: Attacked, seed: int = 0, **options: Any) -> Given:
    return Given(
        generator=generator(seed),
        cpu_generator=generator(seed + 9),
        settings=AdversarialSettings(**options),
        network=network,
    )


class OfShares(nn.Module):
    """The network for images in [0,1], as torchattacks wants it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.model((images - 0.5) / 0.25)
        return logits


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("budget", BUDGETS["pgd"])
def test_steps_are_those_of_torchattacks(name: str, budget: float) -> None:
    # In double precision: in single, a gradient that is nearly zero has either sign.
    images, network = pictures().double(), attacked(name)
    model = OfShares(network.model.double()).eval()
    budgets, steps = torch.full((16,), budget, dtype=torch.float64), 4
    cases = {
        "fgsm": (torchattacks.FGSM(model, eps=budget / 255), budgets, "linf", 1),
        "pgd": (
            torchattacks.PGD(model, eps=budget / 255, alpha=budget / 255 / 2, steps=steps, random_start=False),
            budgets / 2,
            "linf",
            steps,
        ),
        "pgd_l2": (
            torchattacks.PGDL2(model, eps=budget / 255, alpha=budget / 255 / 2, steps=steps, random_start=False),
            budgets / 2,
            "l2",
            steps,
        ),
    }
    for theirs, strides, norm, count in cases.values():
        expected = theirs(images / 255, network.labels) * 255
        ours = ascend(images, images, network, budgets, strides, norm=norm, steps=count)  # type: ignore[arg-type]
        assert ((ours - expected).abs() > 1e-3).double().mean() < 1e-4
        assert not torch.equal(ours, images)


@pytest.mark.parametrize("side", [32, 64, 160])
@pytest.mark.parametrize("strength", STRENGTHS)
@pytest.mark.parametrize("condition", BUDGETS)
def test_whole_levels_within_the_budget(condition: str, strength: int, side: int) -> None:
    n = 16 if side == 32 else 2
    images, network = pictures(n, side), attacked(n=n)
    changed = attack(images, condition, strength, given(network, steps=3))
    change = changed.float() - images.float()
    budget = BUDGETS[condition][strength - 1] * (side / 32 if condition == "pgd_l2" else 1)
    size = change.flatten(1).norm(dim=1) if condition == "pgd_l2" else change.abs().amax(dim=(1, 2, 3))
    assert (size <= budget + 1e-3).all()
    assert (size > 0.5 * budget).all()
    assert torch.equal(attack(images, condition, 0, given(network)), images)


def test_an_attack_raises_the_loss_and_more_steps_raise_it_more() -> None:
    images, network = pictures(64), attacked(n=64)

    def loss(changed: Tensor) -> float:
        network.model.eval()
        with torch.no_grad():
            logits = network.model(apply.normalise(changed))
        return float(nn.functional.cross_entropy(logits, network.labels))

    clean = loss(images)
    one, many = (loss(attack(images, "pgd", 4, given(network, steps=steps))) for steps in (1, 10))
    noise = torch.randint(0, 2, images.shape, generator=generator(3)) * 16 - 8
    random = loss((images.int() + noise).clamp(0, 255).to(torch.uint8))
    assert clean < one < many
    assert random < many


@pytest.mark.parametrize("training", [True, False])
def test_a_network_is_left_as_it_was(training: bool) -> None:
    network = attacked()
    network.model.train(training)
    logits = network.model(torch.zeros(2, 3, 32, 32))
    logits.sum().backward()
    before = {name: value.clone() for name, value in network.model.state_dict().items()}
    gradients = [parameter.grad.clone() for parameter in network.model.parameters() if parameter.grad is not None]
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        attack(pictures(), "pgd", 3, given(network, steps=2))
    attack_each(pictures(), ("fgsm", "pgd"), given(network))
    assert network.model.training is training
    for name, value in network.model.state_dict().items():
        assert torch.equal(value, before[name]), name
    now = [parameter.grad for parameter in network.model.parameters() if parameter.grad is not None]
    assert all(torch.equal(one, other) for one, other in zip(now, gradients, strict=True))
    assert not any(module._forward_hooks for module in network.model.modules())


def test_autocast_changes_no_gradient() -> None:
    network = attacked()
    plain = attack(pictures(), "fgsm", 3, given(network))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(attack(pictures(), "fgsm", 3, given(network)), plain)


def test_how_many_are_attacked_at_once_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    network = attacked()
    whole = attack(pictures(), "pgd", 2, given(network, steps=2))
    monkeypatch.setattr(apply, "_HELD_BYTES", 1)
    apart = attack(pictures(), "pgd", 2, given(network, steps=2))
    assert (whole != apart).float().mean() < 1e-3


def test_training_attacks_each_image_by_its_own_draw() -> None:
    images, network = pictures(120), attacked(n=120)
    changed = attack_each(images, ("fgsm", "pgd"), given(network, training_steps=2))
    sizes = (changed.int() - images.int()).abs().amax(dim=(1, 2, 3))
    assert {0, 1, 2, 4, 8, 16} >= set(sizes.tolist())
    assert len(set(sizes.tolist())) == 6


def test_rounding_keeps_an_l2_budget() -> None:
    images = torch.full((1, 3, 32, 32), 100.0)
    change = torch.full_like(images, 0.5001)
    changed = whole_levels(images, images + change, change.flatten(1).norm(dim=1), "l2")
    assert (changed == 100).all()


def test_each_network_of_a_run_is_attacked_itself() -> None:
    images = pictures(60)
    split = Split(images=images, labels=torch.arange(60) % 5)
    models = {name: build_model("cnn-small", classes=5, seed=seed) for seed, name in enumerate(("a", "b"))}
    settings = AdversarialSettings(conditions=("fgsm",), strengths=(4,))
    trial = Trial(settings=settings, seed=0)
    assert trial.attacks
    both = measure_accuracy(models, split, trial=trial, classes=list("vwxyz"))
    for name, model in models.items():
        alone = measure_accuracy({name: model}, split, trial=trial).predictions
        assert (alone.predicted[name] == both.predictions.predicted[name]).all()
    assert both.examples is not None
    last = trial.batch(images, ("fgsm", 4), 0, Attacked(model=models["b"], labels=split.labels))
    shown = both.examples.pool[both.examples.shown[1]]
    assert (both.examples.changed[1] == last[shown].permute(0, 2, 3, 1).numpy()).all()


def test_an_attack_without_a_network_is_an_error() -> None:
    without = Given(generator=generator(), settings=AdversarialSettings())
    with pytest.raises(ValueError, match="an attack is on a network"):
        BEHAVIOURS["adversarial"].apply(pictures(), "fgsm", 1, without)
