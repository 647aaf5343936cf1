"""Robustness to geometry: the image is turned, moved, resized or slanted, by rather more than training crops do.

Rotations go to 30°, as in Engstrom et al., "Exploring the Landscape of Spatial Robustness", ICML 2019; the other
strengths are ours. What comes in from outside is black, as there and in the training crop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bird_backend.behaviours.declaration import Behaviour, Condition, Words

if TYPE_CHECKING:
    from torch import Tensor

    from bird_backend.behaviours.trial import Given

__all__ = ["AMOUNTS", "DECLARES"]

AMOUNTS = {
    "rotation": (6.0, 12.0, 18.0, 24.0, 30.0),
    "shift": (2 / 32, 4 / 32, 6 / 32, 8 / 32, 10 / 32),
    "scale": (1.1, 1.2, 1.35, 1.5, 1.7),
    "shear": (0.1, 0.2, 0.3, 0.45, 0.6),
}
"""At strengths 1 to 5. Degrees; shares of the shorter side; factors of enlarging or shrinking; tangents."""

_CONDITIONS = (
    Condition(
        name="rotation",
        title="Rotation",
        caption="Turned around its middle, to the left or to the right, by up to 30°.",
        family="rigid",
    ),
    Condition(
        name="shift",
        title="Shift",
        caption="Moved in any direction, by up to almost a third of its side.",
        family="rigid",
    ),
    Condition(
        name="scale",
        title="Scale",
        caption="Enlarged around its middle, or shrunk, up to 1.7 times.",
        family="stretching",
        held_out=True,
    ),
    Condition(
        name="shear",
        title="Shear",
        caption="Slanted along its rows or its columns, as italics are.",
        family="stretching",
        held_out=True,
    ),
)


def _apply(images: Tensor, condition: str, strength: int, given: Given) -> Tensor:
    from bird_backend.behaviours.geometric.apply import move  # noqa: PLC0415 - torch

    return move(images, condition, strength, given.generator)


def _train(images: Tensor, conditions: tuple[str, ...], given: Given) -> Tensor:
    from bird_backend.behaviours.geometric.apply import move_each  # noqa: PLC0415 - torch

    return move_each(images, conditions, given)


DECLARES = Behaviour(
    name="geometric",
    place=20,
    title="Geometric changes",
    caption="Rotation, shift, scale and shear: the thing is the same, seen from elsewhere.",
    words=Words(
        condition="change",
        conditions="changes",
        strength="strength",
        strengths="strengths",
        changed="moved",
        under="under geometric change",
        how="The test images are turned, moved, resized and slanted, at five strengths.",
        question="What do geometric changes look like?",
    ),
    list_conditions=lambda: _CONDITIONS,
    strengths_at=lambda _: "Amounts are degrees, factors and shares of the side, the same at any size.",
    apply=_apply,
    train=_train,
)
