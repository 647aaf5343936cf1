"""Teachers and students to choose from: weights by name, and every network with random weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.backend.named_networks import is_network, network_words
from app.words.intervals import percent
from bird_backend import catalog
from bird_backend.behaviours import BEHAVIOURS, Behaviour
from bird_backend.catalog import title_of
from bird_backend.runs.provenance import Provenance, Validated, WeightsFile

__all__ = [
    "RANDOM",
    "Provenance",
    "Validated",
    "Weights",
    "WeightsFile",
    "offered",
    "trained_for",
    "under",
    "usable",
]

RANDOM = "random:"
"""Before a network's name: that network with random weights."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """One choice: `value` is what the URL and the form say, the name of a file of weights or `random:NETWORK`."""

    value: str
    network: str
    provenance: Provenance | None
    namesake: bool = False
    """Whether others have the same title. A list tells its lines apart by their words alone."""

    @property
    def label(self) -> str:
        """One line for a list."""
        if self.provenance is None:
            return f"{network_words(self.network)}, random weights"
        title = self.provenance.title or self.value
        return f"{title} · {self.value}" if self.namesake else title

    @property
    def caption(self) -> str:
        """Where the weights come from and how good they are."""
        made, facts = self.provenance, catalog.models().get(self.network)
        size = f"{network_words(self.network)}{f', {facts.parameters:,} parameters' if facts else ''}."
        if made is None:
            return f"{size} Random weights drawn from the seed: a control that knows nothing."
        figures = []
        if made.clean_accuracy is not None:
            figures.append(f"{_tied(made.clean_accuracy)} on clean images")
        if made.robust_accuracy is not None:
            figures.append(f"{_tied(made.robust_accuracy)} {under(made)}")
        measured = f": {' and '.join(figures)} (n\u00a0=\u00a0{made.n_test:,})" if figures else ""
        return f"{size} Trained on {title_of(made.data)}{measured}."


def trained_for(made: Provenance) -> Behaviour | None:
    """The behaviour that weights were trained to have; none for those that trained on images as they are."""
    return _measured_for(made) if "train_conditions" in made.recipe else None


def under(made: Provenance) -> str:
    """What their robust accuracy is of: `under corruption`; `robust` where nobody knows."""
    behaviour = _measured_for(made)
    return "robust" if behaviour is None else behaviour.words.under


def usable(known: Iterable[WeightsFile]) -> dict[str, Weights]:
    """The weights that can be chosen by name."""
    made = {
        found.name: found.provenance
        for found in known
        if found.problem is None and found.provenance is not None and is_network(found.provenance.model)
    }
    titles = Counter(provenance.title for provenance in made.values())
    return {
        name: Weights(value=name, network=each.model, provenance=each, namesake=titles[each.title] > 1)
        for name, each in made.items()
    }


def offered(
    role: Literal["teacher", "student"], data: str, known: Mapping[str, Weights], *, named: str = ""
) -> dict[str, Weights]:
    """What a list for `role` offers, the likeliest first: known made for it, for a student on the same data.

    Behind them stand the catalogue's networks with random weights, and the one of another source that is `named`.
    """

    def rank(weights: Weights) -> tuple[bool, bool, str]:
        made = weights.provenance
        return (
            role == "student" and made is not None and made.data != data,
            made is not None and made.role != role,
            weights.value,
        )

    ranked = sorted(known.values(), key=rank)
    asked = [named.removeprefix(RANDOM)] if named.startswith(RANDOM) else []
    every = dict.fromkeys((*(name for name in asked if is_network(name)), *catalog.models()))
    untrained = (Weights(value=f"{RANDOM}{name}", network=name, provenance=None) for name in every)
    return {weights.value: weights for weights in (*ranked, *untrained)}


def _measured_for(made: Provenance) -> Behaviour | None:
    """The behaviour under which weights were measured, where their recipe names one that there is."""
    behaviour = made.recipe.get("behaviour")
    name = behaviour.get("name") if isinstance(behaviour, dict) else None
    return BEHAVIOURS[str(name)] if name in BEHAVIOURS else None


def _tied(share: float) -> str:
    """A percentage that no line break parts from its sign."""
    return percent(share).replace(" ", "\u00a0")
