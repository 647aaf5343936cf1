"""Studies of pairs: teachers × students × layer pairs × seeds of one transfer, all else and the budget alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec
from bird_backend.runs.provenance import find_weights, read_provenance
from bird_backend.specs import LayerPair, ModelRef
from bird_backend.studies.layer_pairs import Pair, every_pair, pairs_by_depth
from bird_backend.studies.plan import plan_of, seeds_from
from bird_backend.studies.study import Plan, Variant
from bird_backend.transfer import METHODS, MatchingSettings, reference_method

__all__ = ["MOST_RUNS", "Layers", "network_of", "plan_pairs"]

MOST_RUNS = 5000
"""Of one study: as many rows as are still read, and a day's work for the smallest networks."""
_SNAPSHOTS = 3
"""Of a pair: each costs a training as short as these a hundredth, and the projector seconds."""

Layers = Literal["all", "depth"] | Sequence[Pair] | Mapping[ModelRef, Sequence[Pair]]
"""All pairs of outline layers; each guided layer with the guiding one as deep; or those named, (teacher, student), for
every teacher alike or by teacher."""


def network_of(weights: str) -> ModelRef:
    """The network that weights of that name or path are for; an `InputError` where they don't say."""
    made = read_provenance(find_weights(weights))
    if made is None:
        raise InputError(f"{weights} does not say which network it holds, so it can't be part of a pair here.")
    return ModelRef(model=made.model, weights=weights)


def plan_pairs(
    base: TransferSpec,
    *,
    teachers: Sequence[ModelRef] = (),
    students: Sequence[ModelRef] = (),
    layers: Layers = "all",
    seeds: int = 1,
    random_teachers: bool = False,
    budget_seconds: float | None = None,
) -> Plan:
    """Every pair at `seeds` seeds from the base's own on; without teachers or students the base's own.

    Beside them once for each student: fine-tuning, which gains are over, and fine-tuning with the method's own alpha,
    whose task loss is as small. `random_teachers` adds a teacher of random weights for each architecture and layer
    pair. `budget_seconds` of runs end the study; what was not begun by then is stopped, and can be gone on with.
    Anything that can't be is an `InputError` of one sentence.
    """
    if not isinstance(base.method, MatchingSettings):
        raise InputError(f"A pair is of layers, and {METHODS[base.method.name].title} compares none.")
    if budget_seconds is not None and budget_seconds <= 0:
        raise InputError("A study's budget is some time, such as 2h or 30m.")
    numbers = seeds_from(base, seeds)
    given = tuple(dict.fromkeys(teachers)) or (base.teacher,)
    guided = tuple(dict.fromkeys(students)) or (base.student,)
    blank = tuple(ModelRef(model=name) for name in dict.fromkeys(ref.model for ref in given)) if random_teachers else ()
    _check_count(len(given) * len(guided) * len(numbers))
    notes: dict[str, None] = {}
    pairs = [
        (teacher, student, pair)
        for student in guided
        for teacher in (*given, *blank)
        for pair in _layers(base, teacher, student, layers, notes)
    ]
    _check_count(len(pairs) * len(numbers))
    kept = base.snapshots.model_copy(update={"count": min(base.snapshots.count, _SNAPSHOTS)})
    base = base.model_copy(update={"snapshots": kept})
    variants: list[Variant] = []
    for number, student in enumerate(guided):
        learner = _Learner(base=base, student=student, number=number)
        own = [(teacher, pair) for teacher, learning, pair in pairs if learning == student]
        variants += learner.references(*own[0])
        variants += [learner.paired(teacher, pair, place) for place, (teacher, pair) in enumerate(own)]
    count = sum(variant.role == "contender" for variant in variants)
    told = (
        f"{count:,} pairs of {len(given)} teacher{'s' if len(given) > 1 else ''} and {len(guided)}"
        f" student{'s' if len(guided) > 1 else ''}.",
        "Gains are over the same student's fine-tuning with the same seed and budget; fine-tuning at the method's alpha"
        " has a task loss as small as the method's, and no teacher.",
    )
    return plan_of(
        base,
        variants,
        numbers,
        preset="pairs",
        called="Pairs",
        controls=("random-weights",) if blank else (),
        notes=(*told, *notes),
        budget_seconds=budget_seconds,
    )


