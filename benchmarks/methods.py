"""What a step of each method costs, in seconds and memory, for any two networks with random weights.

    python -m benchmarks.methods --teacher mobilenetv2 --student resnet152 --methods bird --batch 16 --steps 4
    python -m benchmarks.methods --teacher resnet50 --student resnet50 --batch 16 --image-size 224

Batches are of the embedded clothing at any size, through the loop that every run goes through. Each method is measured
in a process of its own; the first step is left out of the time, the peak is of the whole process.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.machine import describe
from benchmarks.memory import resident
from bird_backend import catalog
from bird_backend.datasets import Split, load_dataset
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.experiments.augmenting import clean
from bird_backend.models import build_model
from bird_backend.models.registry import find_architecture
from bird_backend.training import Classification, choose_device, prepare, train
from bird_backend.transfer import METHODS
from bird_backend.transfer.building import Networks, build_method
from bird_backend.transfer.frozen import FrozenNetwork


class Stopwatch:
    """An observer that notes when each step ended."""

    metrics_size = 0

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.ends: list[float] = []

    def step_done(self, _step: int, _total: int) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()
        self.ends.append(time.monotonic())

    def rows(self, rows: list[dict[str, Any]]) -> None: ...
    def resumed(self, step: int, total: int) -> None: ...
    def progress(self, step: int, total: int) -> None: ...
    def epoch_done(self, epoch: int, step: int) -> None: ...
    def forked(self, step: int, total: int) -> None: ...
    def keep(self, step: int, total: int, write: Callable[[Path], None]) -> None: ...


def once(spec: TransferSpec, steps: int, name: str) -> None:
    """`steps` steps of the spec's method; prints seconds a step and the peak."""
    device = choose_device(name)
    data = load_dataset(spec.data, image_size=spec.image_size).to(device)
    wanted = slice(0, spec.training.batch_size * steps)
    split = Split(images=data.train.images[wanted], labels=data.train.labels[wanted])
    classes = len(data.classes)
    teacher, student = (
        prepare(build_model(ref.model, classes=classes, seed=seed, image_size=data.image_size), device)
        for seed, ref in enumerate((spec.teacher, spec.student))
    )
    frozen = FrozenNetwork(teacher)
    # What an LwF student began as is of its own architecture; here that's a third network only where it has to be.
    same = spec.teacher.model == spec.student.model or not spec.method.name.startswith("lwf")
    began_as = (
        frozen
        if same
        else FrozenNetwork(
            build_model(spec.student.model, classes=classes, seed=1, image_size=data.image_size).to(device)
        )
    )
    classifier = find_architecture(spec.student.model).classifier
    images = clean(split, spec.training, spec.data)
    method = build_method(
        spec.method,
        Networks(
            teacher=frozen, origin=began_as, student=student, classifier=classifier, sample=images.sample(student)
        ),
        seed=0,
    )
    stopwatch = Stopwatch(device)
    with tempfile.TemporaryDirectory() as folder:
        train(
            student,
            method,
            images,
            spec.training,
            task=Classification(),
            seed=0,
            observer=stopwatch,
            checkpoint=Path(folder) / "checkpoint",
        )
    # The loop tells of step 0 before the first.
    times = [after - before for before, after in zip(stopwatch.ends[1:], stopwatch.ends[2:], strict=False)]
    peak = torch.cuda.max_memory_allocated() / 2**20 if device.type == "cuda" else resident("VmHWM")
    print(
        f"{spec.method.name:14} {statistics.median(times):8.3f} s a step (median of {len(times)}, min {min(times):.3f})"
        f"  peak {peak / 1024:5.2f} GiB",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teacher", default="resnet-narrow")
    parser.add_argument("--student", default="resnet-narrow")
    parser.add_argument("--pair", help="teacher's layer:student's layer; the middle ones without it")
    parser.add_argument("--methods", default="all")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--image-size", type=int, default=32)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    trained = [name for name, facts in METHODS.items() if facts.trains]
    names = trained if arguments.methods == "all" else arguments.methods.split(",")
    middle = [catalog.find_model(name).layers for name in (arguments.teacher, arguments.student)]
    pair = (arguments.pair or ":".join(layers[len(layers) // 2].name for layers in middle)).split(":")
    print(f"{describe()}; {arguments.teacher} {pair[0]} -> {arguments.student} {pair[1]}")
    print(f"batch {arguments.batch}, {arguments.image_size} pixels")
    context = multiprocessing.get_context("spawn")
    for name in names:
        method: dict[str, Any] = {"name": name}
        if METHODS[name].matches_layers:
            method["pairs"] = [{"teacher": pair[0], "student": pair[1]}]
        spec = load_spec(
            {
                "kind": "transfer",
                "data": "fashion-mnist-small",
                "image_size": arguments.image_size,
                "teacher": {"model": arguments.teacher},
                "student": {"model": arguments.student},
                "method": method,
                "training": {"epochs": 1, "batch_size": arguments.batch, "checkpoint_every": 10**6},
            }
        )
        process = context.Process(target=once, args=(spec, arguments.steps, arguments.device))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
