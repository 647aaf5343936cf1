"""The loop: exact resume, honest failure, and that each method moves what it says it moves."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from bird_backend.datasets import Split
from bird_backend.errors import Cancelled, InputError, RunError
from bird_backend.evaluation.snapshots import layer_features
from bird_backend.experiments.augmenting import Change, Drawn, TrainingImages
from bird_backend.models import build_model
from bird_backend.similarity import cka
from bird_backend.specs import Training
from bird_backend.training import train, training_mode, where_taken
from bird_backend.transfer import MethodSettings
from bird_backend.transfer.building import Networks, build_method
from bird_backend.transfer.fine_tuning import FineTuningSettings
from bird_backend.transfer.frozen import FrozenNetwork
from tests.learnable import CLASSES, SPECS, TASK, blobs, classes_of_teacher, noise


class Watcher:
    """An observer that remembers, and stops or spoils the run at a step."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        self.kept: list[dict[str, Any]] = []
        self.stop_at = stop_at
        self.started_at = 0

    @property
    def metrics_size(self) -> int:
        return len(self.kept)

    def rows(self, rows: list[dict[str, Any]]) -> None:
        self.kept += [{key: value for key, value in row.items() if key != "images_per_s"} for row in rows]

    def resumed(self, step: int, total: int) -> None:
        self.started_at = step

    def progress(self, step: int, total: int) -> None:
        if self.stop_at is not None and step >= self.stop_at:
            raise Cancelled("stop")

    def step_done(self, step: int, total: int) -> None: ...

    def epoch_done(self, epoch: int, step: int) -> None: ...

    def forked(self, step: int, total: int) -> None: ...

    def keep(self, step: int, total: int, write: Callable[[Path], None]) -> None: ...


def shift(images: Tensor, drawn: Drawn) -> Tensor:
    """A change that uses both generators."""
    noise = torch.randint(0, 20, images.shape, generator=drawn.generator, dtype=torch.uint8)
    return (images // 2 + noise).roll(int(torch.randint(3, (1,), generator=drawn.cpu_generator)), 3)


def attack(images: Tensor, drawn: Drawn) -> Tensor:
    """A change that depends on the student: one step up its loss, which leaves it as it was."""
    with training_mode(drawn.student, False):
        inputs = (images.float() / 64 - 2).requires_grad_()
        loss = nn.functional.cross_entropy(drawn.student(inputs), drawn.labels)
        (gradient,) = torch.autograd.grad(loss, inputs)
    return (images.float() + 8 * gradient.sign()).clamp(0, 255).to(torch.uint8)


def go(
    path: Path,
    method: MethodSettings,
    *,
    model: str = "cnn-small",
    watcher: Watcher | None = None,
    data: Split | None = None,
    shuffled: bool = False,
    change: Change = shift,
    **settings: Any,
) -> tuple[nn.Module, nn.Module, Watcher]:
    student = build_model(model, classes=CLASSES, seed=1)
    teacher = build_model("cnn-small", classes=classes_of_teacher(method.name), seed=2)
    watcher = watcher or Watcher()
    source = TrainingImages(data or blobs(), change)
    training = Training(**{"epochs": 3, "batch_size": 20, "lr": 0.05, "checkpoint_every": 3} | settings)
    train(
        student,
        build_method(
            method,
            Networks(
                teacher=FrozenNetwork(teacher, shuffled=shuffled),
                origin=FrozenNetwork(teacher),
                student=student,
                classifier="classifier",
                sample=source.sample(student),
            ),
            seed=3,
        ),
        source,
        training,
        task=TASK,
        seed=5,
        observer=watcher,
        checkpoint=path,
    )
    return student, teacher, watcher


def cut_and_resume(folder: Path, method: MethodSettings, **how: Any) -> None:
    """A run in one go and one that was stopped and went on: the same rows, weights and checkpoint, bit for bit."""
    whole, _, watched = go(folder / "whole", method, **how)
    first = Watcher(stop_at=7)
    with pytest.raises(Cancelled):
        go(folder / "cut", method, watcher=first, **how)
    first.stop_at = None
    resumed, _, again = go(folder / "cut", method, watcher=first, **how)
    assert again.started_at == 7
    assert again.kept == watched.kept
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    kept, expected = load_file(folder / "cut"), load_file(folder / "whole")
    assert kept.keys() == expected.keys()
    assert all(torch.equal(kept[name], expected[name]) for name in expected)


@pytest.mark.parametrize("method", list(SPECS))
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_resumed_run_is_bit_equal(tmp_path: Path, monkeypatch: Any, method: str, optimizer: str) -> None:
    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)
    # alexnet would do, for its dropout; this one has batch statistics and is fast.
    cut_and_resume(tmp_path, SPECS[method], optimizer=optimizer)


