"""One pass of a network over the data for all of its layers: clean training images, held-out ones, then every cell.

Of the cells' features only their extremes and sums are kept, whatever the number of cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from bird_backend.attributes.geometry import influence_on_cka
from bird_backend.attributes.probe import LinearProbe, fit_probe
from bird_backend.attributes.profile import LayerProfile
from bird_backend.attributes.sample import ChangedImages, Sample
from bird_backend.attributes.usefulness import Responses
from bird_backend.errors import InputError
from bird_backend.evaluation.snapshots import layer_features
from bird_backend.similarity import cka

__all__ = ["STABILITY_IMAGES", "profile_network"]

STABILITY_IMAGES = 1000
"""Held-out images on which clean and changed representations are compared, in every cell."""


@torch.no_grad()
def profile_network(
    network: nn.Module,
    layers: Sequence[str],
    *,
    train: Sample,
    held_out: Sample,
    changed: ChangedImages,
    classes: int,
    progress: Callable[[float], None] | None = None,
) -> dict[str, LayerProfile]:
    """By layer, mean-pooled; the network is in evaluation mode meanwhile and left as it was.

    `changed` are the held-out images. Features that are no numbers are an `InputError` that names the layer.
    """
    layers = tuple(dict.fromkeys(layers))
    count = len(train) + len(held_out) * (1 + len(changed.cells))
    done = 0

    def features(batches: Iterable[Tensor]) -> dict[str, Tensor]:
        nonlocal done
        parts: dict[str, list[Tensor]] = {layer: [] for layer in layers}
        for batch in batches:
            found = layer_features(network, batch, layers)
            for layer in layers:
                parts[layer].append(found[layer])
            done += len(batch)
            if progress is not None:
                progress(done / count)
        return {layer: torch.cat(parts.pop(layer)) for layer in layers}

    probes: dict[str, LinearProbe] = {}
    fitted, labels = features(train.batches()), train.labels
    for layer in layers:
        try:
            probes[layer] = fit_probe(fitted.pop(layer), labels, classes)
        except InputError as error:
            raise InputError(f"Layer {layer}: {error}") from error
    running = {layer: _Running(clean) for layer, clean in features(held_out.batches()).items()}
    for cell in changed.cells:
        for layer, seen in features(changed.batches(cell, network)).items():
            running[layer].add(seen)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return {layer: running[layer].profile(probes[layer], parameters) for layer in layers}


class _Running:
    """Of one layer's features over the cells so far."""

    def __init__(self, clean: Tensor) -> None:
        self._clean = clean
        self._least = torch.full_like(clean, torch.inf)
        self._largest = torch.full_like(clean, -torch.inf)
        self._sum = torch.zeros_like(clean)
        self._cells = 0
        self._stability = 0.0
        self._influence = clean.new_zeros(min(len(clean), STABILITY_IMAGES))

    def add(self, changed: Tensor) -> None:
        """[n, d]: the next cell's."""
        self._cells += 1
        self._least = torch.minimum(self._least, changed)
        self._largest = torch.maximum(self._largest, changed)
        self._sum += changed
        X, Y = self._clean[:STABILITY_IMAGES], changed[:STABILITY_IMAGES]
        self._stability += float(cka(X, Y))
        self._influence += influence_on_cka(X, Y)

    def profile(self, probe: LinearProbe, parameters: int) -> LayerProfile:
        return LayerProfile(
            probe=probe,
            predicted=probe.predict(self._clean),
            responses=Responses(
                clean=self._clean, least=self._least, largest=self._largest, mean=self._sum / self._cells
            ),
            stability=self._stability / self._cells,
            stability_influence=self._influence / self._cells,
            parameters=parameters,
        )
