"""From the demo button to the result, as a person sees it: the app, a worker and a browser share the machine.

    python -m benchmarks.click --repeats 3 --warm 20

Each repeat has an empty home and a server that has been up for `--warm` seconds. Prints seconds from the click to the
run's page with its progress bar, to the first point of the CKA curve, to the finished table, and to the first UMAP.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.browser import chromium, serve, settle
from benchmarks.machine import describe

POINTS = """() => [...document.querySelectorAll('.chart')].some(
    (node) => /CKA/.test(node.getAttribute('aria-label') || '') && node.data?.some((trace) => trace.x?.length !== 0))"""


def once(warm: float) -> dict[str, float]:
    """One click."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        home = Path(folder)
        with serve(home, 8790) as address:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(address)
            settle(page)
            time.sleep(warm)
            began = time.monotonic()
            page.get_by_role("button", name="Run the demo transfer").click()
            page.wait_for_url(re.compile(r"/live\?.*run="), timeout=60_000)
            page.get_by_role("progressbar").first.wait_for(timeout=60_000)
            bar = time.monotonic() - began
            page.wait_for_function(POINTS, timeout=120_000)
            point = time.monotonic() - began
            umap = 0.0
            result = page.get_by_role("heading", name="Did it help?")
            while result.count() == 0:
                if not umap and any(home.glob("runs/*/artifacts/umap-*.npz")):
                    umap = time.monotonic() - began
                time.sleep(0.1)
            done = time.monotonic() - began
            return {"progress bar": bar, "first point": point, "first UMAP": umap, "result": done}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--warm", type=float, default=20)
    arguments = parser.parse_args()
    print(describe())
    results = [once(arguments.warm) for _ in range(arguments.repeats)]
    print(f"n = {len(results)}; seconds from the click: min, median, max")
    for key in results[0]:
        values = sorted(result[key] for result in results)
        print(f"{key:16} {values[0]:6.1f} {statistics.median(values):6.1f} {values[-1]:6.1f}")


if __name__ == "__main__":
    main()
