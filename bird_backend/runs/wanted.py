"""Which runs a list is of, and the SQL that says so."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import TypedDict, get_args

from bird_backend.runs.run import State

__all__ = ["ANY_STATE", "MARKED_RUNS", "OfAnyKind", "Wanted", "wanted_sql"]

ANY_STATE: tuple[State, ...] = get_args(State)
MARKED_RUNS = "select runs.*, marks.document as marks from runs left join marks on marks.run = runs.id"
"""Rows for `run_of`."""


class OfAnyKind(TypedDict, total=False):
    """What a run of whatever kind has to be to be wanted; of what is not said anything will do."""

    states: tuple[State, ...]
    text: str
    """In title, id, name, tags or notes, whatever its case."""
    loose: bool
    """Without those that a study has."""
    starred: bool
    """Only those."""
    tag: str
    archived: bool | None
    """Only those in the archive, or only those that are not."""


class Wanted(OfAnyKind, total=False):
    """The same, and of which kind."""

    kind: str | Collection[str] | None


def wanted_sql(wanted: Wanted) -> tuple[str, list[object]]:
    """The condition on `MARKED_RUNS`, and its arguments."""
    where: list[str] = []
    arguments: list[object] = []
    states, kind = wanted.get("states", ANY_STATE), wanted.get("kind")
    if set(states) != set(ANY_STATE):
        where.append("runs.state in (select value from json_each(?))")
        arguments.append(json.dumps(list(states)))
    if kind is not None:
        where.append("runs.kind in (select value from json_each(?))")
        arguments.append(json.dumps([kind] if isinstance(kind, str) else list(kind)))
    if text := wanted.get("text"):
        where.append(f"({' or '.join(f'instr(lower({part}), lower(?))' for part in _SEARCHED)})")
        arguments += [text] * len(_SEARCHED)
    if wanted.get("loose"):
        where.append(_LOOSE)
    if wanted.get("starred"):
        where.append("marks.starred")
    if tag := wanted.get("tag"):
        where.append("? in (select value from json_each(marks.document, '$.tags'))")
        arguments.append(tag)
    if (archived := wanted.get("archived")) is not None:
        where.append("marks.archived" if archived else "not coalesce(marks.archived, 0)")
    return " and ".join(where) or "true", arguments


_SEARCHED = (
    "runs.title",
    "runs.id",
    "coalesce(marks.document ->> 'name', '')",
    "coalesce(marks.document ->> 'notes', '')",
    "coalesce(marks.document ->> 'tags', '')",
)
_LOOSE = (
    "runs.id not in (select member.value ->> 'run' from studies, json_each(studies.document, '$.members') as member"
    " where member.value ->> 'run' is not null)"
)
