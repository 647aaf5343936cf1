"""BIRD's loss in a loop of one's own: the engine's numbers, one forward pass, nothing left behind, and any loop."""

from __future__ import annotations

import copy
import gc
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import bird_backend
from bird_backend import BirdLoss, cka
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.models import build_model
from bird_backend.transfer.bird import BirdSettings
from tests.conftest import ROOT
from tests.learnable import PAIRS, TASK, a_batch, cast

PAIR = ("0", "first")


class Net(nn.Module):
    """Counts its passes, and does what real networks do: ReLU in place after a layer, BatchNorm, a layer twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 5)
        self.norm = nn.BatchNorm1d(5)
        self.second = nn.Linear(5, 5)
        self.head = nn.Linear(5, 3)
        self.passes = 0

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        x = torch.relu_(self.first(x))
        x = self.second(self.second(self.norm(x)))
        return self.head(x)


@pytest.fixture
def x() -> Tensor:
    return torch.randn(12, 6, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def student() -> Net:
    torch.manual_seed(0)
    return Net()


@pytest.fixture
def teacher() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 2)).train()


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """A second pass of the student is a warning, hence an error in every test that does not ask for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def gradients(network: nn.Module) -> list[Tensor]:
    found = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return [gradient.clone() for gradient in found]


@pytest.mark.parametrize("weighting", ["fixed", "learned"])
def test_its_numbers_are_the_engines(weighting: str) -> None:
    settings = BirdSettings.model_validate(
        {"pairs": [pair.model_dump() for pair in PAIRS], "weighting": weighting, "alpha": 1.0, "beta": 0.7}
    )
    method, one, guide = cast(settings)
    other = copy.deepcopy(one)
    batch = a_batch(16)
    parts = method.losses(one, batch, TASK)
    parts["loss"].backward()  # type: ignore[no-untyped-call]

    bird = BirdLoss(other, guide, PAIRS, weighting="learned" if weighting == "learned" else "fixed")
    outputs = other(batch.inputs)
    representation_loss = bird(batch.inputs)
    (TASK.loss(outputs, batch) + 0.7 * representation_loss).backward()
    assert torch.equal(representation_loss, parts["representation_loss"])
    for ours, theirs in zip(gradients(other), gradients(one), strict=True):
        assert torch.equal(ours, theirs)
    assert len(list(bird.parameters())) == (weighting == "learned")
    if weighting == "learned":
        torch.testing.assert_close(gradients(bird), gradients(method))


def test_options_are_those_of_cka(student: Net, teacher: nn.Module, x: Tensor) -> None:
    teacher.eval()
    bird = BirdLoss(student, teacher, [PAIR], kernel="rbf", bandwidth=0.5, estimator="debiased")
    student(x)
    expected = 1 - cka(teacher[0](x), student.first(x), kernel="rbf", bandwidth=0.5, estimator="debiased")  # type: ignore[index]
    torch.testing.assert_close(bird(x), expected)
    other = BirdLoss(student, teacher, [PAIR], to_teacher=lambda batch: batch**3)
    student(x)
    torch.testing.assert_close(other(x), 1 - cka(teacher[0](x**3), student.first(x), estimator="biased"))  # type: ignore[index]
    both = BirdLoss(student, teacher, [("0", "first", 3.0), ("3", "second", 1.0)], pooling="flatten")
    student(x)
    near = 1 - cka(teacher[0](x), student.first(x), estimator="biased")  # type: ignore[index]
    hidden = student.norm(torch.relu(student.first(x)))
    far = 1 - cka(teacher(x), student.second(student.second(hidden)), estimator="biased")
    torch.testing.assert_close(both(x), 0.75 * near + 0.25 * far)


# Which pass the activations are of


def test_the_loops_own_pass_is_the_only_one(student: Net, teacher: nn.Module, x: Tensor) -> None:
    bird = BirdLoss(student, teacher, [PAIR])
    for _ in range(3):
        (student(x).sum() + bird(x)).backward()
    assert student.passes == 3


