"""Whether a step waits for images that are streamed from a mapped file: its time as a share of the usual one.

    python -m benchmarks.streaming --models cnn-small,resnet18 --side 64 --images 20000 --steps 8 --blocks 30

Fine-tuning on random images, one network with all of them on the device and one with them mapped from a file and
gathered a batch ahead, in short blocks by turns: on a shared machine only medians of neighbours mean something, and the
processor's time (of all threads) more than the clock's. The file is in the system's cache; `--forget` asks for it to be
dropped before each block (Linux), so that every image comes from the disk.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from benchmarks.machine import describe
from bird_backend.datasets import Split
from bird_backend.experiments.augmenting import clean
from bird_backend.models import build_model
from bird_backend.specs import Training
from bird_backend.training import Classification, build_optimiser, choose_device, prepare
from bird_backend.training.device import autocast
from bird_backend.training.order import Order
from bird_backend.transfer.fine_tuning.loss import FineTuning


class Loop:
    """The training loop's own steps, to be timed a few at a time."""

    def __init__(self, name: str, split: Split, *, batch: int, side: int) -> None:
        self._training = Training(batch_size=batch)
        self._model = prepare(build_model(name, classes=10, seed=0, image_size=side), split.device).train()
        self._source, self._method, self._task = (
            clean(split, self._training, "folder:x"),
            FineTuning(),
            Classification(),
        )
        self._optimiser = build_optimiser(self._model, self._method, self._training)
        self._order, self._step, self._device = Order(len(split), batch, seed=0), 0, split.device
        self._chance = {"generator": torch.Generator(split.device), "cpu_generator": torch.Generator()}

    def run(self, steps: int) -> tuple[float, float]:
        """Seconds a step, of the clock and of the processor."""
        _wait(self._device)
        began, worked = time.perf_counter(), time.process_time()
        for _ in range(steps):
            rows = self._order.rows(self._step)
            images = self._source.batch(rows, student=self._model, progress=0.0, **self._chance)
            self._step += 1
            self._source.expect(self._order.rows(self._step))
            with autocast(self._device, self._training.precision):
                loss = self._method.losses(self._model, images, self._task)["loss"]
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self._optimiser.step()
        _wait(self._device)
        return (time.perf_counter() - began) / steps, (time.process_time() - worked) / steps


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
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--blocks", type=int, default=30)
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
            here = Split(images=torch.from_numpy(np.load(path)), labels=labels).to(device)
            mapped = Split(images=torch.from_numpy(np.load(path, mmap_mode="c")), labels=labels)
            pair = [
                Loop(name, split, batch=arguments.batch, side=arguments.side)
                for split in (here, mapped.to(device, streamed=True))
            ]
            for loop in pair:
                loop.run(3)
            blocks = []
            for _ in range(arguments.blocks):
                if arguments.forget:
                    forget(path)
                blocks.append([loop.run(arguments.steps) for loop in pair])
            usual, streamed = np.array(blocks).transpose(1, 2, 0)
            print(f"{name} at {arguments.side}, batch {arguments.batch}, {device}, n = {len(blocks)} blocks:")
            for kind, one, other in zip(("clock", "processor"), usual, streamed, strict=True):
                low, middle, high = np.quantile(other / one, [0.25, 0.5, 0.75])
                print(
                    f"  {kind}: {np.median(one):.3f} s a step, streamed {middle:.3f} of that ({low:.3f} to {high:.3f})"
                )


if __name__ == "__main__":
    main()
