"""How long a pair takes: runs of a study in one warm process beside a process for each run, on the embedded networks.

    python -m benchmarks.pairs --pairs 6 --rounds 3

Both do the same runs, in turns, each round in a home of its own. Seconds are of the wall, and of the processor, which
tell what a busy machine would take with nothing else to do. What is shared has to be made once in either: the first
pair of a warm process is told apart from those after it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from benchmarks.machine import describe
from bird_backend import settings
from bird_backend.experiments import TransferSpec, load_spec, read_spec
from bird_backend.runs.store import RunStore
from bird_backend.studies import Plan, network_of, plan_pairs, submit_study

_TEACHERS = ("digits-robust-teacher", "digits-geometric-teacher", "digits-adversarial-teacher")


def first_pairs(base: TransferSpec, pairs: int) -> Plan:
    """The first so many pairs of the study of all of them."""
    whole = plan_pairs(base, teachers=[network_of(name) for name in _TEACHERS], layers="all")
    contenders = [variant for variant in whole.variants if variant.role == "contender"]
    return whole.model_copy(update={"variants": tuple(contenders[:pairs])})


def processor() -> float:
    """Seconds that children which have ended spent on it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def process(run_id: str) -> None:
    """A process as the supervisor starts it."""
    log = RunStore().get(run_id).directory.log.open("ab")
    with log:
        subprocess.run(
            [sys.executable, "-m", "bird_backend.jobs.process", run_id, "--device", "cpu"],
            check=True,
            stdout=log,
            stderr=log,
            cwd=settings.CODE,
        )


def alone(base: TransferSpec, pairs: int) -> list[float]:
    """Wall and processor seconds a pair, a process each."""
    plan = first_pairs(base, pairs)
    runs = RunStore().create_all([plan.spec(variant, seed) for variant, seed in plan.asked])
    began, used = time.monotonic(), processor()
    for run in runs:
        assert RunStore().claim(run.id)
        process(run.id)
    return [(time.monotonic() - began) / pairs, (processor() - used) / pairs]


def warm(base: TransferSpec, pairs: int) -> tuple[list[float], Sequence[float]]:
    """The same in one process, and each run's own seconds."""
    study = submit_study(first_pairs(base, pairs), start_worker=False)
    began, used = time.monotonic(), processor()
    first = RunStore().claim_oldest(["cpu"])
    assert first is not None
    process(first.id)
    took = [(time.monotonic() - began) / pairs, (processor() - used) / pairs]
    runs = RunStore().get_many(study.run_ids)
    return took, [float((runs[run_id].summary or {})["seconds"]) for run_id in study.run_ids]


def main() -> None:
    """Print each round, then medians and ranges."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 2) - 1))
    arguments = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": str(arguments.threads), "OMP_WAIT_POLICY": "PASSIVE"}
    base = load_spec(read_spec(settings.ASSETS / "examples" / "demo.json") | {"device": "cpu"})
    assert isinstance(base, TransferSpec)
    print(f"{describe()}, {arguments.threads} thread(s); load {os.getloadavg()[0]:.1f}")
    rounds: list[tuple[list[float], list[float]]] = []
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as home:
            os.environ["BIRD_HOME"] = home
            each = alone(base, arguments.pairs)
        with tempfile.TemporaryDirectory() as home:
            os.environ["BIRD_HOME"] = home
            together, runs = warm(base, arguments.pairs)
        rounds.append((each, together))
        own = ", ".join(f"{seconds:.1f}" for seconds in runs)
        print(f"a process each: {_say(each)}; a warm process: {_say(together)} (runs: {own} s)", flush=True)
    for place, name in enumerate(("a process each", "a warm process")):
        for index, what in enumerate(("wall", "processor")):
            values = sorted(found[place][index] for found in rounds)
            middle = statistics.median(values)
            spread = f"{values[0]:.1f} to {values[-1]:.1f}"
            print(f"{name}, {what}: {middle:.1f} s a pair ({spread}); 432 in {432 * middle / 3600:.2f} h")


def _say(took: Sequence[float]) -> str:
    return f"{took[0]:.1f} s a pair, {took[1]:.1f} s of processor"


if __name__ == "__main__":
    main()