@dataclass(frozen=True, kw_only=True)
class _Learner:
    """One student's rows of a study."""

    base: TransferSpec
    student: ModelRef
    number: int

    def references(self, teacher: ModelRef, pair: Pair) -> Iterator[Variant]:
        """Fine-tuning, and the same with the method's alpha; their geometry is drawn at the first pair."""
        reference, method = reference_method(), self.base.method.model_dump(mode="json")
        layers = LayerPair(teacher=pair[0], student=pair[1]).model_dump(mode="json")
        common = self._networks(teacher) | {"control": "none"}
        yield Variant(
            key=self._fine_tuning,
            label=f"{reference.title}: {self.student.title}",
            role="reference",
            method=reference.name,
            overrides=common | {"method": {"name": reference.name}, "drawn": layers},
        )
        if 0 < method.get("alpha", 0) < 1:
            yield Variant(
                key=f"same-alpha-{self.number}",
                label=f"{reference.title} at alpha {method['alpha']:g}: {self.student.title}",
                role="control",
                method=method["name"],
                control="same-alpha",
                over=self._fine_tuning,
                overrides=common | {"method": method | {"pairs": [layers]}, "drawn": None, "control": "same-alpha"},
            )

    def paired(self, teacher: ModelRef, pair: Pair, place: int) -> Variant:
        """The method between two layers."""
        method = self.base.method.model_dump(mode="json")
        layers = LayerPair(teacher=pair[0], student=pair[1]).model_dump(mode="json")
        control = "random-weights" if teacher.weights is None else "none"
        name = f"{teacher.title} {pair[0]} → {self.student.title} {pair[1]}"
        return Variant(
            key=f"pair-{self.number}-{place}",
            label=name,
            role="contender" if control == "none" else "control",
            method=method["name"],
            control=control,
            over=self._fine_tuning,
            value=name,
            overrides=self._networks(teacher)
            | {"method": method | {"pairs": [layers]}, "drawn": None, "control": control},
        )

    @property
    def _fine_tuning(self) -> str:
        return f"fine-tuning-{self.number}"

    def _networks(self, teacher: ModelRef) -> dict[str, object]:
        refs = {"teacher": teacher, "student": self.student}
        return {role: ref.model_dump(mode="json") for role, ref in refs.items()}


def _check_count(runs: int) -> None:
    if runs > MOST_RUNS:
        raise InputError(
            f"That would be {runs:,} runs or more, and a study takes {MOST_RUNS:,}; take fewer teachers, students,"
            " seeds or layer pairs, or pair layers by depth."
        )


def _named(teacher: ModelRef, layers: Layers) -> Sequence[object]:
    """The pairs that are named for a teacher; for one of random weights those of every teacher of its architecture."""
    if not isinstance(layers, Mapping):
        return layers
    alike = [ref for ref in layers if teacher in (ref, ModelRef(model=ref.model))]
    return [pair for ref in alike for pair in layers[ref]]


def _layers(
    base: TransferSpec, teacher: ModelRef, student: ModelRef, layers: Layers, notes: dict[str, None]
) -> list[Pair]:
    """The layer pairs of two networks; what is left out of them is added to `notes`."""
    if layers not in ("all", "depth"):
        named = list(dict.fromkeys(pair for pair in _named(teacher, layers) if isinstance(pair, tuple)))
        if not named:
            raise InputError("A study of pairs needs layers: all, depth, or pairs such as block1:block2.")
        return named
    between = base.model_copy(update={"teacher": teacher, "student": student})
    if not isinstance(base.method, MatchingSettings):
        return []
    if layers == "depth":
        return pairs_by_depth(between)
    found, note = every_pair(between, base.method)
    _, marked, left_out = note.partition("Left out, ")
    if marked:
        notes[f"Of {teacher.network_title} → {student.network_title} left out, {left_out}"] = None
    return found
