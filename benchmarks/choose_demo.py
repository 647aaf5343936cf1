"""Which layer pair, beta and learning rate the demo should use, judged on validation images only.

    python -m benchmarks.choose_demo --pairs stem:stem,block1:block1 --betas 0.9 --lrs 0.005,0.02 --seeds 0

Trains the demo's student on its training images with BIRD and with plain fine-tuning at the same budget, and prints
accuracy on the validation images, clean and mean over the seen corruptions at severities 1, 3 and 5. No test image
is used.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from bird_backend import settings
from bird_backend.behaviours.trial import Trial
from bird_backend.datasets import Dataset, load_dataset
from bird_backend.evaluation import measure_accuracy
from bird_backend.experiments import TransferSpec, load_spec, read_spec
from bird_backend.experiments.augmenting import clean
from bird_backend.measures import by_group
from bird_backend.models import load_model
from bird_backend.models.registry import find_architecture
from bird_backend.training import Classification, prepare, train
from bird_backend.transfer import MethodSettings
from bird_backend.transfer.bird import BirdSettings
from bird_backend.transfer.building import Networks, build_method
from bird_backend.transfer.fine_tuning import FineTuningSettings
from bird_backend.transfer.frozen import FrozenNetwork


class Silent:
    """An observer with nothing to say."""

    metrics_size = 0

    def rows(self, rows: list[dict[str, Any]]) -> None: ...
    def resumed(self, step: int, total: int) -> None: ...
    def progress(self, step: int, total: int) -> None: ...
    def step_done(self, step: int, total: int) -> None: ...
    def epoch_done(self, epoch: int, step: int) -> None: ...


def score(
    spec: TransferSpec, method: MethodSettings, data: Dataset, *, lr: float, seed: int
) -> tuple[float, float, float]:
    """Clean and robust validation accuracy after training, and seconds."""
    device = data.train.device
    teacher = prepare(load_model(spec.teacher, classes=None, seed=0)[0], device)
    student = prepare(load_model(spec.student, classes=len(data.classes), seed=0)[0], device)
    images = clean(data.train, spec.training, spec.data)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        train(
            student,
            build_method(
                method,
                Networks(
                    teacher=FrozenNetwork(teacher),
                    origin=FrozenNetwork(copy.deepcopy(student)),
                    student=student,
                    classifier=find_architecture(spec.student.model).classifier,
                    sample=images.sample(student),
                ),
                seed=seed,
            ),
            images,
            spec.training.model_copy(update={"lr": lr, "checkpoint_every": 10**9}),
            task=Classification(),
            seed=seed,
            observer=Silent(),
            checkpoint=Path(folder) / "checkpoint",
        )
    seconds = time.monotonic() - began
    # Held-out conditions are for measuring alone: what is chosen by them is not held out of the choice.
    few = {"conditions": spec.behaviour.behaviour.seen, "strengths": (1, 3, 5)}
    trial = Trial(settings=spec.behaviour.model_copy(update=few), seed=0)
    found = measure_accuracy({"m": student}, data.validation, trial=trial).predictions
    unspoilt, robust = by_group(found, "m", "clean"), by_group(found, "m", "robust")
    assert unspoilt is not None and robust is not None
    return unspoilt.value, robust.value, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spec", type=Path, default=settings.ASSETS / "examples" / "demo.json")
    parser.add_argument("--pairs", default="stem:stem,block1:block1,block2:block2,block3:block3")
    parser.add_argument("--betas", default="0.9")
    parser.add_argument("--lrs", default="0.005,0.02")
    parser.add_argument("--seeds", default="0")
    arguments = parser.parse_args()
    spec = load_spec(read_spec(arguments.spec))
    assert isinstance(spec, TransferSpec) and isinstance(spec.method, BirdSettings)
    data = load_dataset(spec.data)
    data = Dataset(
        name=data.name, classes=data.classes, train=data.train, validation=data.validation, test=data.validation
    )
    print(
        f"{data.name}: {len(data.train)} training, n = {len(data.validation)} validation images; CPU threads "
        f"{torch.get_num_threads()}"
    )
    methods: list[tuple[str, MethodSettings]] = [("fine-tuning", FineTuningSettings())]
    for pair, beta in itertools.product(arguments.pairs.split(","), arguments.betas.split(",")):
        pairs = [dict(zip(("teacher", "student"), part.split(":"), strict=True)) for part in pair.split("+")]
        document = spec.method.model_dump() | {"pairs": pairs, "beta": float(beta), "alpha": round(1 - float(beta), 4)}
        methods.append((f"bird {pair} beta {beta}", BirdSettings.model_validate(document)))
    for lr, (name, method) in itertools.product(arguments.lrs.split(","), methods):
        results = [score(spec, method, data, lr=float(lr), seed=int(seed)) for seed in arguments.seeds.split(",")]
        clean, robust, seconds = (sum(column) / len(results) for column in zip(*results, strict=True))
        print(f"lr {lr:>6}  {name:42}  clean {clean:.3f}  robust {robust:.3f}  {seconds:5.1f} s", flush=True)


if __name__ == "__main__":
    main()
