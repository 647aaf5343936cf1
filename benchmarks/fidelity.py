"""Every method on one transfer, with seeds: the table that says whether a gain is one.

    python -m benchmarks.fidelity
    python -m benchmarks.fidelity --teacher-data zip:cifar10-small.zip --data zip:cifar100-small.zip --model resnet18 \\
        --student-epochs 30 --teacher-epochs 30 --epochs 10 --home DIR

Without data it is the demo's embedded pair; of another --behaviour, its student with the teacher that
assets/examples/teacher-BEHAVIOUR.json makes. With data, a student is trained on --data and a robust teacher on
--teacher-data first; a home that is kept (--home) has them, and every run that is done, the next time. Settings of the
transfer are those of --spec, and --set changes them. Prints the networks, the table as Markdown, the machine and the
minutes. Layers and settings have to be chosen elsewhere, on validation images: this measures on test images.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe
from bird_backend import settings
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.cli.output import ProgressBar
from bird_backend.cli.study_runner import perform_study
from bird_backend.experiments import TransferSpec, load_spec, override, read_spec
from bird_backend.jobs.leases import lease
from bird_backend.jobs.process import perform
from bird_backend.measures.figures import read_figure
from bird_backend.runs.store import RunStore
from bird_backend.studies import plan_methods, results
from bird_backend.studies.ablations import counterpart


def main() -> int:
    arguments = parse()
    with tempfile.TemporaryDirectory() as temporary:
        home = (arguments.home or Path(temporary)).expanduser().resolve()
        os.environ["BIRD_HOME"] = str(home)
        began = time.monotonic()
        bar = ProgressBar()
        document = transfer_document(arguments, home, bar)
        base = load_spec(override(document, arguments.set))
        assert isinstance(base, TransferSpec)
        methods: str | list[str] = "all" if arguments.methods == "all" else arguments.methods.split(",")
        controls = [] if arguments.controls == "none" else arguments.controls.split(",")
        plan = plan_methods(base, methods=methods, seeds=arguments.seeds, controls=controls)
        study, failures = perform_study(plan, on_progress=bar)
        bar.close()
        minutes = (time.monotonic() - began) / 60
        devices = sorted({run.device or "" for run in RunStore().get_many(study.run_ids).values()})
        text = (
            f"{results(study).as_markdown()}"
            f"- {describe()}; device {', '.join(map(name_of, devices))}, threads: {torch.get_num_threads()};"
            f" {minutes:.1f} minutes, of which what was done before in this home is no part.\n"
        )
        print(text)
        if arguments.out is not None:
            arguments.out.write_text(text, "utf-8")
        for failure in failures:
            print(failure)
    return 1 if failures else 0


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, default=settings.ASSETS / "examples" / "demo.json")
    parser.add_argument("--set", action="append", default=[], help="key=value of the transfer's spec")
    parser.add_argument("--behaviour", default="corruptions", help="measured, and what the teacher withstands")
    parser.add_argument("--data", help="the student's data; with it --teacher-data, and both networks are made anew")
    parser.add_argument("--teacher-data", help="the robust teacher's data")
    parser.add_argument("--model", default="resnet18", help="the student's architecture")
    parser.add_argument("--teacher-model", help="the teacher's, where it is another")
    parser.add_argument("--student-epochs", type=int, default=30)
    parser.add_argument("--teacher-epochs", type=int, default=30)
    parser.add_argument("--images", type=int, help="at most so many training images of each zip, evenly over classes")
    parser.add_argument("--epochs", type=int, help="of every transfer")
    parser.add_argument("--limit", type=int, help="at most so many test images")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--methods", default="all")
    parser.add_argument("--controls", default="random-weights")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--home", type=Path, help="kept, so that what is done is not done again; else a temporary one")
    parser.add_argument("--out", type=Path, help="a file for the table")
    arguments = parser.parse_args()
    if (arguments.data is None) != (arguments.teacher_data is None):
        parser.error("--data and --teacher-data go together")
    return arguments


def transfer_document(arguments: argparse.Namespace, home: Path, bar: ProgressBar) -> dict[str, Any]:
    """The transfer to compare methods on, its networks made where data was named."""
    behaviour = BEHAVIOURS.find(arguments.behaviour).name
    document = read_spec(arguments.spec) | {"device": arguments.device}
    if behaviour != "corruptions":
        document |= {"behaviour": behaviour}
    if arguments.epochs is not None:
        document["training"] = document.get("training", {}) | {"epochs": arguments.epochs}
    if arguments.limit is not None:
        document["evaluation"] = document.get("evaluation", {}) | {"limit": arguments.limit}
    if arguments.data is None:
        if behaviour != "corruptions":
            recipe = read_spec(settings.ASSETS / "examples" / f"teacher-{behaviour}.json")
            document["teacher"] = recipe["model"] | {"weights": made(recipe | {"device": arguments.device}, bar)}
        return document
    data, teacher_data = (part_of(name, arguments.images, home) for name in (arguments.data, arguments.teacher_data))
    teacher_model = arguments.teacher_model or arguments.model
    pretrain = {"kind": "pretrain", "data": data, "model": {"model": arguments.model}}
    robustify = {"kind": "robustify", "data": teacher_data, "model": {"model": teacher_model}}
    shared = {"device": arguments.device, "behaviour": behaviour, "evaluation": document.get("evaluation", {})}
    student = made(named(pretrain | shared, arguments.student_epochs), bar)
    teacher = made(named(robustify | shared, arguments.teacher_epochs), bar)
    was = document["teacher"]["model"], document["student"]["model"]
    now = teacher_model, arguments.model
    method = dict(document["method"])
    method["pairs"] = [
        pair
        | {
            side: counterpart(old, pair[side], new)
            for side, old, new in zip(("teacher", "student"), was, now, strict=True)
        }
        for pair in method["pairs"]
    ]
    told = (f"{model} on {Path(name).stem}" for model, name in ((now[0], teacher_data), (now[1], data)))
    return document | {
        "title": " → ".join(told),
        "data": data,
        "teacher": {"model": teacher_model, "weights": teacher},
        "student": {"model": arguments.model, "weights": student},
        "method": method,
    }


def named(document: dict[str, Any], epochs: int) -> dict[str, Any]:
    """The spec with its budget, and a name for what it makes."""
    name = f"{Path(document['data']).stem}-{document['model']['model']}-{document['kind']}-{document['behaviour']}"
    name = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")[:80]
    return document | {"training": {"lr": 0.05, "epochs": epochs}, "save_as": name}


def made(document: dict[str, Any], bar: ProgressBar) -> str:
    """The name of the weights that a spec makes: those of a run of this home which is done, else of a new one."""
    spec, store = load_spec(document), RunStore()
    run = store.find_same(spec, states=("done",))
    if run is None:
        run = store.create(spec, state="running")
        perform(run.id, device=lease(spec.device), on_progress=bar)
        bar.close()
        run = store.get(run.id)
    found = run.summary or {}
    clean, robust = (read_figure(found, "model", name) for name in ("clean", "robust"))
    assert clean is not None and robust is not None
    print(
        f"{run.title}: {100 * clean.value:.1f} % clean, {100 * robust.value:.1f} % robust"
        f" (n = {found['n_test']}), {found['seconds']:.0f} s"
    )
    return str(found["weights"])


def part_of(name: str, images: int | None, home: Path) -> str:
    """The data with at most so many training images: the first of each class of a `zip:`, all of its test images."""
    if images is None:
        return name
    if not name.startswith("zip:"):
        raise SystemExit(f"--images cuts a zip: down, and {name} is none.")
    source = Path(name.removeprefix("zip:")).expanduser()
    target = home / f"{source.stem}-{images}.zip"
    if not target.exists():
        home.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".partial")
        with zipfile.ZipFile(source) as whole, zipfile.ZipFile(partial, "w") as part:
            for entry in chosen(whole.namelist(), images):
                part.writestr(entry, whole.read(entry))
        partial.replace(target)
    return f"zip:{target}"


def chosen(names: list[str], images: int) -> list[str]:
    """Every test image, and the first training images of each class."""
    files = sorted(name for name in names if not name.endswith("/"))
    by_class: dict[str, list[str]] = {}
    for name in files:
        if name.startswith("train/"):
            by_class.setdefault(name.split("/")[1], []).append(name)
    if images < len(by_class):
        raise SystemExit(f"--images has to be at least one of each of the {len(by_class)} classes.")
    each = images // max(len(by_class), 1)
    return [name for members in by_class.values() for name in members[:each]] + [
        name for name in files if name.startswith("test/")
    ]


def name_of(device: str) -> str:
    """A GPU by what it is called."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


if __name__ == "__main__":
    raise SystemExit(main())
