"""The command line that does what a form would: an example's spec file with what differs set on top."""

from __future__ import annotations

import json
import shlex
from typing import Any

from app.form.further import differences, setting_text
from bird_backend.experiments import load_spec

__all__ = ["command_line", "pretty"]


def command_line(document: dict[str, Any], example: dict[str, Any] | None, *, file: str) -> str:
    """`python -m bird_backend run FILE --set …`, where `example` is what FILE holds; none: the document itself."""
    settings: list[str] = []
    if example is not None:
        want, have = (load_spec(spec).model_dump(mode="json", exclude={"title"}) for spec in (document, example))
        settings = [f"--set {shlex.quote(f'{path}={setting_text(value)}')}" for path, value in differences(want, have)]
    return " \\\n  ".join([f"python -m bird_backend run {shlex.quote(file)}", *settings])


def pretty(document: dict[str, Any]) -> str:
    """JSON for reading: short lists and objects stay on one line."""
    return _render(document, "")


def _render(value: Any, indent: str) -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or len(indent) + len(flat) <= 56:
        return flat
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(key)}: {_render(item, inner)}" for key, item in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(f"{inner}{_render(item, inner)}" for item in value) + f"\n{indent}]"
