"""A run done here and now: its progress on stderr, its summary on stdout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bird_backend import runs
from bird_backend.cli.output import ProgressBar, describe_summary, emit
from bird_backend.errors import BirdError, Cancelled
from bird_backend.experiments import RunSpec
from bird_backend.runs.checks import check_kind

__all__ = ["perform_here"]


def perform_here(
    spec: RunSpec,
    *,
    as_json: bool,
    document: Callable[[dict[str, Any]], dict[str, Any]] = lambda summary: summary,
) -> int:
    """Do the run and print what came of it; returns the exit code, or raises why it has none.

    `document` makes of the summary what `as_json` prints.
    """
    from bird_backend.jobs.leases import lease  # noqa: PLC0415
    from bird_backend.jobs.process import perform  # noqa: PLC0415

    check_kind(spec.kind)
    device = lease(spec.device)
    row = runs.RunStore().create(spec, state="running", device=device)
    bar = ProgressBar()
    try:
        summary = perform(row.id, device=device, on_progress=bar)
    except BirdError as error:
        bar.close()
        if as_json:
            state = "cancelled" if isinstance(error, Cancelled) else "failed"
            emit({"run": row.id, "state": state, "reason": str(error)}, "", as_json=True)
        raise
    bar.close()
    emit(document(summary) if as_json else summary, describe_summary(summary), as_json=as_json)
    return 0
