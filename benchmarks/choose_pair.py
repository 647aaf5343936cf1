"""Which teacher, layer pair, beta and learning rate a transfer should use, judged on validation images only.

    python -m benchmarks.choose_pair --pairs stem:stem,block1:block1 --betas 0.9 --lrs 0.005,0.02 --seeds 0,1

Trains the spec's student on its training images (`--images`: so many of them) by fine-tuning, and with BIRD and its
controls: a teacher with random weights, and the task loss alone at BIRD's alpha = 1 − beta. Prints accuracy on the
validation images, clean and mean over the seen conditions at strengths 1, 3 and 5, and BIRD's gains paired by seed.
What teachers and layer pairs have in common is trained once. No test image is used.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from bird_backend import settings
from bird_backend.behaviours.trial import Trial
from bird_backend.datasets import Dataset, Split, load_dataset
from bird_backend.datasets.splits import hold_out
from bird_backend.evaluation import measure_accuracy
from bird_backend.experiments import TransferSpec, load_spec, override, read_spec
from bird_backend.experiments.augmenting import clean
from bird_backend.experiments.transfer.cast import Cast
from bird_backend.measures import by_group
from bird_backend.measures.intervals import over_seeds
from bird_backend.training import Classification, train

FINE_TUNING = "fine-tuning"
CONTROLS = ("none", "random-weights", "same-alpha")


class Silent:
    """An observer with nothing to say."""

    metrics_size = 0

    def rows(self, rows: list[dict[str, Any]]) -> None: ...
    def resumed(self, step: int, total: int) -> None: ...
    def progress(self, step: int, total: int) -> None: ...
    def step_done(self, step: int, total: int) -> None: ...
    def epoch_done(self, epoch: int, step: int) -> None: ...
    def forked(self, step: int, total: int) -> None: ...
    def keep(self, step: int, total: int, write: Callable[[Path], None]) -> None: ...


def score(spec: TransferSpec, data: Dataset) -> tuple[float, float]:
    """Clean and robust validation accuracy after the transfer."""
    device = data.train.device
    student, method = Cast(spec, data, device).begin(spec.method)
    with tempfile.TemporaryDirectory() as folder:
        train(
            student,
            method,
            clean(data.train, spec.training, spec.data),
            spec.training,
            task=Classification(),
            seed=spec.seed,
            observer=Silent(),
            checkpoint=Path(folder) / "checkpoint",
        )
    # Held-out conditions are for measuring alone: what is chosen by them is not held out of the choice.
    few = {"conditions": spec.behaviour.behaviour.seen, "strengths": (1, 3, 5)}
    trial = Trial(settings=spec.behaviour.model_copy(update=few), seed=0)
    found = measure_accuracy({"m": student}, data.validation, trial=trial).predictions
    unspoilt, robust = by_group(found, "m", "clean"), by_group(found, "m", "robust")
    assert unspoilt is not None and robust is not None
    return unspoilt.value, robust.value


_known: dict[str, tuple[float, float]] = {}
"""Scores by what they depend on."""


def scores(spec: TransferSpec, data: Dataset, seeds: list[int], **changed: Any) -> dict[int, tuple[float, float]]:
    """By seed; what is `changed` replaces fields of the spec."""
    document = spec.model_dump(mode="json") | {"baseline": False, "save_as": None} | changed
    found = {}
    for seed in seeds:
        one = load_spec(document | {"seed": seed})
        assert isinstance(one, TransferSpec)
        if (key := _depends_on(one)) not in _known:
            _known[key] = score(one, data)
        found[seed] = _known[key]
    return found


def _depends_on(spec: TransferSpec) -> str:
    """A random teacher has no weights of its own; without its term, BIRD has neither teacher nor layers."""
    document = spec.model_dump(mode="json")
    if spec.control == "random-weights":
        document["teacher"]["weights"] = None
    if spec.control == "same-alpha":
        del document["teacher"], document["method"]["pairs"]
    return json.dumps(document, sort_keys=True)


def fewer(split: Split, images: int) -> Split:
    """So many of a split's images, spread over its classes by their size, always the same."""
    _, rows = hold_out(split.labels.numpy(), images / len(split))
    kept = torch.from_numpy(rows)
    return Split(images=split.take(kept), labels=split.labels[kept])


