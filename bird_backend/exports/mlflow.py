"""A run in MLflow: its spec as parameters, its metrics with their steps and times, its results and files.

Into the tracking server that `MLFLOW_TRACKING_URI` names, else into `mlflow.db` in the folder: SQLite, for MLflow no
longer takes plain files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from bird_backend.errors import InputError
from bird_backend.exports.declaration import Export
from bird_backend.exports.metrics import has_metrics
from bird_backend.exports.scalars import figures_of, flattened, scalars
from bird_backend.runs.store import Run

__all__ = ["DECLARES"]

_EXPERIMENT = "BIRD Explorer"
_MOST_METRICS, _MOST_PARAMETERS, _LONGEST = 1000, 100, 6000
"""What MLflow takes in one request, and of one parameter's text."""
_STATES = {"done": "FINISHED", "running": "RUNNING", "queued": "SCHEDULED", "cancelled": "KILLED"}


def _write(run: Run, folder: Path) -> list[str]:
    from mlflow import MlflowClient  # noqa: PLC0415 - optional
    from mlflow.entities import Metric, Param  # noqa: PLC0415
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    address = os.environ.get("MLFLOW_TRACKING_URI")
    here = address is None
    address = address or f"sqlite:///{folder / 'mlflow.db'}"
    try:
        client = MlflowClient(tracking_uri=address)
        known = client.get_experiment_by_name(_EXPERIMENT)
        files = (folder / "mlartifacts").as_uri() if here else None
        experiment = client.create_experiment(_EXPERIMENT, files) if known is None else known.experiment_id
        tags = {"bird.run": run.id, "bird.kind": run.kind, "bird.code": str(run.depends_on.get("code", ""))}
        began = _milliseconds(run.started or run.created)
        made = client.create_run(experiment, start_time=began, tags=tags, run_name=run.title).info.run_id
        spec = flattened(run.directory.read_spec())
        for some in _parts([Param(name, text[:_LONGEST]) for name, text in spec.items()], _MOST_PARAMETERS):
            client.log_batch(made, params=some)
        metrics = [
            Metric(f"{found.arm}/{found.name}", found.value, _milliseconds(found.when), found.step)
            for found in scalars(run)
        ]
        ended = _milliseconds(run.finished or run.created)
        for model, figures in figures_of(run).items():
            metrics += [Metric(f"{model}/test/{name}", value, ended, 0) for name, value in figures.items()]
        for some in _parts(metrics, _MOST_METRICS):
            client.log_batch(made, metrics=some)
        for name in ("spec.json", "summary.json"):
            if (run.directory.path / name).is_file():
                client.log_artifact(made, str(run.directory.path / name))
        client.set_terminated(made, _STATES.get(run.state, "FAILED"), end_time=ended)
    except MlflowException as error:
        said = next(iter(str(error).splitlines()), "no message")
        raise InputError(f"MLflow at {_plain(address)} did not take run {run.id}: {_plain(said)}") from error
    return [f"{_plain(address)}#{made}"]


def _parts(items: Sequence[Any], most: int) -> Iterator[list[Any]]:
    remaining = iter(items)
    while some := list(islice(remaining, most)):
        yield some


def _plain(text: str) -> str:
    """Without the name and password that an address may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


def _milliseconds(moment: float) -> int:
    return int(moment * 1000)


DECLARES = Export(
    name="mlflow",
    place=21,
    title="MLflow",
    caption="A run of its own in MLFLOW_TRACKING_URI, else in DIR/mlflow.db: mlflow ui --backend-store-uri sqlite:///…",
    write=_write,
    has=has_metrics,
    package="mlflow",
)
