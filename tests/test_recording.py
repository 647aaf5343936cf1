"""A training of one's own is a run like any other, and neither notices the recorder nor breaks by it."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from bird_backend import record, runs
from bird_backend.activations import pool
from bird_backend.cli import main
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import load_spec
from bird_backend.exports import export_run
from bird_backend.jobs.supervisor import Supervisor
from bird_backend.recording import Recording
from bird_backend.recording.pending import Pending
from bird_backend.runs.provenance import list_weights, read_provenance
from bird_backend.runs.reading import SnapshotName, read_examples, read_predictions, read_probes, read_snapshot
from bird_backend.runs.store import RunStore
from bird_backend.similarity import cka
from tests.conftest import ROOT
from tests.pages import show, words

CLASSES = ("left", "right")


class Net(nn.Module):
    def __init__(self, width: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.features = nn.Sequential(nn.Conv2d(3, width, 3, stride=4), nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Linear(width, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x).mean((2, 3)))


@pytest.fixture
def images() -> Tensor:
    return torch.randint(0, 256, (24, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels() -> Tensor:
    return torch.arange(24) % 2


def the_run() -> runs.Run:
    (run,) = RunStore().list()
    return run


def rows(run: runs.Run, kind: str) -> list[dict[str, Any]]:
    return [row for row in runs.MetricsTail(run.directory.metrics).read() if row["type"] == kind]


def open_recording(images: Tensor, labels: Tensor, **more: Any) -> Recording:
    networks = {"student": Net(5, 0), "teacher": Net(7, 1)}
    return record(
        "mine",
        **{**networks, "layers": ("features", "features"), "probes": (images, labels), "classes": CLASSES} | more,
    )


# What is written


def test_what_is_logged_is_in_the_metrics_and_the_run_ends_well(images: Tensor, labels: Tensor) -> None:
    loss = torch.tensor(0.0)
    with open_recording(images, labels, settings={"beta": 0.9}, seed=3, steps_per_epoch=4, steps=8) as run:
        for step in range(8):
            loss += 1  # in place, as running means are: what counts is what it was
            run.log(step, task_loss=loss, lr=0.1)
            run.log(step, accuracy=np.float32(0.5))
        run.log(8, validation_accuracy=0.75, n=24)
        assert the_run().state == "running"
        assert the_run().directory.is_held()
    found = the_run()
    assert (found.state, found.title, found.kind, found.id) == ("done", "mine", "record", run.id)
    steps = rows(found, "step")
    assert [row["task_loss"] for row in steps] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert steps[5].items() >= {"step": 5, "epoch": 1.25, "lr": 0.1, "accuracy": 0.5, "arm": "model"}.items()
    (epoch,) = rows(found, "epoch")
    assert epoch.items() >= {"epoch": 2.0, "validation_accuracy": 0.75, "robust_accuracy": None, "n": 24}.items()
    assert len(runs.read_metrics(found.directory)) == 9
    assert found.summary is not None and found.summary["last_step"] == 8
    spec = load_spec(found.directory.read_spec())
    assert spec.model_dump()["settings"] == {"beta": 0.9}
    assert (spec.seed, spec.student, spec.teacher) == (3, "Net", "Net")  # type: ignore[attr-defined]
    progress = found.directory.read_progress()
    assert progress is not None and progress["phase"] == "Done"
    assert not found.directory.is_held()


def test_snapshots_are_the_geometry_of_both_networks_as_they_see_images(images: Tensor, labels: Tensor) -> None:
    mean, deviation = torch.tensor([0.5, 0.4, 0.3]).view(3, 1, 1), 0.2
    student, teacher = Net(5, 0).train(), Net(7, 1)
    student.features[1].eval()  # frozen statistics, as one keeps them
    before = copy.deepcopy(student.state_dict())

    def ready(x: Tensor) -> Tensor:
        return (x - mean) / deviation

    with open_recording(images, labels, student=student, teacher=teacher, transform=ready) as run:
        run.snapshot(0)
        with torch.no_grad():
            student.head.weight.add_(1)
            student.features[0].weight.add_(0.3 * torch.randn(5, 3, 3, 3, generator=torch.Generator().manual_seed(2)))
        run.snapshot(10)
    assert student.training and not student.features[1].training and student.head.training
    assert torch.equal(before["features.1.running_mean"], student.features[1].running_mean)
    found = the_run()
    assert runs.snapshots(found.directory) == [
        SnapshotName("model", 0),
        SnapshotName("model", 10),
        SnapshotName("teacher", 0),
    ]
    probes = read_probes(found.directory)
    assert probes is not None and probes["classes"].tolist() == list(CLASSES)
    shown = torch.from_numpy(probes["images"]).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        own = pool(student.eval().features(ready(shown)))
        theirs = pool(teacher.eval().features((shown - 0.5) / 0.25))
    assert rows(found, "snapshot")[1]["cka"] == pytest.approx(float(cka(theirs, own)), abs=1e-4)
    assert rows(found, "snapshot")[0]["cka"] != rows(found, "snapshot")[1]["cka"]
    drawn = read_snapshot(found.directory, SnapshotName("model", 10))
    np.testing.assert_allclose(drawn["features"], own, atol=2e-2)
    assert drawn["gram"].shape == (24, 24)


def test_an_evaluation_fills_the_tables(images: Tensor, labels: Tensor, capsys: pytest.CaptureFixture[str]) -> None:
    student, before = Net(5, 0), Net(5, 4)
    behaviour = {"name": "corruptions", "conditions": ["contrast", "spatter"], "strengths": [1, 5]}
    with open_recording(images, labels, student=student) as run:
        run.log(0, task_loss=1.0)
        run.snapshot(0)
        figures = run.evaluate(
            images.float() / 255, labels.numpy(), classes=CLASSES, behaviour=behaviour, beside={"before": before}
        )
        assert run.save_weights("file:net.py:Net", name="my-net") == "my-net"
    found = the_run()
    predictions = read_predictions(found.directory)
    assert predictions is not None and predictions.models == ("before", "model")
    with torch.no_grad():
        said = student.eval()(images.float() / 255 * 4 - 2).argmax(1)
    clean = figures["model"]["clean"]
    assert clean.value == pytest.approx(float((said == labels).float().mean()))
    assert clean.n == 24
    assert figures["model"]["gain_over_before"].n == 24
    assert figures["model"]["cka_after"].value == pytest.approx(rows(found, "snapshot")[0]["cka"])
    assert read_examples(found.directory) is not None
    weights, recipe = (Path(path) for path in export_run(found, "weights", found.directory.path))
    kept = read_provenance(weights)
    assert kept is not None
    assert (kept.model, kept.classes, kept.image_size, kept.n_test) == ("file:net.py:Net", CLASSES, 16, 24)
    assert kept.clean_accuracy == clean.value
    assert json.loads(recipe.read_text("utf-8"))["recipe"]["name"] == "mine"
    assert torch.equal(safetensors.torch.load_file(weights)["head.weight"], student.head.weight)
    assert [entry.name for entry in list_weights() if entry.origin == "home"] == ["my-net"]
    assert main(["status", found.id]) == 0
    shown = capsys.readouterr().out
    assert "Clean" in shown and "1 snapshots" in shown


# What can go wrong


def test_an_error_in_the_loop_fails_the_run_and_goes_on_its_way(images: Tensor, labels: Tensor) -> None:
    with pytest.raises(ZeroDivisionError), open_recording(images, labels) as run:
        run.log(0, task_loss=float("nan"), lr=0.1)
        raise ZeroDivisionError("division by zero")
    found = the_run()
    assert found.state == "failed"
    assert found.reason == "The training ended with ZeroDivisionError: division by zero"
    assert rows(found, "step")[0]["task_loss"] is None
    log = found.directory.log_tail()
    assert "task_loss is not a finite number" in log and "Traceback" in log
    with pytest.raises(KeyboardInterrupt), open_recording(images, labels):
        raise KeyboardInterrupt
    assert RunStore().list()[0].state == "cancelled"


def test_a_training_goes_on_when_its_run_can_not_be_written(
    images: Tensor, labels: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = False

    def open_metrics(path: Path, *arguments: Any, **named: Any) -> Any:
        if full and path.name == "metrics.jsonl":
            raise OSError(28, "No space left on device", str(path))
        return opened(path, *arguments, **named)

    opened = Path.open
    monkeypatch.setattr(Path, "open", open_metrics)
    with pytest.warns(UserWarning, match="No space left") as warned, open_recording(images, labels) as run:
        monkeypatch.setattr("bird_backend.recording.pending._LEAST_SECONDS", 0)
        monkeypatch.setattr("bird_backend.recording.pending._RATIO", 0)
        run._pending.wrote(time.monotonic())
        for step in range(6):
            full = step in (2, 3)
            run.log(step, task_loss=step)
    assert len(warned) == 1
    assert [row["step"] for row in rows(the_run(), "step")] == [0, 1, 2, 3, 4, 5], "what waited is written later"
    assert the_run().state == "done"


def test_what_is_asked_wrongly_is_said_at_once(images: Tensor, labels: Tensor) -> None:
    with pytest.raises(UnknownNameError, match="did you mean features"):
        open_recording(images, labels, layers=("featurs", "head"))
    with pytest.raises(InputError, match="before any normalisation"):
        open_recording(images.float(), labels)
    with pytest.raises(InputError, match="one for each of the 24 images"):
        open_recording(images, labels[:3])
    with pytest.raises(InputError, match="name"):
        record(" ")
    with record("plain") as run:
        for values, said in (
            ({"loss": torch.zeros(2)}, "one number"),
            ({"loss": "high"}, "one number"),
            ({"arm": 1}, "no name"),
            ({"validation_accuracy": 0.5}, "n images"),
        ):
            with pytest.raises(InputError, match=said):
                run.log(0, **values)  # type: ignore[arg-type]
        with pytest.raises(InputError, match="whole number"):
            run.log(-1, loss=1)
        with pytest.raises(InputError, match="needs record"):
            run.snapshot(0)
        with pytest.raises(InputError, match="no network"):
            run.evaluate(images, labels)
    with open_recording(images, labels) as run, pytest.raises(UnknownNameError, match="did you mean fog"):
        run.evaluate(images, labels, behaviour={"conditions": ["fogg"]})


def test_nobody_begins_stops_or_resumes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with record("mine") as run:
        assert run.id is not None
        for refused in (runs.cancel, runs.resume):
            with pytest.raises(InputError, match="a training of one's own"):
                refused(run.id)
        spec = the_run().directory.path / "spec.json"
    with pytest.raises(InputError, match="can't be begun"):
        runs.submit(the_run().spec)
    assert main(["run", str(spec)]) == 2
    assert "can't be begun" in capsys.readouterr().err
    assert len(RunStore().list()) == 1
    # A device that it trains on is free for the queue: a recording may be left open for days.
    model = {"model": "cnn-small"}
    waiting = runs.submit(load_spec({"kind": "pretrain", "data": "digits", "model": model, "device": "cpu"}))
    with record("another"):
        taken = RunStore().claim_oldest(["cpu"])
        assert taken is not None and taken.id == waiting.id


DYING = """
import sys, time
from bird_backend import record
run = record("mine").__enter__()
for step in range(10**6):
    run.log(step, loss=step)
    if step == 200:
        print(run.id, flush=True)
    time.sleep(0.005)
