"""`convert`: a weights file of another program made one of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bird_backend.cli.options import Home, Json
from bird_backend.cli.performing import perform_here
from bird_backend.errors import InputError
from bird_backend.experiments import load_spec

__all__ = ["convert"]


def convert(
    file: Annotated[Path, typer.Argument(help="A .safetensors, .pth or .pt file, or its name in torch's cache.")],
    model: Annotated[
        str | None, typer.Option(help="The network, where it isn't to be recognised, such as torchvision:resnet50.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the weights will be called; else as the file is.")] = None,
    part: Annotated[str | None, typer.Option(help="The part of the file to take, such as state_dict_ema.")] = None,
    image_size: Annotated[int | None, typer.Option(help="The side in pixels of the images that it was given.")] = None,
    stem: Annotated[str | None, typer.Option(help="own or small, where its tensors leave that open.")] = None,
    mean: Annotated[str | None, typer.Option(help="What its images were normalised with: 0.485,0.456,0.406")] = None,
    std: Annotated[str | None, typer.Option(help="The same, such as 0.229,0.224,0.225")] = None,
    data: Annotated[str | None, typer.Option(help="The data set that it was trained on: its classes' names.")] = None,
    role: Annotated[str, typer.Option(help="teacher or student.")] = "teacher",
    json_: Json = False,
    home: Home = None,
) -> int:
    """Make weights of another program weights of this one; nothing in the file is executed."""
    document = {
        "kind": "convert",
        "source": str(path.absolute() if (path := file.expanduser()).exists() else file),
        "model": model,
        "save_as": name,
        "part": part,
        "image_size": image_size,
        "stem": stem,
        "mean": None if mean is None else _three(mean, "--mean"),
        "std": None if std is None else _three(std, "--std"),
        "data": data,
        "role": role,
        "device": "cpu",
    }
    return perform_here(load_spec(document), as_json=json_)


def _three(text: str, option: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 3:
        raise InputError(f"{option} takes three numbers, such as 0.485,0.456,0.406, not {text!r}.")
    return values
