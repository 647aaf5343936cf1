"""How long one's own images take to be there: decoded the first time, mapped ever after.

    python -m benchmarks.own_images --images 60000 --side 32 --repeats 3

Noise as PNG files, in ten folders and in a zip, in a temporary home. Each start is a process of its own, timed from
`load_dataset` on (what Python and torch take to be imported is said apart); the files stay in the system's cache.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.machine import describe

_START = """
import json, sys, time
began = time.perf_counter()
from bird_backend.datasets import load_dataset
from bird_backend.experiments import load_spec
from bird_backend.runs.identity import identify
imported = time.perf_counter()
identify(load_spec({"kind": "inspect", "data": sys.argv[1]}))
identified, working = time.perf_counter(), time.process_time()
data = load_dataset(sys.argv[1])
loaded, worked = time.perf_counter(), time.process_time()
data.train.take(slice(128)).float().mean()
print(json.dumps({"import": imported - began, "identity": identified - imported, "load": loaded - identified,
    "load, of the processor": worked - working,
    "first batch": time.perf_counter() - loaded, "images": len(data.train) + len(data.validation) + len(data.test)}))
"""


def write(root: Path, images: int, side: int) -> dict[str, str]:
    """The same noise as a folder and as a zip; the names of both."""
    chance = np.random.default_rng(0)
    with zipfile.ZipFile(root / "images.zip", "w", zipfile.ZIP_STORED) as archive:
        for label in range(10):
            (root / "images" / f"class{label}").mkdir(parents=True)
        for index in range(images):
            content = io.BytesIO()
            Image.fromarray(chance.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(content, "PNG")
            name = f"class{index % 10}/{index:07d}.png"
            (root / "images" / name).write_bytes(content.getvalue())
            archive.writestr(name, content.getvalue())
    return {"folder": f"folder:{root / 'images'}", "zip": f"zip:{root / 'images.zip'}"}


def start(name: str, home: Path) -> dict[str, float]:
    """What one process that loads the data set took, in seconds."""
    done = subprocess.run(
        [sys.executable, "-c", _START, name],
        env=os.environ | {"BIRD_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        began = time.perf_counter()
        names = write(root, arguments.images, arguments.side)
        print(f"{arguments.images:,} PNGs of {arguments.side}×{arguments.side} in {time.perf_counter() - began:.0f} s")
        for kind, name in names.items():
            first = start(name, root / kind)
            again = [start(name, root / kind) for _ in range(arguments.repeats)]
            print(f"{kind}: first start {first['load']:.1f} s, {first['images']:,.0f} images")
            for part in ("load", "load, of the processor", "identity", "first batch", "import"):
                values = [each[part] for each in again]
                print(
                    f"  next starts, {part}: min {min(values):.2f}, median {statistics.median(values):.2f},"
                    f" max {max(values):.2f} s (n = {len(values)})"
                )


if __name__ == "__main__":
    main()
