"""The sentences under a study's table: what its intervals are over, who started where, and what is missing and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bird_backend.behaviours import BEHAVIOURS
from bird_backend.measures import Interval
from bird_backend.measures.figures import FIGURES
from bird_backend.studies.entries import Row
from bird_backend.studies.marks import CHOOSING
from bird_backend.studies.study import Study
from bird_backend.transfer import METHODS

__all__ = ["AHEAD_MARK", "BEHIND_MARK", "write_notes"]

BEHIND_MARK, AHEAD_MARK = "†", "‡"
"""Beside a gain: smaller than the control's; within noise of it."""


def write_notes(
    study: Study, rows: Sequence[Row], found: Sequence[Mapping[str, Interval]], *, images: int | None, complete: bool
) -> tuple[str, ...]:
    """Whole sentences; `found` are the figures of every network of every run, `images` the test images of each run."""
    return (
        *_intervals(study, rows, images),
        _gains(rows),
        *_collapsed(rows),
        *_control(study, rows),
        *_gap(study, rows),
        *_starts(rows),
        *_similarity(rows, found),
        "Seconds are of whole runs, loading and measuring included, on whatever else the machine was doing.",
        _best(complete) if study.preset == "methods" else _choice(rows, complete),
        *study.notes,
        *(f"{row.variant.label}: {problem}" for row in rows for problem in row.problems),
        *_unfinished(study, rows, complete),
    )


def _intervals(study: Study, rows: Sequence[Row], images: int | None) -> list[str]:
    counts = {len(row.done) for row in rows if row.done}
    measured = "" if images is None else f" (n = {images:,})"
    seeds = ", ".join(map(str, study.seeds))
    many, one = any(count > 1 for count in counts), 1 in counts
    sentences = []
    if many:
        sentences.append(
            f"± is half a 95 % interval, Student's t over seeds ({seeds}); each seed's figure is over the same test"
            f" images{measured}."
        )
    if one:
        whose = "Rows with one seed done have" if many else "Intervals are 95 %,"
        sentences.append(
            f"{whose} {'intervals ' if many else ''}over test images{measured}, of one seed: Wilson's for clean"
            " accuracy, normal or bootstrap otherwise. They say nothing of other seeds."
        )
    sentences.append(_conditions(study))
    return sentences


def _conditions(study: Study) -> str:
    settings = study.base["behaviour"]
    behaviour = BEHAVIOURS.find(settings["name"])
    words = behaviour.words
    kinds = _count(len(settings["conditions"]), words.condition, words.conditions)
    cells = f"{kinds} × {_count(len(settings['strengths']), words.strength, words.strengths)}"
    if behaviour.attacks:
        return f"Robust accuracy is over {cells}, on the same test images, but each network is attacked itself."
    return (
        f"Robust accuracy is over {cells}; at one seed every method is measured on the same images, {words.changed} the"
        " same, and each seed draws that anew."
    )


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _gains(rows: Sequence[Row]) -> str:
    if not any(row.variant.role == "reference" for row in rows):
        return "Fine-tuning is not part of this study, so there are no gains over it."
    return "Gain is in points of robust accuracy over fine-tuning with the same budget, paired by seed."


def _control(study: Study, rows: Sequence[Row]) -> list[str]:
    controls = [row for row in rows if row.variant.role == "control"]
    if not controls:
        ran = study.base.get("control", "none")
        if study.preset != "methods" and ran != "none":
            return [f"Every run but fine-tuning's has the control {ran}: its teacher can teach nothing."]
        return ["No control was run: a gain here may owe nothing to what the teacher knows."]
    explained = {
        "random-weights": "a teacher of the same architecture with random weights",
        "shuffled-batch": "a teacher that looks at other images of the batch",
        "same-alpha": "no teacher, and a task loss as small as the method's",
    }
    named = " and ".join(f"{row.variant.label} ({explained[row.variant.control]})" for row in controls)
    sentences = [f"Control: {named}."]
    if not any(row.entries["gain"].value is not None for row in controls):
        return [*sentences, "It has no gain yet to compare with."]
    largest = f" (the {'larger of the two' if len(controls) == 2 else 'largest of them'})" if len(controls) > 1 else ""
    gains = [row.entries["gain"] for row in rows]
    behind = [entry for entry in gains if entry.remark == "smaller than the control's"]
    if behind:
        # Beside a loss nothing helped, so there is nothing to say of what did.
        helped = [entry for entry in behind if entry.interval is not None and entry.interval.low > 0]
        where = "" if len(helped) == len(behind) else " where there is a gain,"
        why = f":{where} the teacher is not what helped" if helped else ""
        sentences.append(f"{BEHIND_MARK} Smaller than the control's{largest}{why}.")
    if any(entry.remark == "within noise of the control's" for entry in gains):
        sentences.append(f"{AHEAD_MARK} Differs from the control's{largest} only within noise.")
    return sentences