def test_another_tensor_is_never_taken_for_the_batch(student: Net, teacher: nn.Module, x: Tensor) -> None:
    bird, other = BirdLoss(student, teacher, [PAIR]), x.flip(0) * 2
    student(x)
    with pytest.warns(UserWarning, match="a second time"):
        found = bird(other)
    expected = 1 - cka(teacher[0](other), student.first(other), estimator="biased")  # type: ignore[index]
    torch.testing.assert_close(found, expected)
    assert student.passes == 2
    # Before the student, as a sum may be written: it runs the student, and keeps nothing of it for the next batch.
    (bird(x) + student(x).sum()).backward()
    (bird(other) + student(other).sum()).backward()
    assert student.passes == 6


def test_a_validation_pass_in_between_does_no_harm(student: Net, teacher: nn.Module, x: Tensor) -> None:
    bird = BirdLoss(student, teacher, [PAIR])
    with torch.no_grad():
        student.eval()(x)
        without = bird(x)
    assert not without.requires_grad
    assert student.passes == 1
    with torch.no_grad():
        student(x)
    with pytest.warns(UserWarning, match="gradients off"):
        assert bird(x).requires_grad


def test_a_hook_that_makes_the_input_ready_comes_after_ours(student: Net, teacher: nn.Module, x: Tensor) -> None:
    student.register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2,))
    bird = BirdLoss(student, teacher, [PAIR])
    student(x)
    expected = 1 - cka(teacher[0](x), student.first(2 * x), estimator="biased")  # type: ignore[index]
    torch.testing.assert_close(bird(x), expected)
    assert student.passes == 1


def test_a_layer_that_is_recomputed_in_the_backward_pass_is_not_caught_again(teacher: nn.Module, x: Tensor) -> None:
    class Recomputing(Net):
        def forward(self, x: Tensor) -> Tensor:
            hidden: Tensor = checkpoint(self.first, x, use_reentrant=False)
            return self.head(hidden)

    torch.manual_seed(0)
    student = Recomputing()
    bird = BirdLoss(student, teacher, [PAIR])
    for _ in range(2):
        student.zero_grad()
        (student(x).sum() + bird(x)).backward()
    found = gradients(student.first)
    student.zero_grad()
    (student.head(student.first(x)).sum() + 1 - cka(teacher[0](x), student.first(x), estimator="biased")).backward()  # type: ignore[index]
    torch.testing.assert_close(found, gradients(student.first))


def test_a_student_whose_layer_knows_no_gradients_is_refused(teacher: nn.Module, x: Tensor) -> None:
    class Reentrant(Net):
        def forward(self, x: Tensor) -> Tensor:
            return self.head(checkpoint(self.first, x.requires_grad_(), use_reentrant=True))

    student = Reentrant()
    bird = BirdLoss(student, teacher, [PAIR])
    student(x)
    with pytest.raises(InputError, match="use_reentrant=False"):
        bird(x)
    with torch.no_grad():
        student(x)
        assert not bird(x).requires_grad
    student.first.requires_grad_(False)  # frozen on purpose: there is nothing to move
    frozen = x.detach()
    student(frozen)
    bird(frozen)


def test_tokens_come_with_a_mask() -> None:
    class Reading(nn.Module):
        def __init__(self, seed: int) -> None:
            super().__init__()
            torch.manual_seed(seed)
            self.embed = nn.Linear(4, 5)

        def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
            return (self.embed(tokens) * mask[:, :, None]).sum(1)

    student, teacher = Reading(0), Reading(1)
    tokens = torch.randn(6, 3, 4, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True, True, False]] * 3 + [[True, False, False]] * 3)
    bird = BirdLoss(student, teacher, [("embed", "embed")])
    student(tokens, mask)
    means = [
        torch.stack([network.embed(row)[kept].mean(0) for row, kept in zip(tokens, mask, strict=True)])
        for network in (teacher, student)
    ]
    torch.testing.assert_close(bird(tokens, mask), 1 - cka(*means, estimator="biased"))


