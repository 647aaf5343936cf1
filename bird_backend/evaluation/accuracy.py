"""What networks say of clean and corrupted images, several of them of the very same ones, corrupted on the fly.

The networks are compared image by image: an interval of a difference comes from the same images seen by both, which is
what makes a gain of a point visible with a thousand of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bird_backend.datasets import Split
from bird_backend.evaluation.album import Album
from bird_backend.evaluation.answers import Respondent
from bird_backend.evaluation.corrupted_set import CorruptedSet
from bird_backend.evaluation.corrupting import BATCH, Corrupting
from bird_backend.measures import CLEAN, Cell, Predictions
from bird_backend.runs.reading import Examples
from bird_backend.seeds import derive_seed
from bird_backend.training.device import training_mode

__all__ = ["Measured", "measure_accuracy"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What every network said, and some of the images; no pictures where no classes were named."""

    predictions: Predictions
    examples: Examples | None


@torch.no_grad()
def measure_accuracy(
    models: Mapping[str, nn.Module],
    split: Split,
    *,
    corruptions: Sequence[str],
    severities: Sequence[int],
    source: Corrupting | CorruptedSet,
    limit: int | None = None,
    classes: Sequence[str] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Measured:
    """What each network says of clean images and of every corruption × severity.

    At most `limit` images, drawn by a fixed seed, in the order of the split. Images come corrupted from `source`; its
    batches do not depend on the networks. Pictures are kept where the `classes` are named.
    """
    chosen = _choose(len(split), limit)
    device = split.images.device
    at = torch.from_numpy(chosen).to(device)
    whole = len(chosen) == len(split)
    images, labels = (split.images, split.labels) if whole else (split.images[at], split.labels[at])
    n, expected = len(chosen), labels.cpu().numpy()
    cells: list[Cell] = [CLEAN, *((name, severity) for name in corruptions for severity in severities)]
    album = None if classes is None else Album(images, expected, classes)
    predicted = {key: np.empty((len(cells), n), dtype=np.int16) for key in models}
    confidence = {key: np.empty((len(cells), n), dtype=np.float16) for key in models}

    def batch_of(cell: Cell, start: int) -> Tensor:
        batch = images[start : start + BATCH]
        if cell == CLEAN:
            return batch
        if isinstance(source, Corrupting):
            return source.batch(batch, cell, start)
        return source.batch(cell, chosen[start : start + BATCH], device)

    with ExitStack() as modes:
        for model in models.values():
            modes.enter_context(training_mode(model, False))
        respondents = [Respondent(model, images[:1]) for model in models.values()]
        for row, cell in enumerate(cells):
            answers = []
            for start in range(0, n, BATCH):
                batch = batch_of(cell, start)
                answers.append(torch.stack([respondent.answer(batch) for respondent in respondents]))
                if album is not None:
                    album.see(batch, start)
                if progress is not None:
                    progress((row + min(start + BATCH, n) / n) / len(cells))
            said = torch.cat(answers, dim=2).cpu().numpy()  # (models, class and confidence, n)
            for key, (named, sure) in zip(models, said, strict=True):
                predicted[key][row], confidence[key][row] = named, sure.view(np.float16)
            if album is not None:
                album.close_cell({key: values[row] for key, values in predicted.items()})
    return Measured(
        predictions=Predictions(
            cells=tuple(cells), images=chosen, labels=expected, predicted=predicted, confidence=confidence
        ),
        examples=None if album is None else album.examples(),
    )


def _choose(n: int, limit: int | None) -> np.ndarray:
    """Places of the images to look at, ascending."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(derive_seed(0, "test images")))
    return order[:limit].sort().values.numpy()
