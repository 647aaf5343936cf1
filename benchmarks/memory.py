"""How much memory an evaluation under corruption holds over its network, on the CPU.

    python -m benchmarks.memory --models cnn-small,resnet50,densenet121 --images 10000 --conditions all

Each network is measured in a process of its own, on random images of CIFAR's size, with the pictures a run keeps. The
peak does not depend on the number of cells, nor, past a few batches, on the number of images but for the images
themselves: wide networks can be measured with fewer of both.
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from pathlib import Path

import torch

from benchmarks.machine import describe
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.behaviours.corruptions import CorruptionSettings
from bird_backend.behaviours.trial import Trial
from bird_backend.cli.choices import parse_conditions, parse_strengths
from bird_backend.datasets import Split
from bird_backend.evaluation import measure_accuracy
from bird_backend.models import build_model
from bird_backend.training import prepare

_CLASSES = 100


def resident(field: str) -> float:
    """MiB of this process: VmRSS now, VmHWM at its highest."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def forget_peak() -> None:
    """VmHWM starts anew (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", "utf-8")


def once(name: str, images: int, conditions: tuple[str, ...], strengths: tuple[int, ...]) -> None:
    """One evaluation; prints its peak over the process with the network and before the images."""
    model = prepare(build_model(name, classes=_CLASSES, seed=0), torch.device("cpu")).eval()
    with torch.no_grad():
        model(torch.zeros(1, 3, 32, 32))
    before = resident("VmRSS")
    forget_peak()  # it was while importing
    generator = torch.Generator().manual_seed(0)
    split = Split(
        images=torch.randint(0, 256, (images, 3, 32, 32), dtype=torch.uint8, generator=generator),
        labels=torch.arange(images) % _CLASSES,
    )
    began = time.monotonic()
    found = measure_accuracy(
        {"m": model},
        split,
        trial=Trial(settings=CorruptionSettings(conditions=conditions, strengths=strengths), seed=0),
        classes=[str(label) for label in range(_CLASSES)],
    ).predictions
    seconds = time.monotonic() - began
    cells = len(found.cells)
    print(
        f"{name:14} {images:6} images x {cells:2} cells  peak over the network {resident('VmHWM') - before:6.0f} MiB"
        f"  {1000 * seconds / images / cells:7.2f} ms an image and cell",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="cnn-small,resnet50,densenet121")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--conditions", default="all")
    parser.add_argument("--strengths", default="1-5")
    arguments = parser.parse_args()
    print(f"{describe()}; {torch.get_num_threads()} threads")
    strengths = parse_strengths(arguments.strengths)
    conditions = parse_conditions(arguments.conditions, BEHAVIOURS["corruptions"])
    context = multiprocessing.get_context("spawn")
    for name in arguments.models.split(","):
        process = context.Process(target=once, args=(name, arguments.images, conditions, strengths))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