def _collapsed(rows: Sequence[Row]) -> list[str]:
    found = [row for row in rows if row.collapsed]
    if not found:
        return []
    named = "; ".join(f"{row.variant.label} (seed {', '.join(map(str, row.collapsed))})" for row in found)
    over = any(row.variant.role == "reference" for row in found)
    return [
        f"No better than chance on clean images, which is to have collapsed: {named}."
        + (" A gain over a network that has collapsed says nothing." if over else "")
    ]


def _gap(study: Study, rows: Sequence[Row]) -> list[str]:
    if not any(variant.role == "ceiling" for variant in study.variants):
        return []
    reasons = {row.entries["pgr"].reason for row in rows if row.variant.role not in ("floor", "ceiling")}
    reasons -= {""}
    return [f"PGR: {FIGURES['pgr'].explained}", *(f"PGR is blank: {reason}" for reason in sorted(reasons))]


def _starts(rows: Sequence[Row]) -> list[str]:
    """Of every method that trains: what it ends as depends on what it began as."""
    trained = [row.variant for row in rows if METHODS[row.variant.method].trains]
    by_start = {
        start: [variant.label for variant in trained if variant.start == start] for start in ("teacher", "student")
    }
    sentences = []
    if by_start["teacher"]:
        sentences.append(
            f"Begun with the teacher's weights and a new head: {'; '.join(by_start['teacher'])}. What CKA they have"
            " before training is that of those weights."
        )
    if by_start["student"]:
        able = [variant for variant in trained if METHODS[variant.method].may_start_from_teacher]
        others = any(variant.label != "Fine-tuning" for variant in able)
        why = ", since the teacher has another architecture" if others and not by_start["teacher"] else ""
        sentences.append(f"Begun with the student's own weights{why}: {'; '.join(by_start['student'])}.")
    return sentences


def _similarity(rows: Sequence[Row], found: Sequence[Mapping[str, Interval]]) -> list[str]:
    after = next((figures["cka_after"] for figures in found if "cka_after" in figures), None)
    if after is None:
        return []
    nulls = [abs(figures["cka_null"].value) for figures in found if "cka_null" in figures]
    null = f"; with one side's images shuffled it is within {max(nulls):.3f} of 0" if nulls else ""
    alone = any(row.variant.control == "random-weights" for row in rows)
    return [
        f"CKA is the debiased estimate on {after.n} validation images{null}."
        + (" The random teacher's row is of CKA with that teacher." if alone else "")
    ]


def _choice(rows: Sequence[Row], complete: bool) -> str:
    if not complete:
        return "Nothing is marked until every run has ended."
    for name in CHOOSING:
        chosen = next((row for row in rows if row.entries[name].best), None)
        if chosen is not None:
            return (
                f"Bold is the highest of {FIGURES[name].title}, by which one would choose {chosen.variant.label};"
                " others may be as good within noise. Test figures are there to report what was chosen, so none of"
                " them is marked."
            )
    return "No setting is marked: there is no validation figure to choose by, and test figures are not for choosing."


def _best(complete: bool) -> str:
    if not complete:
        return "Nothing is marked as best until every run has ended."
    return (
        "Bold is better than every other row beyond noise, each difference paired and at 95 % by itself; controls and"
        " the Oracle are no contenders. Seconds and CKA rank nobody."
    )


def _unfinished(study: Study, rows: Sequence[Row], complete: bool) -> list[str]:
    if complete:
        return []
    waiting = sum(len(study.seeds) - len(row.done) - len(row.problems) for row in rows if row.variant.role != "floor")
    return [f"{waiting} of {len(study.members)} runs are not done yet."] if waiting > 0 else []
