"""A process that goes on with the next run of its study: what it shares, what it leaves alone, what a kill costs."""

from __future__ import annotations

import os
import signal
from typing import Any

import numpy as np
import pytest

from bird_backend import runs
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.experiments.sharing import Shared
from bird_backend.jobs.process import perform
from bird_backend.jobs.supervisor import Supervisor
from bird_backend.runs.processes import ProcessMark
from bird_backend.studies import Plan, Study, Variant, submit_study
from tests.test_jobs import until

pytestmark = pytest.mark.usefixtures("no_worker")
TIMES = ["t", "images_per_s"]


def study_of(document: dict[str, Any], *, betas: tuple[float, ...] = (0.9, 0.5), epochs: int = 1) -> Study:
    """One that trains BIRD at some betas, without fine-tuning beside it."""
    training = document["training"] | {"epochs": epochs, "checkpoint_every": 2}
    variants = [
        Variant(
            key=f"beta-{index}",
            label=f"BIRD {beta}",
            method="bird",
            overrides={"method": document["method"] | {"beta": beta}},
        )
        for index, beta in enumerate(betas)
    ]
    base = load_spec(document | {"training": training, "baseline": False})
    assert isinstance(base, TransferSpec)
    plan = Plan(title="t", preset="beta", base=base.model_dump(mode="json"), variants=tuple(variants), seeds=(0,))
    return submit_study(plan)


def now(run_id: str | None) -> runs.Run:
    assert run_id is not None
    return runs.RunStore().get(run_id)


def files(run: runs.Run) -> dict[str, bytes]:
    """Everything that a run found, by name: its arrays and weights."""
    return {path.name: path.read_bytes() for path in run.directory.artifacts.iterdir() if path.suffix == ".npz"}


def test_a_study_is_done_in_one_process_as_if_each_run_had_its_own(
    supervisor: Supervisor, transfer_document: dict[str, Any]
) -> None:
    study = study_of(transfer_document, betas=(0.9, 0.5, 0.1))
    started: set[int] = set()

    def done() -> bool:
        started.update(child.pid for child in supervisor.children.values())
        return all(run.state == "done" for run in runs.RunStore().get_many(study.run_ids).values())

    until(done, supervisor)
    assert len(started) == 1
    for run_id in study.run_ids:
        warm = now(run_id)
        assert (warm.attempts, warm.pid, warm.device) == (1, None, "cpu")
        log = warm.directory.log_tail()
        assert log.count("Loading data") == log.count("Done in") == 1, "each has its own log, and whole"
        alone = runs.RunStore().create(warm.spec, state="running", device="cpu")
        perform(alone.id, device="cpu")
        alone = now(alone.id)
        assert files(warm) == files(alone)
        frames = [runs.read_metrics(run.directory).drop(columns=TIMES) for run in (warm, alone)]
        assert frames[0].equals(frames[1])
        summaries = [
            {name: value for name, value in (run.summary or {}).items() if name not in ("run", "seconds")}
            for run in (warm, alone)
        ]
        for summary in summaries:
            summary.pop("images_per_second")
            assert summary["figures"]["bird"].pop("speed", None) is None
        assert summaries[0] == summaries[1]
        assert warm.identity == alone.identity


def test_runs_that_share_their_memory_find_the_same(transfer_document: dict[str, Any]) -> None:
    shared, store = Shared(2**28), runs.RunStore()
    specs = [
        load_spec(transfer_document | {"method": transfer_document["method"] | {"beta": beta}}) for beta in (0.9, 0.3)
    ]
    found = []
    for spec in specs:
        pair = []
        for kept in (shared, None):
            run = store.create(spec, state="running", device="cpu")
            perform(run.id, device="cpu", shared=kept)
            pair.append(files(run))
        assert pair[0] == pair[1]
        found.append(pair[0])
    assert found[0] != found[1]
    assert 0 < shared.used <= shared.limit


def test_a_kill_in_mid_study_costs_the_run_under_way_an_attempt_and_no_other(
    supervisor: Supervisor, transfer_document: dict[str, Any]
) -> None:
    study = study_of(transfer_document, epochs=8)
    first, second = (now(run_id) for run_id in study.run_ids)
    until((second.directory.checkpoint / "bird.safetensors").exists, supervisor)
    supervisor.tick()
    assert list(supervisor.children) == [second.id], "the supervisor knows what its child does now"
    kept = {path: path.read_bytes() for path in first.directory.path.rglob("*") if path.is_file()}
    os.killpg(supervisor.children[second.id].pid, signal.SIGKILL)
    until(lambda: now(second.id).state == "done", supervisor)
    assert (now(first.id).attempts, now(second.id).attempts) == (1, 2)
    assert kept == {path: path.read_bytes() for path in first.directory.path.rglob("*") if path.is_file()}
    rows = runs.read_metrics(second.directory)
    steps = rows[rows["type"] == "step"]["step"].astype(int).tolist()
    assert steps == list(range(1, len(steps) + 1))


