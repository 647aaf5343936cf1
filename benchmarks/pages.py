"""How long each page takes to settle in a real browser, on a home with one finished demo.

    python -m benchmarks.pages --home DIR --repeats 5

Runs the demo first if the home has none. Seconds from navigation to a titled page that Streamlit has stopped working
on; the server is warm, the browser context is new each time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.browser import ROOT, chromium, serve, settle
from benchmarks.machine import describe
from bird_backend.runs import RunStore


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    os.environ["BIRD_HOME"] = str(arguments.home)
    if not RunStore().list(kind="transfer", states=("done",)):
        subprocess.run([sys.executable, "-m", "bird_backend", "run", "assets/examples/demo.json"], cwd=ROOT, check=True)
    run = RunStore().list(kind="transfer", states=("done",))[0].id
    paths = ["", "launch", *(f"{name}?run={run}" for name in ("live", "embeddings", "robustness")), "models"]
    print(describe())
    print(f"n = {arguments.repeats} each, after one that is not counted; seconds: min, median, max")
    with serve(arguments.home, 8791) as address, chromium() as browser:
        for path in paths:
            times = []
            for _ in range(arguments.repeats + 1):
                context = browser.new_context(viewport={"width": 1280, "height": 900})
                page = context.new_page()
                began = time.monotonic()
                page.goto(f"{address}/{path}")
                settle(page)
                times.append(time.monotonic() - began)
                context.close()
            counted = sorted(times[1:])
            name = path.partition("?")[0] or "overview"
            print(f"{name:12} {counted[0]:6.2f} {statistics.median(counted):6.2f} {counted[-1]:6.2f}")


if __name__ == "__main__":
    main()
