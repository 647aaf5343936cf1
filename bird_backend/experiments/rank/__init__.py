"""Score teachers' layers for a student, on the student's own data and before any transfer, and rank them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from bird_backend import catalog
from bird_backend.behaviours import USUAL, BehaviourField
from bird_backend.experiments.declaration import DataRunSpec, Kind, Report, Summary
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.specs import ModelRef

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "Candidate", "RankSpec"]


class Candidate(ModelRef):
    """A network, and which of its layers are looked at."""

    layers: tuple[str, ...] = ()
    """None: those that stand for it."""


class RankSpec(DataRunSpec):
    """Teachers with their guiding layers, the student with its guided ones, and what is to be kept doing right."""

    kind: Literal["rank"] = "rank"
    teachers: tuple[Candidate, ...] = Field(min_length=1, max_length=500)
    student: Candidate
    behaviour: BehaviourField = Field(default=USUAL, validate_default=True)
    images: int = Field(default=1000, ge=8, le=50_000)
    """At most so many validation images are scored on, evenly over the classes."""
    training_images: int = Field(default=10_000, ge=16, le=500_000)
    """At most so many training images are what probes are fitted to."""
    reduce: Literal["min", "mean"] = "min"
    """Of usefulness, by which the ranking goes; the table has every option."""
    aggregate: Literal["mean", "max", "probe_weighted"] = "mean"

    @model_validator(mode="after")
    def _distinct(self) -> RankSpec:
        titles = Counter(teacher.title for teacher in self.teachers)
        title, times = titles.most_common(1)[0]
        if times > 1:
            raise ValueError(f"two teachers are called {title}; name one with all of its layers")
        for teacher in self.teachers:
            if teacher.weights is not None and (teacher.model, teacher.weights) == _network(self.student):
                raise ValueError(f"the teacher {teacher.title} is the student; name another network")
        return self

    @model_validator(mode="after")
    def _on_the_fly(self) -> RankSpec:
        if getattr(self.behaviour, "corrupted_dir", None) is not None:
            raise ValueError("a ranking changes validation images, and a corrupted_dir holds test images; leave it out")
        if not self.behaviour.conditions:
            raise ValueError(f"a ranking needs at least one {self.behaviour.behaviour.words.condition}")
        return self


def _network(ref: ModelRef) -> tuple[str, str | None]:
    return ref.model, ref.weights


def _execute(spec: RankSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.rank.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


_SHOWN = ("usefulness", "probe_accuracy", "complementary_knowledge", "cka", "representation_stability")
_SENTENCES = 3


def _report(summary: Summary) -> Report:
    ranking = summary["ranking"]
    rows = tuple(
        (
            str(entry["rank"]),
            entry["teacher"],
            entry["teacher_layer"],
            entry["student_layer"],
            *(_say(name, entry["scores"].get(name)) for name in _SHOWN),
        )
        for entry in ranking
    )
    header = ("", "teacher", "layer", f"{summary['student']}'s layer", *(ATTRIBUTES[name].title for name in _SHOWN))
    best = [f"{entry['teacher']} at {entry['teacher_layer']}: {entry['why']}" for entry in ranking[:_SENTENCES]]
    whole = len(ranking) == summary["pairs"]
    last = ranking[_SENTENCES:][-1:] if whole else ()
    worst = [f"Last, {entry['teacher']} at {entry['teacher_layer']}: {entry['why']}" for entry in last]
    rest = () if whole else (f"The first {len(ranking)} of {summary['pairs']:,} pairs of layers",)
    said = (
        f"n = {summary['n']:,} validation images and {summary['n_train']:,} training images; in brackets the same of"
        " random weights; every score, option and interval is in the run's scores.parquet"
    )
    return Report(header=header, rows=rows, lines=(*best, *worst, *rest, said, *summary["remarks"]))


def _say(name: str, score: dict[str, float | None] | None) -> str:
    """`0.214 (0.031)`: the value, and random weights' in brackets."""
    if score is None or score["value"] is None:
        return "–"
    attribute = ATTRIBUTES[name]
    factor = 100 if attribute.share else 1
    text = f"{score['value'] * factor:.{attribute.digits}f}"
    random = score["random"]
    return text if random is None else f"{text} ({random * factor:.{attribute.digits}f})"


DECLARES = Kind(
    name="rank",
    place=53,
    label="Ranking of teachers",
    spec=RankSpec,
    title=lambda spec: (
        f"{len(spec.teachers)} {'teacher' if len(spec.teachers) == 1 else 'teachers'} for {spec.student.title} on"
        f" {catalog.title_of(spec.data)}"
    ),
    report=_report,
    execute=_execute,
    shows=frozenset({"scores"}),
    light=True,
)
