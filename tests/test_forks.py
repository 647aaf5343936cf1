"""Forks: what goes on is what was there, bit by bit, and what may not be changed is said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from bird_backend import runs
from bird_backend.errors import InputError, RunError
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.jobs.process import perform
from bird_backend.runs import RunDirectory
from bird_backend.runs.forks import fork_points, forked_spec, parent_of, rates_at
from bird_backend.runs.identity import identify
from bird_backend.runs.kept import forget_after, keep, kept_of, used
from bird_backend.runs.provenance import read_provenance
from bird_backend.runs.reading import read_metrics, snapshots
from bird_backend.runs.store import Run
from bird_backend.studies import plan_methods

pytestmark = pytest.mark.usefixtures("_one_home")

STEPS = 20
"""Of each arm: two epochs of digits in batches of 128; snapshots at 0, 5, 10, 15 and 20."""
KEPT = [5, 10, 15, 20]


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forks") / "home"


@pytest.fixture
def _one_home(shared_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for all tests of this file, for the run that they fork."""
    monkeypatch.setenv("BIRD_HOME", str(shared_home))


@pytest.fixture
def parent(transfer_document: dict[str, Any]) -> Run:
    """A finished run."""
    found = runs.RunStore().list(states=("done",), text="the parent")
    if found:
        return found[-1]
    transfer_document["snapshots"]["count"] = 5
    return do(load_spec(transfer_document | {"title": "the parent"}))


def do(spec: Any) -> Run:
    """Do it here and now."""
    run = runs.RunStore().create(spec, state="running", device="cpu")
    perform(run.id, device="cpu")
    return runs.RunStore().get(run.id)


def rows_of(run: Run, arm: str | None = None) -> pd.DataFrame:
    """Every row but for what a clock said, in its order."""
    metrics = read_metrics(run.directory)
    metrics = metrics if arm is None else metrics[metrics["arm"] == arm].reset_index(drop=True)
    return metrics.drop(columns=["t", "images_per_s"])


def test_a_fork_that_changes_nothing_is_the_run_again_bit_by_bit(parent: Run) -> None:
    assert [(each.arm, each.step) for each in fork_points(parent.directory)] == [
        (arm, step) for arm in ("bird", "fine-tuning") for step in KEPT
    ]
    run = do(forked_spec(parent.directory, 10))
    pd.testing.assert_frame_equal(rows_of(run), rows_of(parent))
    for name in ("student-bird.safetensors", "student-fine-tuning.safetensors"):
        ours, theirs = (load_file(each.directory.artifacts / name) for each in (run, parent))
        for key, tensor in theirs.items():
            np.testing.assert_array_equal(ours[key], tensor, err_msg=key)
    for name in snapshots(parent.directory):
        ours, theirs = (dict(np.load(each.directory.artifacts / name.file)) for each in (run, parent))
        for key in theirs:
            np.testing.assert_array_equal(ours[key], theirs[key], err_msg=f"{name} {key}")
    assert run.summary is not None and parent.summary is not None
    assert run.summary["figures"] == parent.summary["figures"]
    assert rates_at(run.directory)[0] == rates_at(run.directory)[1]
    # And again from the fork's own, which knows where it began.
    again = do(forked_spec(run.directory, 15, arm="bird"))
    pd.testing.assert_frame_equal(rows_of(again), rows_of(parent))
    assert [each.step for each in fork_points(run.directory) if each.arm == "bird"] == [10, 15, 20]


def test_a_fork_needs_its_parent_no_more(parent: Run, transfer_document: dict[str, Any]) -> None:
    store = runs.RunStore()
    spec = forked_spec(parent.directory, 10, ["method.beta=0.2"])
    run = store.create(spec, state="running", device="cpu")
    away = parent.directory.path.with_name("away")
    parent.directory.path.rename(away)
    try:
        perform(run.id, device="cpu")
        with pytest.raises(InputError, match=r"from step 10 of which this would go on, is gone"):
            store.create(spec)
    finally:
        away.rename(parent.directory.path)
    ours, theirs = rows_of(run, "bird"), rows_of(parent, "bird")
    pd.testing.assert_frame_equal(ours[ours["step"] <= 10], theirs[theirs["step"] <= 10])
    assert not ours[ours["step"] > 10].equals(theirs[theirs["step"] > 10])
    # Fine-tuning knows no beta: its second half is as it was.
    pd.testing.assert_frame_equal(rows_of(run, "fine-tuning"), rows_of(parent, "fine-tuning"))
    known = parent_of(run.directory)
    assert known is not None and known.spec == parent.spec and known.steps == 10
    made = read_provenance(run.directory.artifacts / "student-bird.safetensors")
    assert made is not None and made.recipe["fork"]["run"] == parent.id and made.recipe["fork"]["step"] == 10
    assert run.title == "the parent, forked at step 10"


