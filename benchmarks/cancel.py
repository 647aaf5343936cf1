"""How long a run that measures accuracy under corruption goes on after it was asked to stop.

    python -m benchmarks.cancel --repeats 4

The demo with one epoch in a home of its own, cancelled some seconds into its evaluation; from the request until the run
table says that it has ended.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time

from benchmarks.machine import describe
from bird_backend import runs, settings
from bird_backend.experiments import load_spec
from bird_backend.runs.store import RunStore

_ACTIVE = ("queued", "running")


def phase_of(run_id: str) -> str:
    """What the run says that it is doing; nothing before it says anything."""
    try:
        said = json.loads((RunStore().get(run_id).directory.path / "progress.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    return str(said.get("phase", ""))


def once(seed: int, wait: float) -> float:
    """Seconds."""
    document = json.loads((settings.ASSETS / "examples/demo.json").read_text("utf-8"))
    document |= {"seed": seed, "baseline": False, "training": document["training"] | {"epochs": 1}}
    run = runs.submit(load_spec(document))
    runs.ensure_supervisor()
    while not phase_of(run.id).startswith("Measuring accuracy"):
        assert RunStore().get(run.id).state in _ACTIVE, RunStore().get(run.id).state
        time.sleep(0.05)
    time.sleep(wait)
    asked = time.monotonic()
    runs.cancel(run.id)
    while RunStore().get(run.id).state in _ACTIVE:
        time.sleep(0.01)
    assert RunStore().get(run.id).state == "cancelled", RunStore().get(run.id).state
    return time.monotonic() - asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4)
    arguments = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        os.environ["BIRD_HOME"] = home
        for repeat in range(arguments.repeats):
            print(f"{once(repeat, 0.5 + repeat):5.2f} s until cancelled", flush=True)


if __name__ == "__main__":
    main()
