"""`compare`, `ablate` and `study`: many runs at one command, and the table they make."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from bird_backend.cli.choices import parse_duration
from bird_backend.cli.options import Home, Json, Settings, Spec
from bird_backend.cli.output import ProgressBar, emit
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec, load_spec, override, read_spec
from bird_backend.measures.figures import FIGURES
from bird_backend.runs.store import State
from bird_backend.specs import CONTROLS
from bird_backend.studies import (
    ABLATIONS,
    USUAL_CONTROLS,
    Plan,
    Results,
    Study,
    add_seeds,
    extend_study,
    plan_ablation,
    plan_methods,
    read_study,
    results,
    resume_study,
    states_of,
    stop_study,
    submit_study,
    with_more_seeds,
)

__all__ = ["Foreground", "Seeds", "ablate", "carry_out", "compare", "names_in", "study", "transfer_in"]

Seeds = Annotated[int, typer.Option(help="How many, from the spec's own on.")]
Foreground = Annotated[
    bool, typer.Option("--foreground", help="Do the runs here, one after the other, instead of queueing them.")
]


def compare(
    spec: Spec,
    methods: Annotated[str, typer.Option(help="all, or names such as bird,fine-tuning,oracle.")] = "all",
    seeds: Seeds = 3,
    controls: Annotated[str, typer.Option(help=f"{', '.join(CONTROLS)}, or none.")] = ",".join(USUAL_CONTROLS),
    foreground: Foreground = False,
    set_: Settings = None,
    json_: Json = False,
    home: Home = None,
) -> int:
    """Compare methods on one transfer: each method at each seed with one budget, then one table."""
    base = transfer_in(spec, set_)
    wanted = names_in(controls)
    plan = plan_methods(
        base,
        methods="all" if methods.strip() == "all" else names_in(methods),
        seeds=seeds,
        controls=[] if wanted == ["none"] else wanted,
    )
    return carry_out(plan, foreground=foreground, as_json=json_)


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
    plan = plan_ablation(transfer_in(spec, set_), preset, seeds=seeds, teachers=names_in(teachers))
    return carry_out(plan, foreground=foreground, as_json=json_)


def study(
    study_id: Annotated[str, typer.Argument(metavar="STUDY")],
    format_: Annotated[
        str, typer.Option("--format", help="markdown, csv or latex; of pairs, parquet too.")
    ] = "markdown",
    columns: Annotated[str, typer.Option(help=f"Figures in their order, of {', '.join(FIGURES)}.")] = "",
    label: Annotated[str, typer.Option(help="What LaTeX refers to the table by, such as tab:methods.")] = "",
    out: Annotated[Path | None, typer.Option(help="A file to write the table of pairs to.")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="Queue again what failed.")] = False,
    go_on: Annotated[bool, typer.Option("--resume", help="Queue again what was stopped, too.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop what is queued or under way.")] = False,
    extend: Annotated[str, typer.Option(help="So much more time for a study with a budget, such as 1h.")] = "",
    seeds: Annotated[int, typer.Option(help="So many more seeds of every variant; with --extend, more time too.")] = 0,
    json_: Json = False,
    home: Home = None,
) -> None:
    """Print a study's table, of what is done so far; or stop it, or go on with it."""
    if _act(study_id, retry=retry, go_on=go_on, stop=stop, extend=extend, seeds=seeds):
        now = states_of(read_study(study_id))
        said = ", ".join(f"{count} {state}" for state, count in now.items())
        emit({"study": study_id, "states": now}, f"{study_id}: {said}.", as_json=json_)
        return
    asked = read_study(study_id)
    if asked.preset == "pairs":
        if columns or label:
            raise InputError("--columns and --label are for tables with a row a variant, not for pairs.")
        _print_pairs(asked, format_, out, as_json=json_)
        return
    if out is not None:
        raise InputError("--out is for a study of pairs.")
    found = results(asked)
    emit(found.as_dict(), _text(found, format_, names_in(columns), label).rstrip("\n"), as_json=json_)


def _act(study_id: str, *, retry: bool, go_on: bool, stop: bool, extend: str, seeds: int) -> bool:
    """Stop a study or go on with it, where that is asked for."""
    more = bool(extend) or seeds != 0
    if sum((retry, go_on, stop, more)) > 1:
        raise InputError("Of --retry, --resume, --stop and --extend or --seeds one at a time.")
    if stop:
        stop_study(study_id)
    elif more:
        if seeds:
            with_more_seeds(read_study(study_id), seeds)  # before its time is changed
        if extend:
            extend_study(study_id, parse_duration(extend), start_worker=True)
        if seeds:
            add_seeds(study_id, seeds, start_worker=True)
    elif retry or go_on:
        states: tuple[State, ...] = ("failed",) if retry else ("failed", "cancelled")
        resume_study(study_id, states=states, start_worker=True)
    return stop or more or retry or go_on


def _text(found: Results, form: str, names: list[str], label: str) -> str:
    if label and form != "latex":
        raise InputError("--label is for --format latex.")
    match form:
        case "markdown":
            return found.as_markdown(names)
        case "csv":
            return found.as_csv(names)
        case "latex":
            return found.as_latex(names, label=label)
    raise InputError(f"--format is markdown, csv or latex, not {form!r}.")


def _print_pairs(study: Study, form: str, out: Path | None, *, as_json: bool) -> None:
    from bird_backend.cli.pair_commands import print_pairs  # noqa: PLC0415 - it stands on this file

    print_pairs(study, form, out, as_json=as_json)


def transfer_in(spec: Spec, set_: Settings) -> TransferSpec:
    """The transfer that a study varies."""
    base = load_spec(override(read_spec(spec), set_ or []))
    if not isinstance(base, TransferSpec):
        raise InputError(f"A study is of a transfer, and {spec} is a spec of kind {base.kind}.")
    return base


def carry_out(plan: Plan, *, foreground: bool, as_json: bool) -> int:
    """Queue a plan, or do it here; returns the exit code."""
    if not foreground:
        queued = submit_study(plan)
        states = states_of(queued)
        done = states.get("done", 0)
        text = (
            f"{queued.id}: {len(queued.members)} runs ({len(plan.variants)} variants, seeds"
            f" {', '.join(map(str, plan.seeds))}), {done} of them done already.\n"
            f"Its table at any time: python -m bird_backend study {queued.id}"
        )
        if plan.preset == "pairs":
            emit({"study": queued.id, "states": states, "runs": len(queued.members)}, text, as_json=as_json)
        else:
            emit(results(queued).as_dict(), text, as_json=as_json)
        return 0
    from bird_backend.cli.study_runner import perform_study  # noqa: PLC0415

    bar = ProgressBar()
    try:
        finished, failures = perform_study(plan, on_progress=bar)
    finally:
        bar.close()
    if plan.preset == "pairs":
        _print_pairs(finished, "markdown", None, as_json=as_json)
        sys.stderr.write(f"Study {finished.id}\n")
    else:
        table = results(finished)
        emit(table.as_dict(), f"{table.as_markdown()}\nStudy {finished.id}", as_json=as_json)
    for failure in failures:
        sys.stderr.write(f"{failure}\n")
    return 1 if failures else 0


def names_in(text: str) -> list[str]:
    """Names between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]
