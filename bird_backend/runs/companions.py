"""The runs that a transfer is held against: fine-tuning of the same student, and the Oracle, which is its ceiling.

They compare only under the same conditions: the same student, data, budget and seed, measured on the same images
changed in the same way. The teacher and what is drawn of the geometry are no part of that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

from bird_backend.errors import BirdError
from bird_backend.experiments import TransferSpec
from bird_backend.runs.store import Run, RunStore

__all__ = ["Companions", "Conditions", "conditions_of", "find_companions", "oracle_of"]

_APART = {"title", "device", "teacher", "method", "control", "baseline", "snapshots", "drawn", "save_as"}
"""Fields of a transfer's spec in which runs under the same conditions may differ. A field to come is a condition."""
_MOST = 1000


@dataclass(frozen=True, kw_only=True)
class Companions:
    """Newest first where there are several; none where there is no such run."""

    fine_tuning: Run | None = None
    """Done; where the run itself has fine-tuning beside its method, it is not looked for."""
    oracle: Run | None = None
    """Done, else queued or on its way."""


def oracle_of(spec: TransferSpec) -> TransferSpec:
    """What a transfer's ceiling is asked for: the same, trained by the Oracle."""
    changes = {
        "title": "",
        "method": {"name": "oracle"},
        "control": "none",
        "baseline": False,
        "drawn": None if spec.drawn_pair is None else spec.drawn_pair.model_dump(mode="json"),
        "save_as": None,
    }
    return TransferSpec.model_validate(spec.model_dump(mode="json") | changes)


def find_companions(run: Run) -> Companions:
    """Among the newest thousand transfers, those of the same study among them."""
    own = conditions_of(run.id)
    if own is None:
        return Companions()
    fine_tuning, oracles = None, list[Run]()
    for other in RunStore().list(kind="transfer", limit=_MOST):
        facts = None if other.id == run.id else conditions_of(other.id)
        if facts is None or facts.conditions != own.conditions:
            continue
        if facts.method == "oracle" and other.state in ("done", "queued", "running", "interrupted"):
            oracles.append(other)
        if facts.fine_tunes and not own.fine_tunes and other.state == "done":
            fine_tuning = fine_tuning or other
    done = next((oracle for oracle in oracles if oracle.state == "done"), None)
    return Companions(
        fine_tuning=fine_tuning,
        oracle=None if own.method == "oracle" else done or (oracles[0] if oracles else None),
    )


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What a transfer is compared under."""

    conditions: str
    """Equal where runs compare: JSON of what was `asked`, seed among it, and of what was `read`."""
    method: str
    fine_tunes: bool
    """Has the student's own fine-tuning among its arms."""


@lru_cache(maxsize=8192)
def conditions_of(run_id: str) -> Conditions | None:
    """Of a transfer; kept by name, for what was asked for never changes. None of one whose spec can't be read."""
    try:
        run = RunStore().get(run_id)
        spec = run.spec
    except (BirdError, OSError, ValueError):
        return None
    if not isinstance(spec, TransferSpec):
        return None
    weights = [known for known in run.depends_on.get("weights", []) if known[0] == spec.student.weights]
    conditions = {
        "asked": spec.model_dump(mode="json", exclude=_APART),
        "read": [weights, run.depends_on.get("data"), run.depends_on.get("folders")],
    }
    return Conditions(
        conditions=json.dumps(conditions, sort_keys=True),
        method=spec.method.name,
        fine_tunes=spec.start == "student" and any(method.name == "fine-tuning" for method in spec.arms),
    )
