"""`compare`, `ablate` and `study`: many runs at one command, and the table they make."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bird_backend.cli.options import Home, Json, Settings, Spec
from bird_backend.cli.output import ProgressBar, emit
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec, load_spec, override, read_spec
from bird_backend.measures.figures import FIGURES
from bird_backend.specs import CONTROLS
from bird_backend.studies import (
    ABLATIONS,
    Plan,
    plan_ablation,
    plan_methods,
    read_study,
    results,
    submit_study,
)

__all__ = ["ablate", "compare", "study"]

Seeds = Annotated[int, typer.Option(help="How many, from the spec's own on.")]
Foreground = Annotated[
    bool, typer.Option("--foreground", help="Do the runs here, one after the other, instead of queueing them.")
]


def compare(
    spec: Spec,
    methods: Annotated[str, typer.Option(help="all, or names such as bird,fine-tuning,oracle.")] = "all",
    seeds: Seeds = 3,
    controls: Annotated[str, typer.Option(help=f"{', '.join(CONTROLS)}, or none.")] = "random-weights",
    foreground: Foreground = False,
    set_: Settings = None,
    json_: Json = False,
    home: Home = None,
) -> int:
    """Compare methods on one transfer: each method at each seed with one budget, then one table."""
    base = _transfer(spec, set_)
    wanted = _names(controls)
    plan = plan_methods(
        base,
        methods="all" if methods.strip() == "all" else _names(methods),
        seeds=seeds,
        controls=[] if wanted == ["none"] else wanted,
    )
    return _carry_out(plan, foreground=foreground, as_json=json_)


def ablate(
    spec: Spec,
    preset: Annotated[str, typer.Argument(help=f"What to vary: {', '.join(ABLATIONS)}.")],
    seeds: Seeds = 3,
    teachers: Annotated[str, typer.Option(help="Weights to choose from, for the preset teacher.")] = "",
    foreground: Foreground = False,
    set_: Settings = None,
    json_: Json = False,
    home: Home = None,
) -> int:
    """Vary one thing of a transfer, all else alike, and print one table."""
    plan = plan_ablation(_transfer(spec, set_), preset, seeds=seeds, teachers=_names(teachers))
    return _carry_out(plan, foreground=foreground, as_json=json_)


def study(
    study_id: Annotated[str, typer.Argument(metavar="STUDY")],
    format_: Annotated[str, typer.Option("--format", help="markdown, csv or latex.")] = "markdown",
    columns: Annotated[str, typer.Option(help=f"Figures in their order, of {', '.join(FIGURES)}.")] = "",
    label: Annotated[str, typer.Option(help="What LaTeX refers to the table by, such as tab:methods.")] = "",
    json_: Json = False,
    home: Home = None,
) -> None:
    """Print a study's table, of what is done so far."""
    found = results(read_study(study_id))
    names = _names(columns)
    match format_:
        case "markdown":
            text = found.as_markdown(names)
        case "csv":
            text = found.as_csv(names)
        case "latex":
            text = found.as_latex(names, label=label)
        case _:
            raise InputError(f"--format is markdown, csv or latex, not {format_!r}.")
    if label and format_ != "latex":
        raise InputError("--label is for --format latex.")
    emit(found.as_dict(), text.rstrip("\n"), as_json=json_)


def _transfer(spec: Spec, set_: Settings) -> TransferSpec:
    base = load_spec(override(read_spec(spec), set_ or []))
    if not isinstance(base, TransferSpec):
        raise InputError(f"A study is of a transfer, and {spec} is a spec of kind {base.kind}.")
    return base


def _carry_out(plan: Plan, *, foreground: bool, as_json: bool) -> int:
    if not foreground:
        queued = submit_study(plan)
        states = results(queued).states
        done = states.get("done", 0)
        text = (
            f"{queued.id}: {len(queued.members)} runs ({len(plan.variants)} variants, seeds"
            f" {', '.join(map(str, plan.seeds))}), {done} of them done already.\n"
            f"Its table at any time: python -m bird_backend study {queued.id}"
        )
        emit(results(queued).as_dict(), text, as_json=as_json)
        return 0
    from bird_backend.cli.study_runner import perform_study  # noqa: PLC0415

    bar = ProgressBar()
    try:
        finished, failures = perform_study(plan, on_progress=bar)
    finally:
        bar.close()
    table = results(finished)
    emit(table.as_dict(), f"{table.as_markdown()}\nStudy {finished.id}", as_json=as_json)
    for failure in failures:
        sys.stderr.write(f"{failure}\n")
    return 1 if failures else 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
