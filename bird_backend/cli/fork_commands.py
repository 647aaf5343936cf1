"""`fork`: a run goes on as a new one from a checkpoint that it kept, with other settings from there."""

from __future__ import annotations

from typing import Annotated

import typer

from bird_backend import runs, settings
from bird_backend.cli.listing import describe
from bird_backend.cli.options import Home, Json, Settings
from bird_backend.cli.output import emit
from bird_backend.runs.forks import fork_points, forked_spec, rates_at
from bird_backend.runs.kept import kept_of, used

__all__ = ["fork"]


def fork(
    run_id: Annotated[str, typer.Argument(metavar="RUN")],
    step: Annotated[int | None, typer.Option(help="One of its kept steps; without it, they are listed.", min=1)] = None,
    arm: Annotated[
        str | None, typer.Option(help="Whose student goes on: the run's method, as usual, or fine-tuning.")
    ] = None,
    set_: Settings = None,
    json_: Json = False,
    home: Home = None,
) -> None:
    """Go on from a step of a transfer as a new run, with other layers, beta, method, learning rate or epochs."""
    parent = runs.RunStore().get(run_id)
    if step is None:
        points = fork_points(parent.directory)
        sizes = {
            "kept_bytes": sum(each.size for each in kept_of(parent.directory)),
            "used_bytes": used(),
            "limit_bytes": settings.kept_checkpoints(),
        }
        document = {
            "run": run_id,
            "steps": [{"arm": each.arm, "step": each.step} for each in points],
            **sizes,
        }
        arms = dict.fromkeys(each.arm for each in points)
        lines = [f"{name}: {', '.join(f'{each.step:,}' for each in points if each.arm == name)}" for name in arms]
        size = (
            f"Kept checkpoints of this run: {sizes['kept_bytes'] / 1e6:.1f} MB; of all runs"
            f" {sizes['used_bytes'] / 1e6:.1f} MB of at most {sizes['limit_bytes'] / 1e6:,.0f} MB"
            " (BIRD_KEPT_CHECKPOINTS)."
        )
        emit(document, "\n".join([*(lines or ["No checkpoint is kept yet."]), size]), as_json=json_)
        return
    spec = forked_spec(parent.directory, step, set_ or [], arm=arm)
    row = runs.submit(spec)
    runs.ensure_supervisor()
    before, after = rates_at(row.directory)
    rate = "goes on" if before == after else f"goes from {before:.3g} to {after:.3g}"
    without = (
        "" if spec.baseline or not parent.spec.model_dump().get("baseline") else " It has no fine-tuning beside it."
    )
    text = f"{row.id} is queued: a fork of {run_id} at step {step:,}, where the learning rate {rate}.{without}"
    emit(
        describe(row) | {"fork": {"run": run_id, "step": step, "rate_before": before, "rate_after": after}},
        text,
        as_json=json_,
    )