def test_a_run_with_a_shuffled_teacher_is_resumed_exactly(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)
    cut_and_resume(tmp_path, SPECS["bird"], shuffled=True)


def test_a_run_whose_images_depend_on_the_student_is_resumed_exactly(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)
    cut_and_resume(tmp_path, SPECS["fine-tuning"], model="resnet-narrow", change=attack)


def test_a_run_that_was_killed_repeats_the_steps_after_its_checkpoint(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)
    whole, _, watched = go(tmp_path / "whole", SPECS["bird"])
    killed = Watcher()

    def die(step: int, total: int) -> None:
        if step == 8:
            raise SystemError("as if killed")

    killed.step_done = die  # type: ignore[method-assign]
    with pytest.raises(SystemError):
        go(tmp_path / "cut", SPECS["bird"], watcher=killed)
    killed.step_done = lambda step, total: None  # type: ignore[method-assign]
    taken = where_taken(tmp_path / "cut")
    assert taken is not None
    assert taken.step == 6
    del killed.kept[taken.metrics_size :]  # as the run's writer does, once for all arms
    resumed, _, again = go(tmp_path / "cut", SPECS["bird"], watcher=killed)
    assert again.started_at == 6
    assert again.kept == watched.kept
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )


def test_dropout_is_resumed_exactly(tmp_path: Path, monkeypatch: Any) -> None:
    class Dropping(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.block3 = nn.Sequential(nn.Flatten(), nn.Linear(3072, 8), nn.Dropout(0.5))
            self.classifier = nn.Linear(8, 4)

        def forward(self, images: Tensor) -> Tensor:
            result: Tensor = self.classifier(self.block3(images))
            return result

    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)
    monkeypatch.setattr("tests.test_training.build_model", lambda *_, **__: copy.deepcopy(start))
    torch.manual_seed(0)
    start = Dropping()
    whole, _, _ = go(tmp_path / "whole", FineTuningSettings())
    torch.manual_seed(99)
    with pytest.raises(Cancelled):
        go(tmp_path / "cut", FineTuningSettings(), watcher=Watcher(stop_at=5))
    torch.manual_seed(123)
    resumed, _, _ = go(tmp_path / "cut", FineTuningSettings())
    assert all(
        torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )


def test_bird_raises_cka_and_fine_tuning_does_not(tmp_path: Path) -> None:
    # Labels without meaning, so that learning them gives no network a reason to look like the other.
    data = noise()

    def closeness(student: nn.Module, teacher: nn.Module) -> float:
        u = layer_features(teacher, data.images, ("block3",))["block3"]
        v = layer_features(student, data.images, ("block3",))["block3"]
        return float(cka(u, v))

    before = closeness(build_model("cnn-small", classes=4, seed=1), build_model("cnn-small", classes=7, seed=2).eval())
    bird = closeness(*go(tmp_path / "bird", SPECS["bird"], data=data, epochs=30)[:2])
    tuned_student, _, _ = go(tmp_path / "ft", SPECS["fine-tuning"], data=data, epochs=30)
    tuned = closeness(tuned_student, build_model("cnn-small", classes=7, seed=2).eval())
    assert bird > before + 0.05
    assert tuned < before + 0.02


def test_a_loss_that_is_not_a_number_ends_the_run_with_the_step(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"Training broke at step \d+: .*not a finite number; try a learning rate below"):
        go(tmp_path / "c", SPECS["fine-tuning"], lr=10.0, weight_decay=1.0, momentum=0.99, epochs=200)


def test_rows_before_a_broken_step_are_kept(tmp_path: Path) -> None:
    watcher = Watcher()
    with pytest.raises(RunError):
        go(tmp_path / "c", SPECS["bird"], watcher=watcher, lr=10.0, weight_decay=1.0, momentum=0.99, epochs=200)
    assert watcher.kept
    assert all(row["task_loss"] == row["task_loss"] for row in watcher.kept)


def test_a_batch_larger_than_the_data(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="larger than the 96 training images"):
        go(tmp_path / "c", SPECS["fine-tuning"], batch_size=97)


def test_a_damaged_checkpoint_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"not a checkpoint")
    with pytest.raises(RunError, match="can't be read"):
        go(tmp_path / "c", SPECS["fine-tuning"])


def test_cosine_starts_at_the_peak_and_ends_above_zero() -> None:
    rates = [Training(lr=0.5).rate(step, 10) for step in range(10)]
    assert rates[0] == 0.5
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 0.02
