"""The app's door to what people say of runs, and to the trash."""

from __future__ import annotations

from bird_backend.runs.marking import known_tags, mark_runs
from bird_backend.runs.marks import Marks
from bird_backend.runs.trash import KEPT_DAYS, Trashed, delete_runs, empty_trash, list_trash, restore_runs

__all__ = [
    "KEPT_DAYS",
    "Marks",
    "Trashed",
    "delete_runs",
    "empty_trash",
    "known_tags",
    "list_trash",
    "mark_runs",
    "restore_runs",
]