def test_a_layer_with_channels_last_is_pooled_over_its_places() -> None:
    class Last(nn.Module):
        def __init__(self, seed: int) -> None:
            super().__init__()
            torch.manual_seed(seed)
            self.patches = nn.Conv2d(3, 6, 4, stride=4)
            self.norm = nn.LayerNorm(6)
            self.head = nn.Linear(6, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.norm(self.patches(x).permute(0, 2, 3, 1)).mean((1, 2)))

    student, teacher = Last(0), Last(1)
    images = torch.randn(6, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    bird = BirdLoss(student, teacher, [("norm", "norm")])
    for _ in range(2):
        student(images)
        means = [
            network.norm(network.patches(images).permute(0, 2, 3, 1)).mean((1, 2)) for network in (teacher, student)
        ]
        torch.testing.assert_close(bird(images), 1 - cka(*means, estimator="biased"))
    torch.testing.assert_close(bird(images), 1 - cka(*means, estimator="biased"))


# What it leaves behind


def test_the_teacher_stays_as_it_was_and_out_of_sight(student: Net, teacher: nn.Module, x: Tensor) -> None:
    before = copy.deepcopy(teacher.state_dict())
    bird = BirdLoss(student, teacher, [PAIR])
    whole = nn.ModuleDict({"student": student, "bird": bird, "teacher": teacher}).train()
    for _ in range(2):
        (student(x).sum() + whole["bird"](x)).backward()
    assert not teacher.training
    assert all(parameter.grad is None for parameter in teacher.parameters())
    for name, tensor in teacher.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert list(bird.parameters()) == []
    assert bird.state_dict() == {}
    bird.double()
    assert next(teacher.parameters()).dtype == torch.float64, "it goes where the loss goes"


def test_hooks_go_with_the_loss(student: Net, teacher: nn.Module, x: Tensor) -> None:
    def hooks() -> int:
        return sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in student.modules())

    keys = list(student.state_dict())
    with BirdLoss(student, teacher, [PAIR]) as bird:
        assert hooks() == 3
        assert list(student.state_dict()) == keys
    assert hooks() == 0
    assert bird(x).requires_grad, "it goes on by running the student itself"
    dropped = BirdLoss(student, teacher, [PAIR, ("3", "second")])
    student(x)
    del dropped
    gc.collect()
    assert hooks() == 0


def test_copies_of_the_student_are_free_of_it(student: Net, teacher: nn.Module, x: Tensor) -> None:
    bird = BirdLoss(student, teacher, [PAIR])
    student(x)
    average = copy.deepcopy(student)
    content = io.BytesIO()
    torch.save(student, content)
    content.seek(0)
    stored = torch.load(content, weights_only=False)
    for other in (average, stored):
        other(x * 3)
    expected = 1 - cka(teacher[0](x), student.first(x), estimator="biased")  # type: ignore[index]
    torch.testing.assert_close(bird(x), expected)
    assert student.passes == 1
    both = copy.deepcopy(nn.ModuleDict({"student": student, "bird": bird}))
    both["student"](x)
    assert both["student"].passes == 2
    torch.testing.assert_close(both["bird"](x), expected)
    assert both["student"].passes == 2


# Whatever the loop does


def test_autocast_leaves_cka_in_float32(student: Net, teacher: nn.Module, x: Tensor) -> None:
    bird = BirdLoss(student, teacher, [PAIR])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        student(x)
        found = bird(x)
        theirs, own = teacher[0](x), student.first(x)  # type: ignore[index]
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, 1 - cka(theirs.float(), own.float(), estimator="biased"))


@pytest.mark.parametrize("first", ["compiled", "hooked"])
def test_a_compiled_student_gives_the_same(first: str, student: Net, teacher: nn.Module, x: Tensor) -> None:
    torch.compiler.reset()  # what other tests compiled of this class is used again, whatever hooks there are
    expected = 1 - cka(teacher.eval()[0](x), student.first(x), estimator="biased")  # type: ignore[index]
    if first == "compiled":
        compiled = torch.compile(student, backend="eager")
        compiled(x)
        bird = BirdLoss(compiled, teacher, [PAIR])  # type: ignore[arg-type]
    else:
        bird = BirdLoss(student, teacher, [PAIR])
        compiled = torch.compile(student, backend="eager")
    for _ in range(2):
        student.zero_grad()
        outputs = compiled(x)
        passes = student.passes
        with warnings.catch_warnings():
            if first == "compiled":  # torch may go on with what it compiled before there were hooks
                warnings.simplefilter("ignore")
            found = bird(x)
        assert first == "compiled" or student.passes == passes
        (0 * outputs.sum() + found).backward()
        torch.testing.assert_close(found, expected)
    assert student.first.weight.grad is not None and bool(student.first.weight.grad.any())


