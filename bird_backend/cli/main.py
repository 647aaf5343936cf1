"""Commands, and how their errors become one sentence and an exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from bird_backend import runs, settings
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.behaviours.corruptions import CorruptionSettings
from bird_backend.cli.asset_commands import assets_app
from bird_backend.cli.cache_commands import cache
from bird_backend.cli.choices import parse_conditions, parse_image_size, parse_strengths
from bird_backend.cli.convert_commands import convert
from bird_backend.cli.export_commands import export
from bird_backend.cli.fork_commands import fork
from bird_backend.cli.listing import describe, listing
from bird_backend.cli.mark_commands import delete, mark, restore, trash
from bird_backend.cli.options import (
    Conditions,
    Corruptions,
    Faithful,
    FrostTextures,
    Home,
    ImageSide,
    Json,
    Seed,
    Settings,
    Severities,
    Spec,
    Strengths,
)
from bird_backend.cli.output import ProgressBar, describe_summary, emit, table
from bird_backend.cli.pair_commands import pairs
from bird_backend.cli.performing import perform_here
from bird_backend.cli.predict_commands import predict
from bird_backend.cli.rank_commands import rank
from bird_backend.cli.replay_commands import replay
from bird_backend.cli.study_commands import ablate, compare, study
from bird_backend.cli.zoo_commands import zoo
from bird_backend.errors import BirdError, InputError, plain
from bird_backend.experiments import load_spec, override, read_spec
from bird_backend.runs.provenance import find_weights, read_header

__all__ = ["app", "main"]

app = typer.Typer(
    name="bird",
    help="Transfer behaviour between networks by matching the geometry of their representations.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(assets_app, name="assets")
for command in (
    compare,
    ablate,
    pairs,
    study,
    rank,
    predict,
    zoo,
    fork,
    export,
    replay,
    convert,
    cache,
    mark,
    delete,
    restore,
    trash,
):
    app.command()(command)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    try:
        result = app(arguments, standalone_mode=False)
    except typer.Exit as error:
        return int(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        return _complain("Stopped from the keyboard.", 1)
    except typer.TyperException as error:
        return _complain(str(error), 2)
    except InputError as error:
        return _complain(str(error), 2)
    except BirdError as error:
        return _complain(str(error), 1)
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    return int(result or 0)


@app.command("list")
def list_(
    what: Annotated[
        str,
        typer.Argument(
            help="models, datasets, kinds, methods, behaviours, corruptions, weights, exports, runs, studies or layers."
        ),
    ],
    name: Annotated[
        str | None, typer.Argument(help="The model, for layers: of the catalogue, or such as torchvision:swin_t.")
    ] = None,
    image_size: Annotated[int, typer.Option(help="Pixels a side, for layers.")] = 32,
    json_: Json = False,
    home: Home = None,
) -> None:
    """List what can be named in a spec, and the runs and studies there are."""
    documents, rows, header = listing(what, name, image_size)
    emit(documents, table(rows, header), as_json=json_)


@app.command()
def run(spec: Spec, set_: Settings = None, json_: Json = False, home: Home = None) -> int:
    """Do a run here and now, with a progress bar; the summary at the end."""
    return perform_here(load_spec(override(read_spec(spec), set_ or [])), as_json=json_)


@app.command()
def submit(spec: Spec, set_: Settings = None, json_: Json = False, home: Home = None) -> None:
    """Queue a run for a worker, starting one if none lives."""
    row = runs.submit(load_spec(override(read_spec(spec), set_ or [])))
    runs.ensure_supervisor()
    emit(describe(row), f"{row.id} is queued.", as_json=json_)


@app.command()
def status(
    run_id: Annotated[str | None, typer.Argument(metavar="[RUN]")] = None, json_: Json = False, home: Home = None
) -> None:
    """How a run is doing, or the queue as a whole."""
    if run_id is None:
        active = runs.RunStore().list(states=runs.ACTIVE)
        document = {"worker": runs.supervisor_alive(), "runs": [describe(row) for row in active]}
        alive = "A worker is on the queue." if document["worker"] else "No worker is running."
        lines = [f"{row.id}  {row.state}  {row.title}" for row in active] or ["Nothing is queued or running."]
        emit(document, "\n".join([alive, *lines]), as_json=json_)
        return
    row = runs.RunStore().get(run_id)
    progress = row.directory.read_progress() or {}
    text = f"{row.id}  {row.state}" + (f": {row.reason}" if row.reason else "")
    if row.state == "running" and progress:
        text += f"  {progress['fraction']:.0%}  {progress['phase']}"
    if row.summary:
        text += f"\n{describe_summary(row.summary)}"
    emit(describe(row), text, as_json=json_)


@app.command()
def cancel(run_id: Annotated[str, typer.Argument(metavar="RUN")], json_: Json = False, home: Home = None) -> None:
    """Ask a run to stop; it saves a checkpoint first."""
    row = runs.cancel(run_id)
    emit(
        describe(row),
        f"{run_id} was asked to stop." if row.state == "running" else f"{run_id} is {row.state}.",
        as_json=json_,
    )


@app.command()
def resume(run_id: Annotated[str, typer.Argument(metavar="RUN")], json_: Json = False, home: Home = None) -> None:
    """Queue a stopped run again; it goes on from its last checkpoint."""
    row = runs.resume(run_id)
    runs.ensure_supervisor()
    emit(describe(row), f"{run_id} is queued again.", as_json=json_)


@app.command()
def worker(
    idle_exit: Annotated[float | None, typer.Option(help="Leave after so many seconds with nothing to do.")] = None,
    json_: Json = False,
    home: Home = None,
) -> None:
    """Do the queue's runs, one process each, until stopped."""
    import logging  # noqa: PLC0415

    from bird_backend.jobs.supervisor import work  # noqa: PLC0415

    settings.make_home()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S")
    work(idle_exit_seconds=idle_exit)
    emit({"state": "stopped"}, "Stopped.", as_json=json_)


