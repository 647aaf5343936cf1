"""What a transfer is held against: only what was trained and measured under the same conditions."""

from __future__ import annotations

from typing import Any

import pytest

from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.runs.companions import find_companions, oracle_of
from bird_backend.runs.store import Run, RunStore
from bird_backend.studies import plan_methods, submit_study
from tests import synthetic
from tests.study_runs import small

ORACLE = {"method": {"name": "oracle"}, "baseline": False}


def run_of(**changes: Any) -> Run:
    return RunStore().create(load_spec(synthetic.transfer_document(**changes)))


def found(run: Run) -> str | None:
    oracle = find_companions(run).oracle
    return None if oracle is None else oracle.id


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 1},
        {"data": "digits"},
        {"data": "fashion-mnist-small#0-4"},
        {"training": {"epochs": 5}},
        {"evaluation": {"limit": 10}},
        {"student": {"model": "cnn-small"}},
    ],
    ids=str,
)
def test_another_condition_is_no_ceiling(changes: dict[str, Any]) -> None:
    run = run_of()
    run_of(**ORACLE, **changes)
    assert found(run) is None
    same = run_of(**ORACLE)
    assert found(run) == same.id


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Mine"},
        {"baseline": True},
        {"teacher": {"model": "cnn-small"}},
        {"snapshots": {"count": 3}},
        {"device": "cpu"},
    ],
    ids=str,
)
def test_what_the_oracle_does_not_depend_on_may_differ(changes: dict[str, Any]) -> None:
    run = run_of()
    oracle = run_of(**(ORACLE | changes))
    assert found(run) == oracle.id


def test_every_field_of_a_transfer_is_a_condition_or_named_as_none() -> None:
    """A field to come counts as a condition until somebody says otherwise."""
    from bird_backend.runs.companions import _APART  # noqa: PLC0415

    assert set(TransferSpec.model_fields) >= _APART
    assert {"data", "student", "training", "seed", "evaluation"} <= set(TransferSpec.model_fields) - _APART


def test_failed_oracles_are_none_and_one_that_is_done_comes_before_one_that_waits() -> None:
    run, failed = run_of(), run_of(**ORACLE)
    RunStore().finish(failed.id, "failed", reason="The disk is full.")
    assert found(run) is None
    done = run_of(**ORACLE)
    RunStore().claim(done.id)
    RunStore().finish(done.id, "done", summary={})
    waiting = run_of(**ORACLE)
    assert found(run) == done.id
    assert found(waiting) is None, "it is a ceiling itself"


def test_fine_tuning_is_looked_for_where_a_run_has_none_and_begins_with_the_student() -> None:
    run, with_own = run_of(baseline=False), run_of()
    other = run_of(method={"name": "fine-tuning", "start": "teacher"})
    tuned = run_of(method={"name": "fine-tuning"}, title="tuned")
    for each in (other, tuned):
        RunStore().claim(each.id)
        RunStore().finish(each.id, "done", summary={})
    companion = find_companions(run).fine_tuning
    assert companion is not None and companion.id == tuned.id
    assert find_companions(with_own).fine_tuning is None


@pytest.mark.usefixtures("no_worker")
def test_a_studys_oracle_is_the_one_that_its_page_would_ask_for() -> None:
    study = submit_study(plan_methods(small(), methods=["bird", "oracle"], seeds=2))
    for seed in study.seeds:
        bird, oracle = (
            RunStore().get(member.run or "")
            for key in ("bird", "oracle")
            for member in study.members
            if (member.variant, member.seed) == (key, seed)
        )
        spec = bird.spec
        assert isinstance(spec, TransferSpec)
        same = RunStore().find_same(oracle_of(spec))
        assert same is not None and same.id == oracle.id
        assert found(bird) == oracle.id
