"""Networks by source, and what is known of each: of the catalogue's from the catalogue, of others from a light run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import get_args

from app.backend import data
from bird_backend import catalog, settings
from bird_backend.catalog import ModelFacts
from bird_backend.errors import BirdError
from bird_backend.runs.networks import examine_spec, network_facts
from bird_backend.runs.store import Run, RunStore, State
from bird_backend.sources import SOURCES, Source, check_network, require_network, source_of, title_of_network
from bird_backend.specs import ModelRef

__all__ = [
    "SOURCES",
    "Look",
    "Source",
    "find_look",
    "is_network",
    "look_at",
    "naming_problem",
    "network_words",
    "offered_sources",
    "own_code_words",
]


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is known of a network: its facts; else the run that finds them out, or why there are none."""

    facts: ModelFacts | None = None
    remarks: tuple[str, ...] = ()
    """What to know before it is used, in sentences."""
    run: Run | None = None
    problem: str | None = None

    def is_of(self, image_size: int) -> bool:
        """Whether the facts are those at images of that size."""
        return self.facts is not None and self.facts.image_size == image_size


def offered_sources() -> dict[str, Source]:
    """Where a network may come from here, beside the catalogue: one's own code only where its owner allows it."""
    return {
        name: source for name, source in SOURCES.items() if not source.own_code or settings.networks_allowed() != ()
    }


def own_code_words() -> str:
    """What whoever started this app allows of networks that people wrote themselves."""
    allowed = settings.networks_allowed()
    if allowed == ():
        return (
            "Networks of one's own code can't be used here: they would be executed on the machine that runs this app, "
            "and its owner has not allowed that (`BIRD_NETWORKS` is empty)."
        )
    where = "" if allowed is None else f" It has to lie in {', '.join(map(str, allowed))} (`BIRD_NETWORKS`)."
    return f"Your code runs on the machine that runs this app, in a process of its own.{where}"


def naming_problem(network: str) -> str | None:
    """Why there is no such network here, in a sentence; none where there is."""
    try:
        check_network(network)
        require_network(network)
    except BirdError as error:
        return str(error)
    except (ValueError, OSError):
        return f"There is no network {network[:60]}."
    return None


def is_network(network: str) -> bool:
    """Whether this is how a network can be called, wherever its code is."""
    try:
        check_network(network)
    except (BirdError, ValueError):
        return False
    return True


def look_at(ref: ModelRef, image_size: int, *, retry: bool = False) -> Look:
    """Find out what a network has, given images of that size, once; `retry` asks again where that failed."""
    found = find_look(ref, image_size)
    asked = found.run is not None and not retry
    if asked or (found.run is None and found.problem is not None) or found.is_of(image_size):
        return found
    return replace(found, run=data.submit(examine_spec(ref, image_size).model_dump(mode="json")), problem=None)


def find_look(ref: ModelRef, image_size: int | None) -> Look:
    """What is known already, and what is under way.

    Of the catalogue's networks all is known at one image size, and at others all but the shapes; what size the images
    have need not be known yet.
    """
    if (problem := naming_problem(ref.model)) is not None:
        return Look(problem=problem)
    if image_size is None:
        return Look(facts=catalog.models().get(ref.model))
    facts = network_facts(ref, image_size)
    if ref.model in catalog.models() and facts is not None and facts.image_size == image_size:
        return Look(facts=facts)
    run = RunStore().find_same(examine_spec(ref, image_size), states=get_args(State))
    if run is None:
        return Look(facts=facts)
    failed = run.state in ("failed", "cancelled")
    remarks = tuple(str(said) for said in (run.summary or {}).get("problems", ()))
    problem = (run.reason or "Looking at the network was stopped.") if failed else None
    return Look(facts=facts, remarks=remarks, run=run, problem=problem)


def network_words(network: str) -> str:
    """What a person calls it, with the package that it is of: `ResNet-50 (torchvision)`."""
    source, _ = source_of(network)
    title = title_of_network(network)
    return title if source is None or source.own_code else f"{title} ({source.name})"
