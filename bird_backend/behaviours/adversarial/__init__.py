"""Robustness to adversarial attacks: the image changed, within a budget, in the way that raises the network's own loss.

FGSM: Goodfellow et al. 2015. PGD: Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR
2018. Attacks are on the images as they are stored: the result is whole levels from 0 to 255, within the budget.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from bird_backend.behaviours.declaration import Behaviour, BehaviourSettings, Condition, Words

if TYPE_CHECKING:
    from torch import Tensor

    from bird_backend.behaviours.trial import Given

__all__ = ["BUDGETS", "DECLARES", "AdversarialSettings", "budgets_for"]

BUDGETS = {
    "fgsm": (1.0, 2.0, 4.0, 8.0, 16.0),
    "pgd": (1.0, 2.0, 4.0, 8.0, 16.0),
    "pgd_l2": (64.0, 128.0, 256.0, 512.0, 1024.0),
}
"""At strengths 1 to 5, in levels of 255: the most that one value changes, or the length of a 32×32 image's change.

A larger image's change may be longer, as its side: the same for each value. A fixed length, spread over 224×224 pixels,
would be rounded away; and the field's budgets grow alike: 0.5 × 255 for CIFAR-10, 3 × 255 for ImageNet (Salman et al.,
"Do Adversarially Robust ImageNet Models Transfer Better?", NeurIPS 2020).
"""
_LENGTHS_FOR = 32


def budgets_for(condition: str, height: int, width: int) -> tuple[float, ...]:
    """An attack's budgets at strengths 1 to 5 on images of a size, in levels of 255."""
    longer = math.sqrt(height * width) / _LENGTHS_FOR if condition == "pgd_l2" else 1
    return tuple(budget * longer for budget in BUDGETS[condition])


class AdversarialSettings(BehaviourSettings):
    """How hard the iterated attacks try."""

    name: Literal["adversarial"] = "adversarial"
    steps: int = Field(
        default=10,
        ge=1,
        le=200,
        title="Steps of PGD",
        description="When a network is measured; each is 2.5 budgets over their number long, from a random start.",
    )
    training_steps: int = Field(
        default=3,
        ge=1,
        le=50,
        title="Steps of PGD in training",
        description="Each is one more pass forward and back for every batch; Madry et al. take 7.",
    )


_CONDITIONS = (
    Condition(
        name="fgsm",
        title="FGSM",
        caption="One step: every value up or down by the whole budget, as the gradient's sign says.",
        family="largest change",
    ),
    Condition(
        name="pgd",
        title="PGD",
        caption="Many small steps from a random start, each value kept within the budget.",
        family="largest change",
    ),
    Condition(
        name="pgd_l2",
        title="PGD, L2",
        caption="Many small steps, the length of the whole change kept within the budget, so that few values may change"
        " much: a norm that no teacher was trained against.",
        family="length of the change",
        held_out=True,
    ),
)


def _apply(images: Tensor, condition: str, strength: int, given: Given) -> Tensor:
    from bird_backend.behaviours.adversarial.apply import attack  # noqa: PLC0415 - torch

    return attack(images, condition, strength, given)


def _train(images: Tensor, conditions: tuple[str, ...], given: Given) -> Tensor:
    from bird_backend.behaviours.adversarial.apply import attack_each  # noqa: PLC0415 - torch

    return attack_each(images, conditions, given)


_STEP = 3.0
"""Forward passes that a pass forward and back costs."""


def _measuring_passes(settings: AdversarialSettings) -> float:
    """The mean over the conditions."""
    steps = [1 if name == "fgsm" else settings.steps for name in settings.conditions]
    return _STEP * sum(steps) / max(len(steps), 1)


DECLARES = Behaviour(
    name="adversarial",
    place=30,
    title="Adversarial attacks",
    caption="FGSM and PGD: small changes that are made to mislead this very network.",
    words=Words(
        condition="attack",
        conditions="attacks",
        strength="budget",
        strengths="budgets",
        changed="attacked",
        under="under attack",
        how="The test images are changed to mislead the network, within five budgets.",
        question="What do attacks look like?",
        note="Each network is attacked itself, so no two see the same images; pictures show the attack on the run's"
        " last network.",
    ),
    list_conditions=lambda: _CONDITIONS,
    strengths_at=lambda side: (
        "Budgets are the same for each value at any size: in L2, the length of the whole change grows with the side,"
        f" to {side / _LENGTHS_FOR:g} times that of {_LENGTHS_FOR} pixels here: our choice."
    ),
    settings=AdversarialSettings,
    apply=_apply,
    train=_train,
    measuring_passes=_measuring_passes,
    training_passes=lambda settings: _STEP * (1 + settings.training_steps) / 2,
    attacks=True,
    glance=("fgsm",),
)