"""


def test_a_process_that_dies_leaves_all_that_it_had_written(home: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", DYING],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"BIRD_HOME": str(home)},
    )
    assert process.stdout is not None
    run_id = process.stdout.readline().strip()
    supervisor = Supervisor(store=RunStore(), devices=["cpu"])
    supervisor.tick()
    assert RunStore().get(run_id).state == "running"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    supervisor.tick()
    found = RunStore().get(run_id)
    assert (found.state, found.attempts) == ("failed", 1)
    assert found.reason == "The training that wrote it ended without a word; what it had written is kept."
    assert len(rows(found, "step")) > 20


# Where it must not be noticed


def test_tensors_wait_until_they_are_due_and_are_fetched_together(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    pending = Pending(clock=lambda: now)
    fetched: list[int] = []
    stack = torch.stack
    monkeypatch.setattr(torch, "stack", lambda parts: fetched.append(len(parts)) or stack(parts))
    for step in range(20):
        assert not pending.add(step, {"loss": torch.tensor(float(step)), "lr": 0.1})
    assert not fetched
    now = 0.6
    assert pending.add(20, {"loss": torch.tensor(20.0)})
    assert [values["loss"] for _, values in pending.take()] == list(range(20))
    assert fetched == [20]
    began, now = now, 0.7
    pending.wrote(began)
    now = 20.0
    assert not pending.add(21, {"loss": 1.0}), "a write that took a tenth of a second is paid back over twenty"
    now = 20.8
    assert pending.add(22, {"loss": 1.0})


@pytest.mark.parametrize("how", ["met", "said"])
def test_only_one_process_of_several_records(
    how: str, monkeypatch: pytest.MonkeyPatch, images: Tensor, labels: Tensor
) -> None:
    if how == "said":
        monkeypatch.setenv("LOCAL_RANK", "1")
    else:
        monkeypatch.setattr("torch.distributed.is_initialized", lambda: True)
        monkeypatch.setattr("torch.distributed.get_rank", lambda: 1)
    with open_recording(images, labels) as run:
        run.log(0, loss=1.0)
        run.snapshot(0)
        assert run.evaluate(images, labels) == {}
        assert run.id is None
    assert RunStore().list() == []


# On its page


def test_its_page_draws_it_and_offers_nothing_that_can_not_be_done(
    images: Tensor, labels: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.backend.data.ensure_worker", lambda **_: None)
    behaviour = {"name": "corruptions", "conditions": ["contrast"], "strengths": [1]}
    with open_recording(images, labels) as run:
        run.log(0, task_loss=1.0, sharpness=2.0)
        run.log(1, task_loss=0.9, sharpness=1.5, validation_accuracy=0.5, n=24)
        run.snapshot(1)
        assert run.id is not None
        page = show("live", run=run.id, x="epoch")
        assert not {button.key for button in page.button} & {"stop_run", "resume_run"}
        run.evaluate(images, labels, behaviour=behaviour)
    page = show("live", run=run.id, x="epoch")
    assert "Clean" in words(page)
    assert "sharpness" in json.dumps([element.proto.json for element in page.main.get("bidi_component")])
    results = show("robustness", run=run.id)
    assert not {button.key for button in results.button} & {"queue_seeds", "train_oracle"}
    with pytest.raises(ValueError, match="gone"), record("gone") as run:
        raise ValueError("it is gone")
    assert run.id is not None
    page = show("live", run=run.id)
    said = words(page)
    assert "it is gone" in said and "Resume" not in said
    assert not {button.key for button in page.button} & {"stop_run", "resume_run"}
