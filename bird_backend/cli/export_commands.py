"""`export`: a run in the forms that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bird_backend.cli.options import Home, Json
from bird_backend.cli.output import emit
from bird_backend.exports import EXPORTS, export_run
from bird_backend.runs.store import RunStore

__all__ = ["export"]


def export(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    to: Annotated[
        str,
        typer.Option(help="csv, parquet, scores-csv, tensorboard, mlflow, weights or timm; `list exports` says more."),
    ],
    out: Annotated[Path, typer.Option(help="The folder that it is written into.", file_okay=False)] = Path(),
    json_: Json = False,
    home: Home = None,
) -> None:
    """Write a run for another program: TensorBoard, MLflow, a table, or its network."""
    EXPORTS.find(to)
    written = export_run(RunStore().get(run_id), to, out)
    emit(
        {"run": run_id, "to": to, "written": written}, "\n".join(f"Written: {each}" for each in written), as_json=json_
    )
