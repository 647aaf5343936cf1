"""`zoo`: many small teachers at one command."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bird_backend import catalog
from bird_backend.cli.options import Home, Json, Settings
from bird_backend.cli.output import ProgressBar, emit, table
from bird_backend.durations import exact
from bird_backend.errors import RunError
from bird_backend.runs.provenance import find_weights, read_provenance
from bird_backend.studies.zoo import Teacher, plan_zoo, state_of

__all__ = ["zoo"]


def zoo(
    only: Annotated[str, typer.Option(help="all, or names and patterns such as '*digits*,zoo-vit-*'.")] = "all",
    set_: Settings = None,
    out: Annotated[Path | None, typer.Option(help="A folder that the weights are copied into too.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Make anew what was made in another way.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="Say which there would be, and make none.")] = False,
    json_: Json = False,
    home: Home = None,
) -> int:
    """Make small teachers from what comes with the project, to choose from: those that are not there yet."""
    names = [] if only.strip() == "all" else [name.strip() for name in only.split(",") if name.strip()]
    teachers = plan_zoo(only=names, changes=set_ or [])
    if list_:
        documents = [_planned(teacher) for teacher in teachers]
        rows = [(d["name"], d["state"], d["spec"]["training"]["epochs"], d["data"]) for d in documents]
        emit(documents, table(rows, ("teacher", "", "epochs", "trained on")), as_json=json_)
        return 0
    from bird_backend.cli.zoo_runner import make_zoo  # noqa: PLC0415 - torch

    bar = ProgressBar()
    try:
        made = make_zoo(teachers, replace=replace, on_progress=bar)
    finally:
        bar.close()
    documents = [each.as_dict() | _measured(each.name) for each in made if each.state != "failed"]
    failed = [each for each in made if each.state == "failed"]
    if out is not None:
        _copy(out, [document["name"] for document in documents])
    shown: list[tuple[object, ...]] = [
        (d["name"], d["state"], exact(d["seconds"]), _share(d["clean"]), _share(d["robust"])) for d in documents
    ]
    header = ("teacher", "", "took", "clean", "robust, of validation images")
    emit([*documents, *(each.as_dict() for each in failed)], table(shown, header), as_json=json_)
    for each in failed:
        sys.stderr.write(f"{each.name}: {each.reason}\n")
    return 1 if failed else 0


def _planned(teacher: Teacher) -> dict[str, Any]:
    return {
        "name": teacher.name,
        "state": state_of(teacher),
        "title": teacher.spec.title,
        "data": catalog.title_of(teacher.spec.data),
        "begins_with": teacher.begins_with,
        "spec": teacher.spec.model_dump(mode="json"),
    }


def _measured(name: str) -> dict[str, Any]:
    """File and accuracies on validation images."""
    path = find_weights(name)
    made = read_provenance(path)
    found = None if made is None else made.validated
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "clean": None if found is None else found.clean_accuracy,
        "robust": None if found is None else found.robust_accuracy,
        "n": 0 if found is None else found.n,
        "n_robust": 0 if found is None else found.n_robust,
    }


def _copy(folder: Path, names: list[str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            shutil.copyfile(find_weights(name), folder / f"{name}.safetensors")
    except OSError as error:
        raise RunError(f"{folder} can't be written: {error.strerror}.") from error


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
