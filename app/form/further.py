"""What a spec says and a form has no field for, as lines `a.b=value`: so a run's own choices come back whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bird_backend.errors import BirdError
from bird_backend.experiments import load_spec, override

__all__ = ["differences", "further_lines", "setting_text", "with_further"]


def further_lines(wanted: Mapping[str, Any], made: Mapping[str, Any]) -> str:
    """What has to be set in the document that a form made to get the spec that is wanted; empty if that is nothing.

    Of a document that is no spec there is nothing to tell.
    """
    try:
        want, have = (load_spec(dict(document)).model_dump(mode="json") for document in (wanted, made))
    except BirdError:
        return ""
    return "\n".join(f"{path}={setting_text(value)}" for path, value in differences(want, have))


def with_further(document: Mapping[str, Any], lines: str) -> dict[str, Any]:
    """The document with those lines set; a line that can't be is an `InputError` of one sentence."""
    return override(dict(document), [line.strip() for line in lines.splitlines() if line.strip()])


def differences(want: Any, have: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Place and value of everything in which `want` is not as `have`."""
    if want == have:
        return
    if isinstance(want, dict) and isinstance(have, dict) and want.keys() == have.keys():
        for key, value in want.items():
            yield from differences(value, have[key], f"{path}.{key}" if path else key)
    elif isinstance(want, list) and isinstance(have, list) and len(want) == len(have) and isinstance(want[0], dict):
        for index, value in enumerate(want):
            yield from differences(value, have[index], f"{path}.{index}")
    else:
        yield path, want


def setting_text(value: Any) -> str:
    """A value as `--set` takes it: text as it is, unless it would be read as something else."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except json.JSONDecodeError:
            return value
    return json.dumps(value)