TWO = """
import json, sys
import torch
from torch import distributed, multiprocessing, nn
from bird_backend import BirdLoss

def networks():
    torch.manual_seed(0)
    student = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    teacher = nn.Sequential(nn.Linear(6, 4))
    return student, teacher, torch.randn(10, 6), torch.randint(0, 3, (10,))

def step(model, student, teacher, x, y):
    bird = BirdLoss(model, teacher, [("0", "1")])
    task = nn.functional.cross_entropy(model(x), y)
    loss = bird(x)
    (task + loss).backward()
    return [float(loss), *torch.cat([p.grad.flatten() for p in student.parameters()]).tolist()]

def rank(place, address, queue):
    distributed.init_process_group("gloo", init_method=address, rank=place, world_size=2)
    for split in (5, 7):
        student, teacher, x, y = networks()
        mine = slice(0, split) if place == 0 else slice(split, None)
        found = step(nn.parallel.DistributedDataParallel(student), student, teacher, x[mine], y[mine])
        queue.put((split, place, found))
    distributed.barrier()
    distributed.destroy_process_group()

if __name__ == "__main__":
    torch.set_num_threads(1)
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    workers = [context.Process(target=rank, args=(place, f"file://{sys.argv[1]}", queue)) for place in (0, 1)]
    for worker in workers:
        worker.start()
    found = [queue.get() for _ in range(4)]
    for worker in workers:
        worker.join()
    student, teacher, x, y = networks()
    print(json.dumps({"apart": found, "whole": step(student, student, teacher, x, y)}))
"""


def test_two_processes_see_the_batch_of_both(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", TWO, str(tmp_path / "meet")],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=120,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout.splitlines()[-1])
    whole = torch.tensor(found["whole"])
    assert len(found["apart"]) == 4
    for split, _, values in found["apart"]:
        loss, *rest = values
        assert loss == pytest.approx(float(whole[0]), abs=1e-6), "each process knows the loss of all images"
        if split == 5:  # where parts are alike, so is the mean of the task's losses
            torch.testing.assert_close(torch.tensor(rest), whole[1:], atol=1e-6, rtol=1e-5)


# What can't be


def test_what_can_not_be_is_said_in_a_sentence(student: Net, teacher: nn.Module) -> None:
    with pytest.raises(UnknownNameError, match="did you mean first"):
        BirdLoss(student, teacher, [("0", "frist")])
    with pytest.raises(UnknownNameError, match="layer of Sequential"):
        BirdLoss(student, teacher, [("nine", "first")])
    with pytest.raises(InputError, match="pairs"):
        BirdLoss(student, teacher, [])
    with pytest.raises(InputError, match="weight"):
        BirdLoss(student, teacher, [("0", "first", -1.0)])
    with pytest.raises(InputError, match="kernel"):
        BirdLoss(student, teacher, [PAIR], kernel="cubic")  # type: ignore[arg-type]


def test_nothing_of_torch_is_loaded_until_it_is_asked_for() -> None:
    code = "import sys, bird_backend; from bird_backend import __version__, errors; assert 'torch' not in sys.modules"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert said.returncode == 0, said.stderr
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = bird_backend.nothing  # type: ignore[attr-defined]


def test_a_network_of_the_catalogue_can_be_either_side() -> None:
    student = build_model("resnet-narrow", classes=3, seed=0)
    bird = BirdLoss(student, build_model("vit-tiny", classes=5, seed=1), [("block1", "block1")])
    images = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    student(images)
    assert 0 <= float(bird(images).detach()) <= 1
