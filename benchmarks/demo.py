"""How long the demo takes, as the command line runs it and as a person sees it.

    python -m benchmarks.demo --repeats 3

Each repeat has an empty home. Prints seconds from the start of the process to the first metrics row, to the end, and
the summary's images a second, with the minimum, median and maximum; and the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe

ROOT = Path(__file__).resolve().parent.parent


def once() -> dict[str, float]:
    """One run of the demo in a home of its own."""
    with tempfile.TemporaryDirectory() as home:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "bird_backend", "run", "assets/examples/demo.json", "--json"],
            cwd=ROOT,
            env=os.environ | {"BIRD_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        first = None
        while process.poll() is None and first is None:
            first = time.monotonic() - began if any(Path(home).glob("runs/*/metrics.jsonl")) else None
            time.sleep(0.02)
        output, _ = process.communicate()
        seconds = time.monotonic() - began
    summary = json.loads(output)
    return {"first point, s": first or seconds, "whole, s": seconds, "images/s": summary["images_per_second"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(describe())
    results = [once() for _ in range(arguments.repeats)]
    print(f"n = {len(results)}; min, median, max")
    for key in results[0]:
        values = sorted(result[key] for result in results)
        print(f"{key:16} {values[0]:8.1f} {statistics.median(values):8.1f} {values[-1]:8.1f}")


if __name__ == "__main__":
    main()
