"""What the corruptions do, beside the published script's figures, and what they cost.

    python -m benchmarks.corruptions --images zip:DIR/cifar100-small.zip --every 4 --reference DIR/reference.csv
    python -m benchmarks.corruptions --parts speed memory --image-size 224 --n 10 --threads 1

Prints, for every corruption and severity, mean absolute and RMS perturbation and mean shift of `--n` test images; then
microseconds an image for uint8 in and out, as median (minimum–maximum) of `--repeats` batches of as many images as an
evaluation corrupts at once; then the memory that corrupting a whole data set takes beyond the data set; and on a GPU
the seconds for 10,000 images × 19 × 5. `--parts` picks some of these, `--image-size` the size that images are brought
to. The glass blur is the published one (`faithful`) where it is compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.corruption_fidelity import Table, disturbance, exceeded, read_reference, reversed_pairs
from benchmarks.machine import describe
from benchmarks.memory import forget_peak, resident
from bird_backend.behaviours.trial import batch_size
from bird_backend.corruptions import CORRUPTIONS, SEVERITIES, source_of_constants
from bird_backend.corruptions.applying import corrupt
from bird_backend.datasets.registry import load_dataset
from bird_backend.seeds import derive_seed

WHOLE = 10_000
"""32×32 images; fewer of larger ones, by their pixels."""


def batch_of(images: Tensor) -> int:
    return batch_size(*images.shape[2:])


def generator(seed: int, name: str, severity: int, device: str) -> torch.Generator:
    return torch.Generator(device).manual_seed(derive_seed(seed, name, severity))


def every_cell() -> Iterator[tuple[str, int]]:
    return ((name, severity) for name in CORRUPTIONS for severity in SEVERITIES)


def settle(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def measure(images: Tensor, seed: int, *, faithful: bool = True) -> Table:
    """Every corruption and severity on uint8 images [N,3,H,W]."""
    return {
        (name, severity): disturbance(
            images,
            corrupt(
                images,
                name,
                severity,
                generator=generator(seed, name, severity, images.device.type),
                faithful=faithful,
            ),
        )
        for name, severity in every_cell()
    }


def compare(ours: Table, published: Table) -> None:
    """The two side by side; a cell that is too far off is named, and so are severities out of order."""
    print(f"{'':20} {'mean absolute':^24} {'RMS':^24} {'mean shift':^17}")
    print(f"{'':20} {'published':>9} {'ours':>7} {'ratio':>6} {'published':>9} {'ours':>7} {'ratio':>6} ", end="")
    print(f"{'published':>9} {'ours':>8}")
    missed = 0
    for (name, severity), mine in ours.items():
        if (name, severity) not in published:
            print(f"{name:18} {severity} is not in the reference")
            continue
        theirs = published[name, severity]
        far = exceeded(name, mine, theirs)
        missed += bool(far)
        remark = f"  too far: {', '.join(far)}" if far else ""
        if "mean_shift" in far:  # the published figure has an error of the same size
            remark += f" (standard error of the difference {2**0.5 * mine.chance:.5f})"
        print(
            f"{name:18} {severity} {theirs.mean_abs:9.5f} {mine.mean_abs:7.5f} {mine.mean_abs / theirs.mean_abs:6.3f} "
            f"{theirs.rms:9.5f} {mine.rms:7.5f} {mine.rms / theirs.rms:6.3f} "
            f"{theirs.mean_shift:9.5f} {mine.mean_shift:8.5f}{remark}"
        )
    print(f"{missed} of {len(ours)} too far.")
    for name in CORRUPTIONS:
        cells = [(name, severity) for severity in SEVERITIES if (name, severity) in published]
        pairs = reversed_pairs([ours[cell].mean_abs for cell in cells], [published[cell].mean_abs for cell in cells])
        for first, second, apart in pairs:
            print(f"{name}: severities {first} and {second} the other way round ({apart:.1%} apart as published)")


def show(ours: Table) -> None:
    """Ours alone."""
    print(f"{'':20} {'mean absolute':>13} {'RMS':>8} {'mean shift':>10}")
    for (name, severity), mine in ours.items():
        print(f"{name:18} {severity} {mine.mean_abs:13.5f} {mine.rms:8.5f} {mine.mean_shift:10.5f}")


def speed(images: Tensor, seed: int, repeats: int) -> None:
    """Microseconds an image for every corruption and severity, in an evaluation's batches; sums in milliseconds."""
    device, size = images.device.type, batch_of(images)
    batch = images.repeat(-(-size // len(images)), 1, 1, 1)[:size]
    times: dict[tuple[str, int], list[float]] = {cell: [] for cell in every_cell()}
    for repeat in range(repeats + 1):
        for name, severity in every_cell():
            chance = generator(seed + repeat, name, severity, device)
            settle(device)
            began = time.perf_counter()
            corrupt(batch, name, severity, generator=chance)
            settle(device)
            if repeat:  # the first is warm-up
                times[name, severity].append((time.perf_counter() - began) / size * 1e6)

    def row(title: str, cells: list[list[float]], digits: int) -> str:
        texts = (f"{statistics.median(c):.{digits}f} ({min(c):.{digits}f}–{max(c):.{digits}f})" for c in cells)
        return f"{title:18}" + "".join(f" {text:>19}" for text in texts)

    print(f"{'':18}" + "".join(f" {f'severity {severity}':>19}" for severity in SEVERITIES))
    for name in CORRUPTIONS:
        print(row(name, [times[name, severity] for severity in SEVERITIES], 1))
    sums = [
        [sum(times[name, severity][i] for name in CORRUPTIONS) / 1000 for i in range(repeats)]
        for severity in SEVERITIES
    ]
    print(row("all, ms an image", sums, 3))


def stream(images: Tensor, seed: int) -> None:
    """Every corruption and severity of all the images, a batch at a time, nothing kept."""
    for name, severity in every_cell():
        chance = generator(seed, name, severity, images.device.type)
        for first in range(0, len(images), batch_of(images)):
            corrupt(images[first : first + batch_of(images)], name, severity, generator=chance)


def whole(side: int) -> int:
    """How many images of a size have the pixels of `WHOLE` small ones."""
    return max(1, WHOLE * 32**2 // side**2)


def memory(seed: int, side: int) -> float:
    """MiB of resident memory at the peak of a stream of random images, beyond what was there before."""
    chance = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (whole(side), 3, side, side), generator=chance, dtype=torch.uint8)
    stream(images[:1], seed)
    before = resident("VmRSS")
    forget_peak()
    stream(images, seed)
    return resident("VmHWM") - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", default="fashion-mnist-small", help="a data set by name, folder:PATH or zip:PATH")
    parser.add_argument(
        "--every", type=int, default=1, help="every how many-th test image, in the order of their names"
    )
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--image-size", type=int, help="pixels of a side; the data set's own where none is named")
    parser.add_argument("--reference", type=Path, help="CSV: corruption, severity, mean_abs, rms, mean_shift")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=("fidelity", "speed", "memory", "whole"),
        default=["fidelity", "speed", "memory", "whole"],
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = load_dataset(arguments.images, image_size=arguments.image_size or "auto")
    images = data.test.images[:: arguments.every][: arguments.n].to(arguments.device)
    side, size = images.shape[-1], batch_of(images)
    where = f"{arguments.threads} threads" if arguments.device == "cpu" else torch.cuda.get_device_name()
    print(f"{describe()}, {where}")
    print(f"n = {len(images)} test images of {arguments.images}, {side}×{side}, seed {arguments.seed}")
    print(f"{source_of_constants(side)}\n")
    if "fidelity" in arguments.parts:
        ours = measure(images, arguments.seed)
        if arguments.reference:
            compare(ours, read_reference(arguments.reference))
        else:
            show(ours)
    if "speed" in arguments.parts:
        print(f"\nµs an image, uint8 in and out, batches of {size}; median (min–max) of {arguments.repeats}")
        speed(images, arguments.seed, arguments.repeats)
    if "memory" in arguments.parts and arguments.device == "cpu":
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            peak = pool.submit(memory, arguments.seed, side).result()
        print(
            f"\n{peak:.0f} MiB at the peak beyond {whole(side):,} images and the tables for their size, all corruptions"
            f" and severities, batches of {size}"
        )
    if "whole" in arguments.parts and arguments.device == "cuda":
        many = images.repeat(-(-whole(side) // len(images)), 1, 1, 1)[: whole(side)]
        stream(many[:size], arguments.seed)
        settle("cuda")
        began = time.perf_counter()
        stream(many, arguments.seed)
        settle("cuda")
        print(
            f"\n{time.perf_counter() - began:.2f} s for {len(many):,} images × {len(CORRUPTIONS)} × {len(SEVERITIES)}"
        )


if __name__ == "__main__":
    main()