def test_a_fork_is_no_run_of_its_parents_family(parent: Run) -> None:
    plain, forked = identify(parent.spec), identify(forked_spec(parent.directory, 10))
    assert plain.family != forked.family and plain.digest != forked.digest
    assert identify(forked_spec(parent.directory, 10)) == forked
    assert identify(forked_spec(parent.directory, 5)).digest != forked.digest
    base = forked_spec(parent.directory, 10)
    with pytest.raises(InputError, match="can't be made of a fork"):
        plan_methods(base, seeds=2)


def test_more_epochs_of_a_finished_run(parent: Run) -> None:
    with pytest.raises(InputError, match=r"is the end of 2 epochs of 10 steps; .* training.epochs=3"):
        forked_spec(parent.directory, 20)
    run = do(forked_spec(parent.directory, 20, ["training.epochs=3", "baseline=false"]))
    rows = rows_of(run)
    steps = rows[rows["type"] == "step"]
    assert steps["step"].tolist() == list(range(1, 31))
    peak = run.spec.training.lr  # type: ignore[attr-defined]
    # The rate at the step from 20 to 21 is the one of a run of 30, by the cosine's own definition.
    assert steps["lr"].iloc[20] == pytest.approx(peak * 0.5 * (1 + np.cos(np.pi * 20 / 30)))
    assert steps["lr"].iloc[19] == pytest.approx(peak * 0.5 * (1 + np.cos(np.pi * 19 / 20)))
    assert rates_at(run.directory) == pytest.approx((0, steps["lr"].iloc[20]))


def test_another_method_and_other_layers(parent: Run) -> None:
    layers = '[{"teacher": "block2", "student": "block2"}]'
    run = do(forked_spec(parent.directory, 10, ["method.name=hints", f"method.pairs={layers}", "training.lr=0.02"]))
    rows = rows_of(run, "hints")
    steps = rows[rows["type"] == "step"].set_index("step")
    assert steps["task_loss"].notna().all() and list(steps.index) == list(range(1, 21))
    part = "representation_loss"
    assert steps.loc[:10, part].isna().all() and steps.loc[11:, part].notna().all()
    drawn = rows[rows["type"] == "snapshot"]
    # CKA of other layers is no beginning of this curve, which has its first point at the fork.
    assert drawn["step"].tolist() == [10, 15, 20]
    assert steps.loc[11, "lr"] == pytest.approx(0.02 * 0.5)
    twin = rows_of(run, "fine-tuning")
    twin_steps = twin[twin["type"] == "step"].set_index("step")
    assert twin_steps.loc[11, "lr"] == pytest.approx(0.02 * 0.5)
    assert twin_steps.loc[10, "lr"] == pytest.approx(rows_of(parent, "bird").query("step == 10")["lr"].dropna().iloc[0])


