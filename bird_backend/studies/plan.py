"""What a comparison of methods consists of: one transfer with every method, each with the same seeds and budget.

All of it is checked before anything is queued.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bird_backend import catalog
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import TransferSpec
from bird_backend.runs.checks import check_data, check_transfer
from bird_backend.runs.provenance import Provenance, find_weights, read_provenance
from bird_backend.specs import CONTROLS, LayerPair, ModelRef
from bird_backend.studies.study import Plan, Variant
from bird_backend.transfer import METHODS, Entrant, MatchingSettings, Method

__all__ = [
    "MAX_SEEDS",
    "USUAL_CONTROLS",
    "describe_pair",
    "entrants",
    "more_seeds",
    "plan_methods",
    "plan_of",
    "seeds_from",
]

MAX_SEEDS = 100
USUAL_CONTROLS = ("random-weights", "same-alpha")
"""What a comparison runs unless it is told otherwise: is it the teacher, and is it more than gentler training?"""


def entrants() -> dict[str, tuple[Method, Entrant]]:
    """What can be named in a comparison, in the order of its table: each method's rows."""
    return {entrant.name: (method, entrant) for method in METHODS.values() for entrant in method.rows}


def plan_methods(
    base: TransferSpec,
    *,
    methods: str | Sequence[str] = "all",
    seeds: int = 3,
    controls: Sequence[str] = USUAL_CONTROLS,
) -> Plan:
    """One transfer with each of `methods` (names of `entrants()`, or `all`) at `seeds` seeds from the base's own on.

    Methods that compare layers take the base's layer pairs and pooling; everything else about a method is its own
    default, except for the base's own method, which stays as it is. The untouched student is always in the table.
    `controls` are run with the base's own method, or where that doesn't look at the teacher with the last that does.
    Anything that can't be is an `InputError` of one sentence; under `all` it is left out instead, and the plan's notes
    say so.
    """
    everything = methods == "all" or list(methods) == ["all"]
    names = tuple(entrants()) if everything else _known(methods)
    numbers = seeds_from(base, seeds)
    wanted = _known_controls(controls)
    notes: list[str] = []
    variants: list[Variant] = []
    for name in names:
        try:
            variant = _variant(base, name)
            needs_same = METHODS[variant.method].needs_same_classes
            if everything and needs_same and (why := _can_not_tell(base)):
                notes.append(f"{variant.label} is left out: {why}")
                continue
            variants.append(variant)
        except InputError as error:
            if not everything or name == base.method.name:
                raise
            notes.append(f"{entrants()[name][1].title} is left out: {error}")
    variants = _with_controls(base, variants, wanted)
    reference = next((variant.key for variant in variants if variant.role == "reference"), None)
    if reference is not None:
        variants = [
            variant if variant.role == "reference" else variant.model_copy(update={"over": reference})
            for variant in variants
        ]
    notes += _notes(base, variants)
    controls = tuple(dict.fromkeys(each.control for each in variants if each.role == "control"))
    return plan_of(base, variants, numbers, preset="methods", called="Methods", controls=controls, notes=notes)


def plan_of(
    base: TransferSpec,
    variants: Sequence[Variant],
    seeds: Sequence[int],
    *,
    preset: str,
    called: str,
    axis: str = "",
    controls: Sequence[str] = (),
    notes: Sequence[str] = (),
    budget_seconds: float | None = None,
) -> Plan:
    """The plan of these, every spec of it built and what it names looked for; an `InputError` of one sentence if it
    can't be. `called` stands before what the transfer is called.
    """
    if not variants:
        raise InputError("A study needs at least one method.")
    if base.fork is not None:
        raise InputError("The runs of a study begin at their start, so it can't be made of a fork.")
    plan = Plan(
        title=f"{called}: {base.title or describe_pair(base)}"[:120],
        preset=preset,
        base=base.model_dump(mode="json"),
        variants=tuple(variants),
        seeds=tuple(seeds),
        axis=axis,
        controls=tuple(controls),
        notes=tuple(notes),
        budget_seconds=budget_seconds,
    )
    for variant in plan.variants:
        spec = plan.spec(variant, plan.seeds[0])
        check_transfer(spec)
        check_data(spec)
    return plan


def seeds_from(base: TransferSpec, count: int) -> tuple[int, ...]:
    """`count` seeds from the base's own on."""
    if not 1 <= count <= MAX_SEEDS:
        raise InputError(f"A study takes from 1 to {MAX_SEEDS} seeds, not {count}.")
    if base.seed + count > 2**31:
        raise InputError(f"Seeds end at 2³¹ − 1; begin lower than {base.seed}.")
    return tuple(range(base.seed, base.seed + count))


def more_seeds(plan: Plan, count: int) -> tuple[int, ...]:
    """The `count` seeds that follow a plan's own."""
    if not 1 <= count <= MAX_SEEDS - len(plan.seeds):
        raise InputError(
            f"A study takes up to {MAX_SEEDS} seeds and this one has {len(plan.seeds)}, so not {count} more."
        )
    first = max(plan.seeds) + 1
    if first + count > 2**31:
        raise InputError(f"Seeds end at 2³¹ − 1, and this study's go up to {first - 1}.")
    return tuple(range(first, first + count))


