"""Rankings of the teachers of a study of pairs: what would score each of its pairs before any transfer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from bird_backend.errors import InputError
from bird_backend.experiments import RankSpec, load_spec
from bird_backend.specs import ModelRef
from bird_backend.studies.study import Plan, Study

__all__ = ["rankings_of"]

Pair = Mapping[str, Any]
Role = Literal["teacher", "student"]


def rankings_of(study: Plan | Study) -> Iterator[RankSpec]:
    """One a student: all its teachers at the study's own layers, on the study's images and for its behaviour.

    A study of something other than pairs is an `InputError`.
    """
    if study.preset != "pairs":
        raise InputError("Only the teachers of a study of pairs can be scored.")
    pairs = [variant.overrides for variant in study.variants if variant.role == "contender"]
    for student in _networks(pairs, "student"):
        own = [pair for pair in pairs if ModelRef.model_validate(pair["student"]) == student]
        document: dict[str, Any] = {
            name: study.base[name] for name in ("data", "image_size", "behaviour") if name in study.base
        }
        teachers = [_candidate(own, "teacher", teacher) for teacher in _networks(own, "teacher")]
        learner = _candidate(own, "student", student)
        spec = load_spec(document | {"kind": "rank", "teachers": teachers, "student": learner})
        if not isinstance(spec, RankSpec):
            raise TypeError("a document of the kind rank is a RankSpec")
        yield spec


def _networks(pairs: Sequence[Pair], role: Role) -> list[ModelRef]:
    return list(dict.fromkeys(ModelRef.model_validate(pair[role]) for pair in pairs))


def _candidate(pairs: Sequence[Pair], role: Role, network: ModelRef) -> dict[str, Any]:
    own = [pair for pair in pairs if ModelRef.model_validate(pair[role]) == network]
    layers = dict.fromkeys(layer[role] for pair in own for layer in pair["method"]["pairs"])
    return network.model_dump(mode="json") | {"layers": list(layers)}
