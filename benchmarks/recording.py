"""What recording costs a training of one's own.

    python -m benchmarks.recording --models resnet-narrow,resnet18 --steps 100,6

Every step logs three numbers, two of them tensors. What `log` takes, writing included, is timed within the loop that it
slows down, so that whatever else the machine does concerns both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable

import torch
from torch.nn.functional import cross_entropy

from benchmarks.machine import describe
from bird_backend import BirdLoss, record
from bird_backend.catalog import find_model
from bird_backend.models import build_model
from bird_backend.training import prepare

BATCH = 128


def seconds_of(act: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def measure(name: str, steps: int) -> None:
    """A row for one network, its own teacher's architecture too."""
    device = torch.device("cpu")
    student, teacher = (prepare(build_model(name, classes=10, seed=seed), device) for seed in (0, 1))
    layer = find_model(name).layers[-2].name
    bird = BirdLoss(student, teacher, [(layer, layer)])
    optimiser = torch.optim.SGD(student.parameters(), lr=0.01, momentum=0.9)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, 3, 32, 32, generator=generator).contiguous(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (BATCH,), generator=generator)
    probes = torch.randint(0, 256, (500, 3, 32, 32), dtype=torch.uint8, generator=generator)
    told: dict[str, torch.Tensor] = {}

    def step() -> None:
        task = cross_entropy(student(x), y)
        representation = bird(x)
        optimiser.zero_grad()
        (0.1 * task + 0.9 * representation).backward()
        optimiser.step()
        told.update(task_loss=task, representation_loss=representation)

    trained: list[float] = []
    log: list[float] = []
    with record(
        "benchmark",
        student=student,
        teacher=teacher,
        layers=(layer, layer),
        probes=(probes, torch.arange(500) % 10),
        steps=steps,
    ) as run:
        step()
        snapshot = [seconds_of(lambda at=at: run.snapshot(at)) for at in range(3)]
        for at in range(steps):
            trained.append(seconds_of(step))
            log.append(seconds_of(lambda at=at: run.log(at, lr=0.01, **told)))
    share = 100 * sum(log) / (sum(trained) + sum(log))
    print(
        f"{name:14} n = {steps} steps of {BATCH}, {1000 * statistics.median(trained):.1f} ms each: log is {share:.3f} %"
        f" of the time, its median"
        f" {1e6 * statistics.median(log):.0f} µs, its longest {1000 * max(log):.1f} ms;"
        f" a snapshot of 500 images {1000 * statistics.median(snapshot):.0f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="resnet-narrow,resnet18")
    parser.add_argument("--steps", default="100,6")
    arguments = parser.parse_args()
    print(f"{describe()}; {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as home:
        os.environ["BIRD_HOME"] = home
        for name, steps in zip(arguments.models.split(","), arguments.steps.split(","), strict=True):
            measure(name, int(steps))


if __name__ == "__main__":
    main()