def gain(ours: Mapping[int, tuple[float, float]], theirs: Mapping[int, tuple[float, float]]) -> str:
    """Points of robust accuracy, paired by seed."""
    found = [100 * (ours[seed][1] - theirs[seed][1]) for seed in ours]
    if len(found) < 2:
        return f"{found[0]:+5.1f}"
    interval = over_seeds(found)
    assert interval is not None
    return f"{interval.value:+5.1f} ± {(interval.high - interval.low) / 2:3.1f}"


def means(found: Mapping[int, tuple[float, float]]) -> str:
    clean_, robust = (sum(column) / len(found) for column in zip(*found.values(), strict=True))
    return f"clean {100 * clean_:5.1f}  robust {100 * robust:5.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, default=settings.ASSETS / "examples" / "demo.json")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the spec, such as training.epochs=12")
    parser.add_argument("--images", type=int, help="at most so many training images; by default all")
    parser.add_argument("--teachers", default="", help="weights by name; none: the spec's own")
    parser.add_argument("--pairs", default="stem:stem,block1:block1,block2:block2,block3:block3")
    parser.add_argument("--betas", default="0.9")
    parser.add_argument("--lrs", default="0.005,0.02")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--controls", default=",".join(CONTROLS[1:]))
    arguments = parser.parse_args()
    spec = load_spec(override(read_spec(arguments.spec), arguments.set))
    assert isinstance(spec, TransferSpec)
    seeds = [int(seed) for seed in arguments.seeds.split(",")]
    data = load_dataset(spec.data, image_size=spec.image_size)
    train_on = fewer(data.train, arguments.images) if arguments.images else data.train
    data = Dataset(
        name=data.name, classes=data.classes, train=train_on, validation=data.validation, test=data.validation
    )
    print(
        f"{data.name}: {len(data.train)} training, n = {len(data.validation)} validation images, seeds"
        f" {arguments.seeds}, {spec.training.epochs} epochs, batches of {spec.training.batch_size};"
        f" CPU threads {torch.get_num_threads()}"
    )
    own = spec.method.model_dump(mode="json")
    drawn = own["pairs"][0]
    for lr in map(float, arguments.lrs.split(",")):
        training = spec.training.model_dump(mode="json") | {"lr": lr, "checkpoint_every": 10**9}
        common = {"training": training}
        plain = scores(spec, data, seeds, **common, method={"name": FINE_TUNING}, drawn=drawn)
        print(f"lr {lr:<6}  {FINE_TUNING:60} {means(plain)}", flush=True)
        for beta in map(float, arguments.betas.split(",")):
            for pair in arguments.pairs.split(","):
                pairs = [dict(zip(("teacher", "student"), part.split(":"), strict=True)) for part in pair.split("+")]
                method = own | {"pairs": pairs, "beta": beta, "alpha": round(1 - beta, 4)}
                for weights in arguments.teachers.split(","):
                    _line(spec, data, seeds, common | {"method": method}, weights, plain, arguments.controls)


def _line(
    spec: TransferSpec,
    data: Dataset,
    seeds: list[int],
    changed: dict[str, Any],
    weights: str,
    plain: Mapping[int, tuple[float, float]],
    controls: str,
) -> None:
    """One teacher with one layer pair, and its controls; no `weights`: the spec's own teacher."""
    teacher = spec.teacher.model_dump(mode="json")
    if weights:
        teacher |= {"weights": weights}
    began = time.monotonic()
    found = scores(spec, data, seeds, **changed, teacher=teacher)
    seconds = (time.monotonic() - began) / len(seeds)
    method = changed["method"]
    pair = "+".join(f"{pair['teacher']}:{pair['student']}" for pair in method["pairs"])
    words = f"{teacher['weights']} {pair} beta {method['beta']}"
    line = f"lr {changed['training']['lr']:<6}  {words:60} {means(found)}  over fine-tuning {gain(found, plain)}"
    for control in filter(None, controls.split(",")):
        other = scores(spec, data, seeds, **changed, teacher=teacher, control=control)
        line += f"  over {control} {gain(found, other)}"
    print(f"{line}  {seconds:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
