"""What networks say of images as they are and under a behaviour's conditions, several of them of the very same ones.

The networks are compared image by image: an interval of a difference comes from the same images seen by both, which is
what makes a gain of a point visible with a thousand of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from bird_backend.behaviours.trial import Attacked, Trial, batch_size
from bird_backend.datasets import Split
from bird_backend.evaluation.album import Album
from bird_backend.evaluation.answers import Respondent
from bird_backend.measures import CLEAN, Cell, Predictions
from bird_backend.runs.reading import Examples
from bird_backend.seeds import derive_seed
from bird_backend.training.device import training_mode

__all__ = ["Measured", "Said", "measure_accuracy"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Said:
    """What one network said: classes int16 [cells, n] and its confidence in them float16 [cells, n]."""

    predicted: np.ndarray
    confidence: np.ndarray

    @property
    def nbytes(self) -> int:
        return self.predicted.nbytes + self.confidence.nbytes


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
    trial: Trial,
    limit: int | None = None,
    classes: Sequence[str] | None = None,
    progress: Callable[[float], None] | None = None,
    known: Mapping[str, Said] | None = None,
    changed: MutableMapping[tuple[Cell, int], Tensor] | None = None,
) -> Measured:
    """What each network says of the images as they are and in every cell of `trial`.

    At most `limit` images, drawn by a fixed seed, in the order of the split. All networks see the same, but where the
    trial attacks: then each sees its own, and pictures are of the last one's. They are kept where `classes` are named.
    Networks of `known` said so of the very same images before, and are not asked again. `changed` has images that were
    changed before, by cell and first place, and takes those that were not.
    """
    chosen = _choose(len(split), limit)
    device = split.device
    at = torch.from_numpy(chosen)
    whole = len(chosen) == len(split)
    labels = split.labels if whole else split.labels[at.to(device)]
    n, expected = len(chosen), labels.cpu().numpy()
    step = batch_size(*split.images.shape[2:])
    cells = trial.cells
    album = (
        None if classes is None else Album(lambda places: split.take(at[torch.from_numpy(places)]), expected, classes)
    )
    predicted = {key: np.empty((len(cells), n), dtype=np.int16) for key in models}
    confidence = {key: np.empty((len(cells), n), dtype=np.float16) for key in models}

    known = known or {}
    # Someone has to look, for the pictures.
    asked = {key: model for key, model in models.items() if key not in known} or dict(models)

    def batch_of(cell: Cell, start: int, model: nn.Module | None = None) -> Tensor:
        rows = slice(start, start + step)
        if cell != CLEAN and trial.stored is not None:
            return trial.stored.batch(cell, chosen[rows], device)
        network = None if model is None else Attacked(model=model, labels=labels[rows])
        return trial.batch(split.take(rows if whole else at[rows]), cell, start, network)

    def batches(cell: Cell, start: int) -> list[Tensor]:
        """A batch for each network."""
        if trial.attacks and cell != CLEAN:
            return [batch_of(cell, start, model) for model in asked.values()]
        if changed is None:
            return [batch_of(cell, start)] * len(asked)
        if (cell, start) not in changed:
            changed[cell, start] = batch_of(cell, start)
        return [changed[cell, start]] * len(asked)

    with ExitStack() as modes:
        for model in asked.values():
            modes.enter_context(training_mode(model, False))
        respondents = [Respondent(model, split.take(slice(1))) for model in asked.values()]
        for row, cell in enumerate(cells):
            answers = []
            for start in range(0, n, step):
                seen = batches(cell, start)
                pairs = zip(respondents, seen, strict=True)
                answers.append(torch.stack([respondent.answer(batch) for respondent, batch in pairs]))
                if album is not None:
                    album.see(seen[-1], start)
                if progress is not None:
                    progress((row + min(start + step, n) / n) / len(cells))
            said = torch.cat(answers, dim=2).cpu().numpy()  # (models, class and confidence, n)
            for key, (named, sure) in zip(asked, said, strict=True):
                predicted[key][row], confidence[key][row] = named, sure.view(np.float16)
            for key in models.keys() - asked.keys():
                predicted[key][row], confidence[key][row] = known[key].predicted[row], known[key].confidence[row]
            if album is not None:
                album.close_cell({key: values[row] for key, values in predicted.items()})
    return Measured(
        predictions=Predictions(
            behaviour=trial.behaviour.name,
            cells=cells,
            images=chosen,
            labels=expected,
            predicted=predicted,
            confidence=confidence,
        ),
        examples=None if album is None else album.examples(),
    )


def _choose(n: int, limit: int | None) -> np.ndarray:
    """Places of the images to look at, ascending."""
    order = torch.randperm(n, generator=torch.Generator().manual_seed(derive_seed(0, "test images")))
    return order[:limit].sort().values.numpy()
