"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Conditions",
    "Corruptions",
    "Faithful",
    "FrostTextures",
    "Home",
    "ImageSide",
    "Json",
    "Seed",
    "Settings",
    "Severities",
    "Spec",
    "Strengths",
]


def _use_home(path: Path | None) -> Path | None:
    if path is not None:
        os.environ["BIRD_HOME"] = str(path)
    return path


Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
Home = Annotated[
    Path | None,
    typer.Option(help="Where runs, data and weights live (or BIRD_HOME).", callback=_use_home),
]
Conditions = Annotated[str, typer.Option(help="all, or names; `list behaviours` has them.")]
Strengths = Annotated[str, typer.Option(help="From 1 to 5, such as 1-5, 3 or 1,3.")]
Corruptions = Annotated[str, typer.Option(help="all, or names such as fog,snow.")]
Severities = Annotated[str, typer.Option(help="From 1 to 5, such as 1-5, 3 or 1,3.")]
Faithful = Annotated[
    bool, typer.Option("--faithful", help="Glass blur as the published script slips: copies, no swaps.")
]
FrostTextures = Annotated[
    Path | None,
    typer.Option(help="A folder of frost pictures, in place of the project's own.", exists=True, file_okay=False),
]
ImageSide = Annotated[
    str, typer.Option("--image-size", help="The side of the images in pixels, from 16 to 512 in steps of 8; auto.")
]
Seed = Annotated[int, typer.Option(help="What all randomness is drawn from.", min=0, max=2**31 - 1)]
Spec = Annotated[Path, typer.Argument(help="A spec: one JSON object that names everything.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="key=value, such as training.epochs=3; may be given again.")
]
