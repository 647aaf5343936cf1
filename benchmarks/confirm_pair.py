"""What was chosen on validation images, once on test images: BIRD, its controls and the Oracle at fresh seeds.

    python -m benchmarks.confirm_pair --spec SPEC --seeds 10,11,12,13,14 --out scores.jsonl
    python -m benchmarks.confirm_pair --table --out scores.jsonl

The same trainings as `python -m bird_backend pairs SPEC --random-teachers` makes of the spec, without the estimates at
the end of each epoch, which take longer than training on a few hundred images. What `--out` has is not done again, so
two processes may take a part of the seeds each. `--lr` adds fine-tuning at a learning rate of its own.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.choose_pair import Silent
from bird_backend.behaviours.trial import Trial
from bird_backend.datasets import Dataset, load_dataset
from bird_backend.evaluation import measure_accuracy
from bird_backend.experiments import TransferSpec, load_spec, read_spec
from bird_backend.experiments.augmenting import changing, clean
from bird_backend.experiments.transfer.cast import Cast
from bird_backend.measures import Group, by_group
from bird_backend.measures.intervals import over_seeds
from bird_backend.training import Classification, train

GROUPS: tuple[Group, ...] = ("clean", "robust", "seen", "held_out")
NAMES = {
    "none": "None",
    "fine-tuning": "Fine-tuning",
    "same-alpha": "Fine-tuning at BIRD's alpha",
    "random-weights": "BIRD, random teacher",
    "bird": "BIRD",
    "oracle": "Oracle",
}


def arms(spec: TransferSpec, lr: float | None) -> dict[str, dict[str, Any]]:
    """By name, what replaces fields of the spec."""
    drawn = spec.method.model_dump(mode="json")["pairs"][0]
    plain = {"method": {"name": "fine-tuning"}, "drawn": drawn}
    found: dict[str, dict[str, Any]] = {
        "bird": {},
        "fine-tuning": plain,
        "random-weights": {"control": "random-weights"},
        "same-alpha": {"control": "same-alpha"},
    }
    if lr is not None:
        found[f"fine-tuning at {lr:g}"] = plain | {"training": spec.training.model_dump(mode="json") | {"lr": lr}}
    return found | {"oracle": {"method": {"name": "oracle"}, "drawn": drawn}, "none": {}}


def score(spec: TransferSpec, data: Dataset, arm: str, trial: Trial, changed: dict[Any, Any]) -> dict[str, float]:
    """Accuracy on test images by group."""
    cast = Cast(spec, data, data.train.device)
    student = cast.before
    if arm != "none":
        student, method = cast.begin(spec.method)
        images = clean(data.train, spec.training, spec.data)
        if arm == "oracle":
            seen = spec.behaviour.behaviour.seen
            images = changing(data.train, spec.training, spec.data, settings=spec.behaviour, conditions=seen)
        with tempfile.TemporaryDirectory() as folder:
            train(
                student,
                method,
                images,
                spec.training,
                task=Classification(),
                seed=spec.seed,
                observer=Silent(),
                checkpoint=Path(folder) / "checkpoint",
            )
    limit = spec.evaluation.limit
    found = measure_accuracy({"m": student}, data.test, trial=trial, limit=limit, changed=changed).predictions
    return {group: value.value for group in GROUPS if (value := by_group(found, "m", group)) is not None}


def known(out: Path) -> dict[tuple[str, int], dict[str, float]]:
    """By arm and seed."""
    if not out.exists():
        return {}
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    return {(row["arm"], row["seed"]): row["accuracy"] for row in rows}


def show(found: dict[tuple[str, int], dict[str, float]]) -> None:
    """The table: each arm, then BIRD's differences, paired by seed; ± is half a 95 % interval over seeds."""

    def cells(values: dict[Group, list[float]], signed: str) -> str:
        texts = []
        for group in GROUPS:
            interval = over_seeds([100 * value for value in values[group]])
            half = "" if interval is None else f" ± {(interval.high - interval.low) / 2:.1f}"
            mean = 100 * sum(values[group]) / len(values[group])
            texts.append(f"{mean:{signed}.1f}{half}")
        return " | ".join(texts)

    names = list(dict.fromkeys(arm for arm, _ in found))
    for arm in names:
        seeds = sorted(seed for name, seed in found if name == arm)
        values = {group: [found[arm, seed][group] for seed in seeds] for group in GROUPS}
        print(f"| {NAMES.get(arm, arm)} (seeds {', '.join(map(str, seeds))}) | {cells(values, '')} |")
    for arm in names:
        seeds = sorted(seed for name, seed in found if name == arm and ("bird", seed) in found)
        if arm in ("bird", "none") or not seeds:
            continue
        values = {group: [found["bird", seed][group] - found[arm, seed][group] for seed in seeds] for group in GROUPS}
        print(f"| BIRD − {NAMES.get(arm, arm)} | {cells(values, '+')} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path)
    parser.add_argument("--seeds", default="10,11,12,13,14")
    parser.add_argument("--lr", type=float)
    parser.add_argument("--arms", default="", help="by default all")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--table", action="store_true", help="print what --out has, and do nothing")
    arguments = parser.parse_args()
    if arguments.table:
        show(known(arguments.out))
        return
    document = read_spec(arguments.spec)
    base = load_spec(document)
    assert isinstance(base, TransferSpec)
    data = load_dataset(base.data, image_size=base.image_size)
    for seed in map(int, arguments.seeds.split(",")):
        changed: dict[Any, Any] = {}
        for arm, fields in arms(base, arguments.lr).items():
            if (arm, seed) in known(arguments.out) or (arguments.arms and arm not in arguments.arms.split(",")):
                continue
            spec = load_spec(base.model_dump(mode="json") | {"save_as": None} | fields | {"seed": seed})
            assert isinstance(spec, TransferSpec)
            trial = Trial.open(
                spec.behaviour,
                seed=seed,
                labels=data.test.labels,
                image=data.train.take(slice(1)),
                within=data.within,
            )
            began, busy = time.monotonic(), time.process_time()
            row = {"arm": arm, "seed": seed, "accuracy": score(spec, data, arm, trial, changed)}
            row |= {"seconds": round(time.monotonic() - began, 1), "processor": round(time.process_time() - busy, 1)}
            with arguments.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
