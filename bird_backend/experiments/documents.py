"""Specs as JSON: read, checked, overridden, hashed; whatever is wrong with one is a sentence that names the place."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bird_backend.errors import InputError
from bird_backend.experiments.declaration import Kind, RunSpec
from bird_backend.registry import Registry

__all__ = ["KINDS", "load_spec", "override", "read_spec", "spec_hash"]

KINDS: Registry[Kind] = Registry("kind of run", "bird_backend.experiments")


def load_spec(document: object) -> RunSpec:
    """A spec from parsed JSON; anything wrong with it is one `InputError` that names the field."""
    if not isinstance(document, dict):
        raise InputError("A spec is a JSON object with at least its 'kind'.")
    kind = document.get("kind")
    if not isinstance(kind, str):
        raise InputError("The spec lacks kind." if kind is None else f"kind: a kind of run's name, not {kind!r}.")
    try:
        return KINDS.find(kind).spec.model_validate(document)
    except ValidationError as error:
        raise InputError(_sentence(error)) from error


def read_spec(path: Path) -> dict[str, Any]:
    """The JSON object in a spec file, not yet checked against the schema."""
    try:
        document = _parse(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"There is no spec file at {path}.") from None
    except OSError as error:
        raise InputError(f"The spec file {path} can't be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"The spec file {path} can't be read: {error}.") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not valid JSON: {error.msg} at line {error.lineno}.") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON that is read: {error}.") from error
    if not isinstance(document, dict):
        raise InputError(f"{path} holds {type(document).__name__}; a spec is a JSON object.")
    return document


def override(document: dict[str, Any], settings: list[str]) -> dict[str, Any]:
    """`document` with `a.b.0.c=value` settings put in; a value is read as JSON, else taken as text."""
    result = copy.deepcopy(document)
    for setting in settings:
        path, found, text = setting.partition("=")
        if not found or not path:
            raise InputError(f"--set takes key=value, such as training.epochs=3, not {setting!r}.")
        try:
            value = _parse(text)
        except json.JSONDecodeError:
            value = text
        except ValueError as error:
            raise InputError(f"--set {path}: its value is not JSON that is read: {error}.") from error
        _put(result, path.split("."), value, path)
    return result


def spec_hash(spec: RunSpec) -> str:
    """Sixteen hex digits that two specs share exactly when they ask for the same thing, whatever their titles."""
    document = spec.model_dump(mode="json", exclude={"title"})
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


def _parse(text: str) -> Any:
    """JSON; what is no JSON is a `JSONDecodeError`, and what is but can't be meant is another `ValueError`."""
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level = [document]
    for _ in range(_MOST_DEEP):
        level = [inner for node in level for inner in _inside(node)]
        if not level:
            return document
    raise ValueError(_TOO_DEEP)


def _inside(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []


def _put(document: Any, keys: list[str], value: Any, path: str) -> None:
    *parents, last = keys
    if len(keys) > _MOST_DEEP:
        raise InputError(f"--set {path}: the spec is not nested so deeply.")
    node = document
    try:
        for key in parents:
            node = node[int(key)] if isinstance(node, list) else node.setdefault(key, {})
        node[int(last) if isinstance(node, list) else last] = value
    except (ValueError, IndexError, TypeError, AttributeError):
        raise InputError(f"--set {path}: the spec has no place of that name.") from None


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return f"The spec lacks {where}."
    if first["type"] == "extra_forbidden":
        return f"The spec has an unknown field {where}."
    message = str(cause) if cause else first["msg"][0].lower() + first["msg"][1:]
    given = first.get("input")
    shown = f", not {given!r}" if isinstance(given, int | float | str) and not cause else ""
    return f"{where or 'The spec'}: {message}{shown}."


_MOST_DEEP = 32
_TOO_DEEP = f"it is nested more than {_MOST_DEEP} deep"