def test_a_death_after_the_fork_leaves_no_trace(parent: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = forked_spec(parent.directory, 10)
    run = runs.RunStore().create(spec, state="running", device="cpu")
    from bird_backend.training import loop  # noqa: PLC0415

    whole = loop.save_checkpoint

    def dies(path: Path, *arguments: Any, **options: Any) -> None:
        whole(path, *arguments, **options)
        raise RunError("the process is gone")

    monkeypatch.setattr(loop, "save_checkpoint", dies)
    with pytest.raises(RunError, match="gone"):
        perform(run.id, device="cpu")
    monkeypatch.setattr(loop, "save_checkpoint", whole)
    runs.resume(run.id)
    runs.RunStore().claim(run.id)
    perform(run.id, device="cpu")
    pd.testing.assert_frame_equal(rows_of(run), rows_of(parent))


def test_a_run_that_has_not_come_to_its_fine_tuning(parent: Run, tmp_path: Path) -> None:
    there = RunDirectory(parent.directory.path.with_name(parent.id[:-16] + "0" * 16))
    shutil.copytree(parent.directory.path, there.path)
    for file in [*there.kept.glob("fine-*"), *there.checkpoint.glob("fine-*")]:
        file.unlink()
    try:
        spec = forked_spec(there, 10, ["method.beta=0.2"])
        assert spec.baseline and spec.fork is not None and spec.fork.twin is None
        assert not forked_spec(there, 10, ["training.lr=0.02"]).baseline
        with pytest.raises(InputError, match="nothing fair to compare with"):
            forked_spec(there, 10, ["training.lr=0.02", "baseline=true"])
    finally:
        shutil.rmtree(there.path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["data=fashion-mnist-small"], "keeps data as it is"),
        (["seed=1"], "keeps seed as it is"),
        (["training.batch_size=64"], "keeps training.batch_size as it is"),
        (["student.model=resnet-narrow"], "no block1|keeps student|layer"),
        (["method=none"], "trains nothing"),
        (["training.epochs=1"], "is the end of 1 epochs of 10 steps"),
        (["method.beta=-1"], "method"),
    ],
)
def test_what_a_fork_may_not_change(parent: Run, changes: list[str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        forked_spec(parent.directory, 10, changes)


def test_steps_that_are_not_kept_and_checkpoints_that_are_others(parent: Run) -> None:
    with pytest.raises(InputError, match=r"no checkpoint of step 12 of bird; the nearest are 5, 10, 15, 20"):
        forked_spec(parent.directory, 12)
    with pytest.raises(InputError, match="no checkpoint of hints"):
        forked_spec(parent.directory, 10, arm="hints")
    document = forked_spec(parent.directory, 10).model_dump(mode="json")
    document["fork"]["checkpoint"] = "0" * 64
    before = len(list(parent.directory.path.parent.iterdir()))
    with pytest.raises(InputError, match="no longer the one of the spec"):
        runs.RunStore().create(load_spec(document))
    assert len(list(parent.directory.path.parent.iterdir())) == before


def write(size: int) -> Any:
    return lambda path: path.write_bytes(b"x" * size)


def test_kept_checkpoints_stay_within_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path))
    monkeypatch.setenv("BIRD_KEPT_CHECKPOINTS", "1")
    quarter = 2**18
    first, second = (RunDirectory(tmp_path / "runs" / name) for name in ("a", "b"))
    for step in range(10, 170, 10):
        keep(first, "bird", step, write(quarter // 4))
    # Thinned to what a quarter of the limit holds, spread over the steps, the last among them.
    steps = [each.step for each in kept_of(first)]
    assert len(steps) == 4 and steps[-1] == 160 and max(np.diff([0, *steps])) <= 70
    for step in (1, 2, 3):
        keep(second, "bird", step, write(quarter // 3))
    for name in "cd":
        keep(RunDirectory(tmp_path / "runs" / name), "bird", 1, write(quarter))
    assert used() <= 2**20
    keep(RunDirectory(tmp_path / "runs" / "e"), "bird", 1, write(quarter))
    assert used() <= 2**20
    # The run that was written longest ago has lost its own, the newest nothing.
    assert not kept_of(first) and kept_of(RunDirectory(tmp_path / "runs" / "e"))
    forget_after(second, "bird", 1)
    assert [each.step for each in kept_of(second)] in ([], [1])
    monkeypatch.setenv("BIRD_KEPT_CHECKPOINTS", "0")
    keep(second, "bird", 9, write(1))
    assert 9 not in [each.step for each in kept_of(second)]
    monkeypatch.setenv("BIRD_KEPT_CHECKPOINTS", "much")
    with pytest.raises(InputError, match="number of MiB"):
        used() and keep(second, "bird", 9, write(1))


def test_the_command(
    parent: Run, transfer_document: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from bird_backend.cli.main import main  # noqa: PLC0415

    monkeypatch.setattr(runs, "ensure_supervisor", lambda: None)
    assert main(["fork", parent.id, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [each["step"] for each in listed["steps"] if each["arm"] == "bird"] == KEPT
    assert 0 < listed["kept_bytes"] <= listed["used_bytes"] <= listed["limit_bytes"]
    assert main(["fork", parent.id, "--step", "10", "--set", "training.epochs=4", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["fork"]["rate_before"] == pytest.approx(0.025) and made["fork"]["rate_after"] > 0.04
    spec = runs.RunStore().get(made["run"]).spec
    assert isinstance(spec, TransferSpec) and spec.fork is not None and spec.fork.step == 10
    runs.cancel(made["run"])
    assert main(["fork", parent.id, "--step", "11"]) == 2
    assert "nearest are" in capsys.readouterr().err
