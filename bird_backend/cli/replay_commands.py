"""`replay`: a run as one HTML file, for a lecture or a paper's supplement."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from bird_backend import settings
from bird_backend.cli.options import Home, Json
from bird_backend.cli.output import emit
from bird_backend.errors import InputError
from bird_backend.runs.store import RunStore

__all__ = ["replay"]


def replay(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    out: Annotated[Path, typer.Argument(metavar="OUT.html", dir_okay=False)],
    json_: Json = False,
    home: Home = None,
) -> None:
    """Write a run as one HTML file that opens offline: slider, curves, Gram matrices, map and table."""
    run = RunStore().get(run_id)
    root = settings.APP.parent.parent
    if not settings.APP.is_file():
        raise InputError(f"The app, which draws it, is not part of this installation: there is no {settings.APP}.")
    # The app draws and this package does not know it, so it is asked as a program.
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "app.components.replay", run.id, str(out.resolve())],
        cwd=root,
        env=os.environ | {"BIRD_HOME": str(settings.home().resolve())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InputError((done.stderr.strip() or "The run can't be drawn.").splitlines()[-1])
    size = out.stat().st_size
    emit({"run": run.id, "written": str(out), "bytes": size}, f"Written: {out} ({size / 2**20:.1f} MiB)", as_json=json_)
