"""Whether a step waits for images that are streamed from a mapped file: the loop's speed as a share of the usual one.

    python -m benchmarks.streaming --models cnn-small,resnet18 --side 64 --images 20000 --seconds 6 --repeats 5

Fine-tuning on random images, once with all of them on the device and once mapped from a file and gathered a batch
ahead, in turns, since the machine may be shared. The file is in the system's cache; `--forget` asks for it to be
dropped before each turn (Linux), so that every image comes from the disk.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.machine import describe
from bird_backend.datasets import Split
from bird_backend.experiments.augmenting import clean
from bird_backend.models import build_model
from bird_backend.specs import Training
from bird_backend.training import Classification, build_optimiser, choose_device, prepare
from bird_backend.training.device import autocast
from bird_backend.training.order import Order
from bird_backend.transfer.fine_tuning.loss import FineTuning


def speed(model: nn.Module, split: Split, *, batch: int, seconds: float) -> float:
    """Images a second of the loop's own steps, after three that are not counted."""
    training = Training(batch_size=batch, precision="auto")
    source, method, task = clean(split, training, "folder:x"), FineTuning(), Classification()
    optimiser = build_optimiser(model, method, training)
    order, generator, cpu = Order(len(split), batch, seed=0), torch.Generator(split.device), torch.Generator()
    began, step = 0.0, 0
    while step < 4 or time.perf_counter() - began < seconds:
        if step == 3:
            _wait(split.device)
            began = time.perf_counter()
        given = {"generator": generator, "cpu_generator": cpu, "student": model, "progress": 0.0}
        images = source.batch(order.rows(step), **given)
        source.expect(order.rows(step + 1))
        with autocast(split.device, training.precision):
            loss = method.losses(model, images, task)["loss"]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        step += 1
    _wait(split.device)
    return (step - 3) * batch / (time.perf_counter() - began)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def forget(path: Path) -> None:
    """Have the system drop a file from its cache."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", default="cnn-small,resnet18")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--forget", action="store_true")
    arguments = parser.parse_args()
    device = choose_device(arguments.device)
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "images.npy"
        shape = (arguments.images, 3, arguments.side, arguments.side)
        file = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
        chance = np.random.default_rng(0)
        for start in range(0, len(file), 1000):
            file[start : start + 1000] = chance.integers(0, 256, file[start : start + 1000].shape, dtype=np.uint8)
        file.flush()
        labels = torch.arange(arguments.images) % 10
        for name in arguments.models.split(","):
            ratios, speeds = [], []
            for _ in range(arguments.repeats):
                found = []
                for streamed in (False, True):
                    model = prepare(build_model(name, classes=10, seed=0, image_size=arguments.side), device).train()
                    if streamed:
                        images = torch.from_numpy(np.load(path, mmap_mode="c"))
                    else:
                        images = torch.from_numpy(np.load(path))
                    split = Split(images=images, labels=labels).to(device, streamed=streamed)
                    if arguments.forget:
                        forget(path)
                    found.append(speed(model, split, batch=arguments.batch, seconds=arguments.seconds))
                ratios.append(found[1] / found[0])
                speeds.append(found[0])
            where = f"{name} at {arguments.side}, batch {arguments.batch}, {device}"
            spread = f"{min(ratios):.3f} to {max(ratios):.3f}, n = {len(ratios)}"
            print(f"{where}: {statistics.median(speeds):.0f} images/s with all images on the device;")
            print(f"  streamed {statistics.median(ratios):.3f} of that ({spread})")


if __name__ == "__main__":
    main()
