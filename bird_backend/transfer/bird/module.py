"""BIRD's representation loss for any training loop: `loss = task + beta * BirdLoss(student, teacher, pairs)(x)`.

The maths is the method's (`transfer.bird.loss`); here is only where the activations come from.
"""

from __future__ import annotations

import copy
import warnings
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from pydantic import ValidationError
from torch import Tensor, distributed, nn
from torch.utils.hooks import RemovableHandle

from bird_backend.activations import Pooling, capture_activations, find_layer
from bird_backend.errors import InputError
from bird_backend.models.discovery import learn_layouts
from bird_backend.similarity import Estimator, Kernel
from bird_backend.specs import LayerPair
from bird_backend.training import Batch
from bird_backend.transfer.bird import BirdSettings
from bird_backend.transfer.bird.catching import NOT_RUN, Catcher, bare
from bird_backend.transfer.bird.gathering import gather_rows, is_distributed
from bird_backend.transfer.bird.loss import Bird
from bird_backend.transfer.frozen import FrozenNetwork

__all__ = ["BirdLoss"]

Pair = LayerPair | tuple[str, str] | tuple[str, str, float]
"""The teacher's guiding layer, the student's guided one, and the pair's share where it is not the same for all."""


class BirdLoss(nn.Module):
    """1 − CKA of a batch between a frozen teacher's layers and the student's, for any loop that minimises it.

    Call the student on a tensor first and then this on the very same tensor: the student's activations are caught in
    that forward pass, and only the teacher runs here. On any other tensor it runs the student itself, which is right
    too but costs a second forward pass; the first time that happens to a tensor that the student was just not given, a
    warning says so. `close` takes the hooks off, as does the end of a `with` block or of this object; from then on it
    runs the student itself.

    The teacher is put into evaluation mode and asks for no gradients; `to_teacher` makes the student's batch ready for
    it, where the two were trained on images that are normalised differently. Neither network is a part of this module:
    its parameters are those of `weighting="learned"` alone, but `.to(...)` takes the teacher along. CKA is in float32
    whatever autocast does. In a distributed training it is that of all processes' batches together, and gradients are
    such that their mean over processes, as `DistributedDataParallel` takes it, is that of one process with the whole
    batch; `gather=False` keeps to each process's own batch.
    """

    def __init__(
        self,
        student: nn.Module,
        teacher: nn.Module,
        pairs: Iterable[Pair],
        *,
        kernel: Kernel = "linear",
        bandwidth: float = 1.0,
        estimator: Estimator = "biased",
        pooling: Pooling = "mean",
        weighting: Literal["fixed", "learned"] = "fixed",
        to_teacher: Callable[[Tensor], Tensor] | None = None,
        gather: bool = True,
        group: distributed.ProcessGroup | None = None,
    ) -> None:
        """Layers are module paths. What can't be set so is an `InputError`, an unknown layer an `UnknownNameError`."""
        super().__init__()
        chosen = {"kernel": kernel, "bandwidth": bandwidth, "estimator": estimator, "pooling": pooling}
        settings = _settings(pairs, **chosen, weighting=weighting)
        self._options: dict[str, Any] = {**chosen, "weighting": weighting, "gather": gather, "group": group}
        self._options["to_teacher"] = to_teacher
        # In a plain object, or they would be parts of this module, and saved and trained with it.
        self._networks = _Networks(bare(student), FrozenNetwork(bare(teacher)))
        for pair in settings.pairs:
            find_layer(self._networks.teacher.network, pair.teacher)
        self.method = Bird(settings, self._networks.teacher)
        self._pairs = settings.pairs
        self._pooling: Pooling = pooling
        self._to_teacher = to_teacher
        self._gather, self._group = gather, group
        self._catcher = Catcher(self._networks.student, self.method.guided)
        self._unhook = weakref.finalize(self, _remove, self._catcher.handles)
        self._warned = False
        self._looked = False

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """The representation loss of a batch [B, ...], a float32 scalar.

        `mask` bool [B, N] is false where one of N tokens is padding; networks that have one take it as their second
        argument.
        """
        teacher = self._networks.teacher
        if teacher.network.training:
            teacher.network.eval()  # someone put all of a larger module into training mode
        if self.method.shares.device != inputs.device:
            self.method.to(inputs.device)
        batch = Batch(inputs=inputs, targets=inputs, mask=mask)
        if not self._looked:
            self._looked = True
            self._learn_layouts(inputs)
        guided = self._guided(batch)
        if torch.is_grad_enabled():
            self._check_gradients(guided)
        own = self.method.pooled(guided, mask)
        if self._to_teacher is not None:
            with torch.no_grad():
                batch = replace(batch, inputs=self._to_teacher(inputs))
        theirs = dict(teacher.features(batch, self.method.guiding, self._pooling))
        if self._gather and is_distributed(self._group):
            own = {name: gather_rows(rows, self._group) for name, rows in own.items()}
            theirs = {name: gather_rows(rows, self._group) for name, rows in theirs.items()}
        return self.method.compare(theirs, own)

    def close(self) -> None:
        """Take the hooks off the student."""
        self._unhook()
        self._catcher.take()

    def __enter__(self) -> BirdLoss:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __deepcopy__(self, memo: dict[int, Any]) -> BirdLoss:
        """For a copy of the student, that of a larger thing where both are parts of one; the teacher is the same."""
        copied = BirdLoss(
            copy.deepcopy(self._networks.student, memo), self._networks.teacher.network, self._pairs, **self._options
        )
        copied.load_state_dict(self.state_dict())
        memo[id(self)] = copied
        return copied

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> BirdLoss:
        self._networks.teacher.network._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call,no-any-return]

    def _guided(self, batch: Batch) -> dict[str, Tensor]:
        """The student's outputs at the guided layers: those of the loop's own pass, else of one made here."""
        why = self._catcher.unfit(batch.inputs)
        caught = self._catcher.take()
        if not why:
            return caught
        if why != NOT_RUN and not self._warned:
            self._warned = True
            warnings.warn(f"BirdLoss ran the student a second time: {why}.", stacklevel=4)
        student = self._networks.student
        with capture_activations(student, self.method.guided) as captured:
            batch.outputs(student)
        self._catcher.take()
        return captured

    def _learn_layouts(self, inputs: Tensor) -> None:
        """Whether a layer has channels or tokens last is seen by passing noise through both networks, once."""
        if inputs.ndim != 4 or inputs.shape[1] != 3 or inputs.shape[2] != inputs.shape[3]:
            return
        with torch.no_grad():
            theirs = inputs if self._to_teacher is None else self._to_teacher(inputs[:2])
        self._catcher.paused = True
        try:
            learn_layouts(self._networks.student, inputs.shape[-1])
            learn_layouts(self._networks.teacher.network, theirs.shape[-1])
        finally:
            self._catcher.paused = False

    def _check_gradients(self, guided: Mapping[str, Tensor]) -> None:
        """A loss that can't move what it is to move would be a silent failure."""
        for name in [name for name, activation in guided.items() if not activation.requires_grad]:
            layer = find_layer(self._networks.student, name)
            if any(parameter.requires_grad for parameter in layer.parameters()):
                raise InputError(
                    f"The student runs {name} without gradients, so BirdLoss can't train it; where that is a"
                    " checkpoint of activations, make it one with use_reentrant=False."
                )


class _Networks:
    """Both networks, out of the sight of `nn.Module`."""

    def __init__(self, student: nn.Module, teacher: FrozenNetwork) -> None:
        self.student = student
        self.teacher = teacher


def _settings(pairs: Iterable[Pair], **options: Any) -> BirdSettings:
    try:
        named = tuple(
            pair
            if isinstance(pair, LayerPair)
            else LayerPair(**dict(zip(("teacher", "student", "weight"), pair, strict=False)))  # type: ignore[arg-type]
            for pair in pairs
        )
        return BirdSettings(pairs=named, **options)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "pairs"
        raise InputError(f"BirdLoss, {where}: {first['msg'][0].lower()}{first['msg'][1:]}.") from None


def _remove(handles: Sequence[RemovableHandle]) -> None:
    for handle in handles:
        handle.remove()
