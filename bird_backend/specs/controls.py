"""Controls: runs that learn nothing of the teacher, which a gain is compared with before it is put down to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["CONTROLS", "Control", "ControlName"]

ControlName = Literal["none", "random-weights", "shuffled-batch", "same-alpha"]


@dataclass(frozen=True, kw_only=True)
class Control:
    """A control by what it is: in a list, beside a method's name, and why one would run it."""

    name: ControlName
    title: str
    label: str
    caption: str


CONTROLS: Mapping[str, Control] = {
    control.name: control
    for control in (
        Control(
            name="random-weights",
            title="A teacher with random weights",
            label="random teacher",
            caption="The teacher's architecture with weights drawn from the seed: it knows nothing, so whatever is "
            "gained all the same did not come from what the teacher knows.",
        ),
        Control(
            name="shuffled-batch",
            title="A teacher that looks at other images",
            label="shuffled batch",
            caption="The teacher sees each batch in another order, so that its geometry belongs to other images: "
            "whatever is gained all the same comes from having a second loss, not from the teacher's view of these "
            "images.",
        ),
        Control(
            name="same-alpha",
            title="The task loss alone, at the method's alpha",
            label="alpha alone",
            caption="Fine-tuning whose loss is as small as the method's task loss, so that its steps are as small too: "
            "whatever is gained all the same comes from training more gently, not from the teacher.",
        ),
    )
}