@app.command("app")
def app_(
    port: Annotated[int | None, typer.Option(help="Where it listens on this machine.", min=1, max=65535)] = None,
    home: Home = None,
) -> None:
    """Start the app, as `streamlit run app/main.py` does in a checkout, in place of this process."""
    page = settings.APP
    if not page.is_file():
        raise InputError(f"The app is not part of this installation: there is no {page}.")
    options = [] if port is None else ["--server.port", str(port)]
    os.environ["BIRD_HOME"] = str(settings.home())  # by its whole path, for we go elsewhere
    os.chdir(page.parent.parent)  # where Streamlit looks for its settings
    os.execv(sys.executable, [sys.executable, "-m", "streamlit", "run", str(page), *options])  # noqa: S606 - ours


@app.command()
def evaluate(
    weights: Annotated[str, typer.Option(help="A .safetensors file or the name of weights.")],
    data: Annotated[str, typer.Option(help="A data set by name, or one's own, such as folder:PATH.")],
    model: Annotated[str | None, typer.Option(help="The architecture, where the file does not say.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many test images.")] = None,
    behaviour: Annotated[str, typer.Option(help="What the network is to keep doing right.")] = "corruptions",
    conditions: Conditions = "all",
    strengths: Strengths = "1-5",
    corrupted_dir: Annotated[
        Path | None,
        typer.Option(
            help="Read corrupted images in CIFAR-10-C's layout instead of making them.", exists=True, file_okay=False
        ),
    ] = None,
    faithful: Faithful = False,
    frost_textures: FrostTextures = None,
    image_size: ImageSide = "auto",
    seed: Seed = 0,
    device: str = "auto",
    json_: Json = False,
    home: Home = None,
) -> int:
    """Measure a network's accuracy on a data set's test images, as they are and under a behaviour's conditions."""
    provenance = read_header(find_weights(weights)).provenance
    architecture = model or (provenance.model if provenance else None)
    if architecture is None:
        raise InputError(f"{weights} does not say its architecture; name it with --model.")
    document = {
        "kind": "evaluate",
        "data": data,
        "image_size": parse_image_size(image_size),
        "seed": seed,
        "device": device,
        "model": {"model": architecture, "weights": weights},
        "behaviour": {
            "name": behaviour,
            "conditions": parse_conditions(conditions, BEHAVIOURS.find(behaviour)),
            "strengths": parse_strengths(strengths),
            **({"corrupted_dir": str(corrupted_dir.resolve())} if corrupted_dir else {}),
            **({"faithful": True} if faithful else {}),
            **({"frost_textures": str(frost_textures.resolve())} if frost_textures else {}),
        },
        "evaluation": {"limit": limit},
    }
    return perform_here(load_spec(document), as_json=json_)


@app.command()
def corrupt(
    source: Annotated[str, typer.Argument(metavar="IN", help="A .npy of uint8 [N,H,W,3], or a data set by name.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="Where NAME.npy and labels.npy go.")],
    corruptions: Corruptions = "all",
    severities: Severities = "1-5",
    faithful: Faithful = False,
    frost_textures: FrostTextures = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")] = False,
    image_size: ImageSide = "auto",
    seed: Seed = 0,
    device: str = "auto",
    json_: Json = False,
    home: Home = None,
) -> None:
    """Write corrupted images in CIFAR-10-C's layout: uint8 [5N,H,W,3], one severity after the other."""
    from bird_backend.behaviours.trial import Trial  # noqa: PLC0415
    from bird_backend.cli.corrupted_files import corrupt_into  # noqa: PLC0415

    names = parse_conditions(corruptions, BEHAVIOURS.find("corruptions"), "--corruptions")
    levels = parse_strengths(severities, "--severities")
    settings = CorruptionSettings(
        conditions=names,
        strengths=levels,
        faithful=faithful,
        frost_textures=None if frost_textures is None else str(frost_textures),
    )
    bar = ProgressBar()
    try:
        document = corrupt_into(
            source,
            folder,
            trial=Trial(settings=settings, seed=seed),
            device=device,
            overwrite=overwrite,
            image_size=parse_image_size(image_size),
            on_progress=bar,
        )
    finally:
        bar.close()
    text = (
        f"Written: {len(names)} corruptions × {len(levels)} severities × {document['images']:,} images,"
        f" {document['bytes'] / 1e6:.1f} MB in {document['seconds']} s, with {document['constants']}, to {folder}"
    )
    emit(document, text, as_json=json_)


@app.command()
def similarity(
    a: Annotated[Path, typer.Argument(metavar="A.npy", help="Representations, one row an image.")],
    b: Annotated[Path, typer.Argument(metavar="B.npy", help="The same images in the same order.")],
    kernel: Annotated[str, typer.Option(help="linear or rbf.")] = "linear",
    estimator: Annotated[str, typer.Option(help="biased or debiased.")] = "debiased",
    json_: Json = False,
    home: Home = None,
) -> None:
    """CKA of two arrays, with n and what shuffled rows would give."""
    from bird_backend.cli.arrays import compare  # noqa: PLC0415

    document = compare(a, b, kernel=kernel, estimator=estimator)
    text = f"CKA {document['cka']:.4f}  ({estimator}, {kernel}, n = {document['n']}; shuffled: {document['null']:.4f})"
    emit(document, text, as_json=json_)


def _complain(sentence: str, code: int) -> int:
    sys.stderr.write(f"{plain(sentence)}\n")
    return code
