"""Which weights could teach a student: all that say which network they hold, but the student's own."""

from __future__ import annotations

import contextlib

from bird_backend.errors import BirdError
from bird_backend.experiments import Candidate
from bird_backend.runs.fingerprints import file_digest
from bird_backend.runs.provenance import find_weights, list_weights
from bird_backend.specs import ModelRef

__all__ = ["candidates"]


def candidates(student: ModelRef) -> list[Candidate]:
    """Each with all layers that stand for it, by name; a copy of the student's weights under another name is none."""
    own = None if student.weights is None else file_digest(find_weights(student.weights))
    able = []
    for found in list_weights():
        if found.provenance is None or found.problem is not None or file_digest(found.path) == own:
            continue
        with contextlib.suppress(BirdError, ValueError):  # of a network that this version doesn't know
            able.append(Candidate(model=found.provenance.model, weights=found.name))
    return able
