"""Neither the loop nor a method knows images: rows of tokens with padding train under every method that there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bird_backend.activations import pool
from bird_backend.specs import LayerPair, Training
from bird_backend.training import Batch, Classification, TransferMethod, train
from bird_backend.transfer import MethodSettings
from bird_backend.transfer.building import Networks, build_method
from bird_backend.transfer.frozen import FrozenNetwork
from tests.learnable import CLASSES, HEAD, SPECS, TASK
from tests.test_training import Watcher

VOCABULARY, LONGEST = 20, 9
PAIR = LayerPair(teacher="body", student="body")


class Reader(nn.Module):
    """A row of tokens, each seen by itself, averaged where it isn't padding."""

    def __init__(self, classes: int, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.embed = nn.Embedding(VOCABULARY, 12)
        self.body = nn.Sequential(nn.Linear(12, 16), nn.GELU())
        self.classifier = nn.Linear(16, classes)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        outputs: Tensor = self.classifier(pool(self.body(self.embed(tokens)), "mean", mask))
        return outputs


class Sentences:
    """Rows whose class is that of most of their tokens; `padding` stands where there are none."""

    def __init__(self, n: int = 64, padding: int = 0) -> None:
        generator = torch.Generator().manual_seed(0)
        self.targets = torch.arange(n) % CLASSES
        tokens = torch.randint(CLASSES, (n, LONGEST), generator=generator) * 4
        typical = torch.rand(n, LONGEST, generator=generator) < 0.7
        tokens = torch.where(typical, self.targets[:, None] * 4 + 1, tokens)
        lengths = torch.randint(2, LONGEST + 1, (n, 1), generator=generator)
        self.mask = torch.arange(LONGEST) < lengths
        self.tokens = torch.where(self.mask, tokens, torch.tensor(padding))
        self.device = torch.device("cpu")

    def __len__(self) -> int:
        return len(self.tokens)

    def expect(self, rows: Tensor) -> None:
        pass

    def batch(self, rows: Tensor, *, progress: float = 0.0, **_: Any) -> Batch:
        return Batch(inputs=self.tokens[rows], targets=self.targets[rows], mask=self.mask[rows], progress=progress)


def spec_of(name: str) -> MethodSettings:
    spec: Any = SPECS[name]
    return spec.model_copy(update={"pairs": (PAIR,)}) if hasattr(spec, "pairs") else spec


def cast(name: str, sample: Batch, *, shuffled: bool = False) -> tuple[TransferMethod, nn.Module]:
    teacher = Reader(CLASSES if name == "soft-labels" else 7, seed=2)
    student = Reader(CLASSES, seed=1).train()
    frozen = FrozenNetwork(teacher, shuffled=shuffled)
    method = build_method(
        spec_of(name),
        Networks(teacher=frozen, origin=FrozenNetwork(teacher), student=student, classifier=HEAD, sample=sample),
        seed=0,
    )
    return method, student


@pytest.mark.parametrize("name", list(SPECS))
def test_every_method_trains_on_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("bird_backend.training.loop._READ_SECONDS", 0.0)
    source, watcher = Sentences(), Watcher()
    method, student = cast(name, source.batch(torch.arange(2)))
    training = Training(epochs=8, batch_size=16, lr=0.1)
    train(student, method, source, training, task=TASK, seed=0, observer=watcher, checkpoint=tmp_path / "c")
    losses = [row["task_loss"] for row in watcher.kept]
    assert sum(losses[-4:]) < sum(losses[:4])


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("name", list(SPECS))
def test_what_stands_in_the_padding_is_no_matter(name: str, shuffled: bool) -> None:
    rows = torch.arange(24)
    found = []
    for padding in (0, 13):
        batch = Sentences(padding=padding).batch(rows)
        method, student = cast(name, batch, shuffled=shuffled)
        torch.manual_seed(0)
        found.append({part: float(value.detach()) for part, value in method.losses(student, batch, TASK).items()})
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_tasks_loss_is_float32_and_its_answers_say_how_sure_they_are() -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(6, CLASSES, generator=generator) * 3
    batch = Batch(inputs=torch.zeros(6, 1), targets=torch.arange(6) % CLASSES)
    task = Classification()
    expected = -outputs.log_softmax(1)[torch.arange(6), batch.targets].mean()
    torch.testing.assert_close(task.loss(outputs, batch), expected)
    assert task.loss(outputs.bfloat16(), batch).dtype == torch.float32
    said, sure = task.answers(outputs)
    assert torch.equal(said, outputs.argmax(1))
    torch.testing.assert_close(sure, outputs.softmax(1).amax(1))
    assert float(task.answers(torch.full((1, 3), torch.nan))[1]) == 0


def test_a_method_takes_the_loss_of_whatever_task_it_is_given() -> None:
    class Regression(Classification):
        def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
            return (outputs.float().mean(1) - batch.targets).square().mean()

    batch = Sentences().batch(torch.arange(16))
    for name in SPECS:
        method, student = cast(name, batch)
        expected = Regression().loss(batch.outputs(student), batch)
        torch.testing.assert_close(method.losses(student, batch, Regression())["task_loss"], expected)