def describe_pair(spec: TransferSpec) -> str:
    """Teacher, student and data in a few words."""
    return f"{spec.teacher.title} → {spec.student.title} on {catalog.title_of(spec.data)}"


def _known(methods: str | Sequence[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys([methods] if isinstance(methods, str) else methods))
    for name in names:
        if name not in entrants():
            raise UnknownNameError("method", name, [*entrants(), "all"])
    if not names:
        raise InputError("A comparison needs at least one method, such as bird, or all.")
    # In the table's order, however they were named; the untouched student costs nothing.
    return tuple(name for name, (_, entrant) in entrants().items() if name in names or entrant.role == "floor")


def _known_controls(controls: Sequence[str]) -> tuple[str, ...]:
    for name in controls:
        if name not in CONTROLS:
            raise UnknownNameError("control", name, [*CONTROLS, "none"])
    return tuple(dict.fromkeys(controls))


def _variant(base: TransferSpec, name: str) -> Variant:
    method, entrant = entrants()[name]
    document: dict[str, Any] = {"name": method.name, **entrant.settings}
    own = base.method.model_dump(mode="json")
    if method.name == base.method.name:
        document = own | document
    elif method.matches_layers:
        pairs = own.get("pairs") or [_drawn(base).model_dump(mode="json")]
        document |= {"pairs": pairs, "pooling": own.get("pooling", "mean")}
    overrides: dict[str, Any] = {"method": document, "control": "none"}
    if not method.matches_layers:
        overrides["drawn"] = None if base.drawn_pair is None else base.drawn_pair.model_dump(mode="json")
    elif base.drawn is not None:
        overrides["drawn"] = None
    variant = Variant(key=name, label=entrant.title, role=entrant.role, method=method.name, overrides=overrides)
    return _checked(base, variant)


def _drawn(base: TransferSpec) -> LayerPair:
    if base.drawn_pair is None:
        raise InputError(
            f"{METHODS[base.method.name].title} compares no layers and only a run finds those of {base.teacher.model}"
            f" and {base.student.model}, so `drawn` has to name the pair that the other methods compare; `list layers`"
            " lists those there are."
        )
    return base.drawn_pair


def _checked(base: TransferSpec, variant: Variant) -> Variant:
    plan = Plan(title="", preset="", base=base.model_dump(mode="json"), variants=(variant,), seeds=(base.seed,))
    spec = plan.spec(variant, base.seed)
    check_transfer(spec, _classes_of(base))
    return variant.model_copy(update={"start": spec.start})


def _with_controls(base: TransferSpec, variants: Sequence[Variant], controls: Sequence[str]) -> list[Variant]:
    """The controls stand under the method that they are of."""
    able = [variant for variant in variants if METHODS[variant.method].needs_teacher]
    own = (variant for variant in able if variant.method == base.method.name)
    subject = next(own, able[-1] if able else None)
    result: list[Variant] = []
    for variant in variants:
        result.append(variant)
        if variant is subject:
            result += [
                variant.model_copy(
                    update={
                        "key": f"{variant.key}-{control}",
                        "label": f"{variant.label}, {CONTROLS[control].label}",
                        "role": "control",
                        "control": control,
                        "overrides": {**variant.overrides, "control": control},
                    }
                )
                for control in controls
                if control != "same-alpha" or _has_alpha(base, variant)
            ]
    return result


def _has_alpha(base: TransferSpec, variant: Variant) -> bool:
    """Whether the variant's method weighs the task's loss, and by less than fine-tuning does."""
    settings = METHODS[variant.method].settings.model_validate(variant.overrides.get("method", base.method))
    return 0 < getattr(settings, "alpha", 0) < 1


def _notes(base: TransferSpec, variants: Sequence[Variant]) -> list[str]:
    training = base.training
    epochs = f"{training.epochs} epoch{'s' if training.epochs > 1 else ''}"
    notes = [
        f"Every method has the same budget: {epochs}, batches of {training.batch_size}, the same order of images at one"
        " seed."
    ]
    if sum(METHODS[variant.method].matches_layers for variant in variants) > 1:
        pairs = base.method.pairs if isinstance(base.method, MatchingSettings) else (_drawn(base),)
        own = METHODS[base.method.name].title
        notes.append(
            f"Methods that compare layers all compare {_pairs(pairs)}; {own} is as the spec has it, the others'"
            " settings are their defaults and were not tuned here."
        )
    return notes


def _pairs(pairs: Sequence[LayerPair]) -> str:
    return ", ".join(f"{pair.teacher} with {pair.student}" for pair in pairs)


def _can_not_tell(base: TransferSpec) -> str:
    """Why it isn't known whether teacher and student tell the same classes apart; empty where it is."""
    if _provenance(base.teacher) is None:
        return "its teacher's weights don't say which classes they tell apart."
    return "" if _classes_of(base) else f"the classes of {base.data} aren't known before it is read."


def _classes_of(base: TransferSpec) -> tuple[str, ...]:
    """The classes of the base's data where its name or what the student was trained on tells them, else none."""
    facts = catalog.known_dataset(base.data)
    if facts is not None and facts.classes:
        return facts.classes
    student = _provenance(base.student)
    return student.classes if student is not None and student.data == base.data else ()


def _provenance(ref: ModelRef) -> Provenance | None:
    return None if ref.weights is None else read_provenance(find_weights(ref.weights))