def test_a_run_that_is_cancelled_or_fails_does_not_end_its_process_but_being_told_does(
    supervisor: Supervisor, transfer_document: dict[str, Any]
) -> None:
    study = study_of(transfer_document, betas=(0.9, 0.5, 0.1, 0.2), epochs=200)
    first, second, third, fourth = study.run_ids
    (now(second).directory.path / "spec.json").write_text("{", "utf-8")
    until(now(first).directory.metrics.exists, supervisor)
    child = supervisor.children[first]
    runs.cancel(first)
    until(now(third).directory.metrics.exists, supervisor)
    assert now(first).state == "cancelled"
    assert now(second).state == "failed" and "not whole JSON" in str(now(second).reason)
    supervisor.tick()
    assert supervisor.children == {third: child}
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) == 1
    assert (now(third).state, now(fourth).state) == ("cancelled", "queued")


# What is next


def process(pid: int = 1) -> ProcessMark:
    return ProcessMark(pid=pid, host="somewhere", since="once")


def close(run_id: str, **how: Any) -> runs.Run | None:
    return runs.RunStore().finish_and_take_next(run_id, "done", process=process(), device="cpu", **how)


def test_next_is_the_same_study_s_oldest_and_nobody_comes_between(transfer_document: dict[str, Any]) -> None:
    store = runs.RunStore()
    study = study_of(transfer_document)
    first, second = study.run_ids
    light = store.create(load_spec({"kind": "evaluate", "data": "digits", "model": {"model": "cnn-small"}}))
    assert store.claim_oldest(["cpu"]) == now(first)
    assert store.claim_oldest(["cpu"]) == now(light.id)
    taken = close(first)
    assert taken is not None and taken.id == second
    assert now(first).state == "done"
    found = now(second)
    assert (found.state, found.device, found.process, found.attempts) == ("running", "cpu", process(), 1)
    assert store.claim_oldest(["cpu"]) is None, "its device was never free"
    store.put_back(second, process(2))
    assert now(second).state == "running", "not another's to put back"
    store.put_back(second, process())
    assert (now(second).state, now(second).process, now(second).attempts) == ("queued", None, 0)


def test_a_stranger_s_run_that_is_older_comes_first(transfer_document: dict[str, Any]) -> None:
    store = runs.RunStore()
    stranger = store.create(load_spec(transfer_document))
    study = study_of(transfer_document)
    assert store.claim(study.run_ids[0])
    assert close(study.run_ids[0]) is None
    assert store.claim_oldest(["cpu"]) == now(stranger.id)


def test_a_run_of_no_study_and_another_study_s_have_no_next(transfer_document: dict[str, Any]) -> None:
    store = runs.RunStore()
    alone = store.create(load_spec(transfer_document), state="running", device="cpu")
    study_of(transfer_document)
    assert close(alone.id) is None
    other = study_of(transfer_document, betas=(0.2,))
    assert store.claim(other.run_ids[0])
    assert close(other.run_ids[0]) is None


def test_next_is_of_the_same_device(transfer_document: dict[str, Any]) -> None:
    study = study_of(transfer_document | {"device": "cuda:1"})
    assert runs.RunStore().claim(study.run_ids[0])
    assert close(study.run_ids[0]) is None


def test_a_process_that_has_just_taken_a_run_is_waited_for(transfer_document: dict[str, Any]) -> None:
    """Its lock comes a moment later; one that has gone on without closing a run does not keep it for ever."""
    store, clock = runs.RunStore(), [0.0]
    run_id = study_of(transfer_document | {"device": "auto"}, betas=(0.9,)).run_ids[0]
    assert store.claim(run_id)
    store.set_process(run_id, ProcessMark.mine(), device="cpu")
    supervisor = Supervisor(store=store, devices=[], clock=lambda: clock[0])
    supervisor.tick()
    assert now(run_id).state == "running"
    clock[0] = 1000.0
    supervisor.tick()
    assert now(run_id).state == "queued"


# What is kept


def test_what_was_used_longest_ago_goes_first() -> None:
    shared = Shared(10)
    made: list[str] = []

    def take(key: str, size: int) -> str:
        return shared.take(key, lambda: (made.append(key), key)[1], lambda _: size)

    take("a", 4)
    take("b", 4)
    take("a", 4)
    take("c", 4)
    assert made == ["a", "b", "c"]
    assert shared.find("b") is None and shared.find("a") == "a" and shared.used == 8
    take("huge", 11)
    assert shared.find("huge") is None and shared.find("a") == "a"
    take("whole", 10)
    assert shared.used == 10 and shared.find("a") is None
    nothing = Shared()
    assert nothing.take("x", lambda: np.zeros(1), lambda found: found.nbytes) is not None
    assert nothing.find("x") is None
