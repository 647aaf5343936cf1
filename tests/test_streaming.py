"""Images that are too many for a device come to it batch by batch: the same ones, to the last bit."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from bird_backend.datasets import Ahead, Dataset, Split, place
from bird_backend.datasets.placing import room_on
from bird_backend.errors import InputError
from bird_backend.evaluation import choose_probes, measure_accuracy
from bird_backend.experiments.augmenting import clean
from bird_backend.models import build_model
from bird_backend.specs import Training
from bird_backend.training import Classification, train
from bird_backend.training.order import Order
from bird_backend.transfer.fine_tuning.loss import FineTuning
from tests.learnable import blobs
from tests.test_training import Watcher
from tests.trials import corrupting

CPU = torch.device("cpu")


def mapped(split: Split, path: Path) -> Split:
    """The same images out of a file, streamed."""
    np.save(path, split.images.numpy())
    return Split(images=torch.from_numpy(np.load(path, mmap_mode="c")), labels=split.labels, streamed=True)


def test_what_is_gathered_ahead_is_what_is_there(tmp_path: Path) -> None:
    split = blobs(60)
    ahead, rows = Ahead(mapped(split, tmp_path / "x.npy")), torch.tensor([3, 59, 0, 3])
    assert torch.equal(ahead.take(rows), split.images[rows])
    ahead.expect(rows)
    assert torch.equal(ahead.take(rows.clone()), split.images[rows])
    ahead.expect(torch.arange(10))
    assert torch.equal(ahead.take(rows), split.images[rows]), "another batch than was expected"
    here = Ahead(split)
    before = threading.active_count()
    here.expect(rows)
    assert threading.active_count() == before, "nothing to fetch"
    assert torch.equal(here.take(rows), split.images[rows])


def test_what_goes_wrong_meanwhile_is_said_where_the_batch_is_wanted(tmp_path: Path) -> None:
    ahead, rows = Ahead(mapped(blobs(20), tmp_path / "x.npy")), torch.tensor([20])
    ahead.expect(rows)
    with pytest.raises(IndexError):
        ahead.take(rows)


def test_each_epoch_has_every_example_once_in_another_order_fixed_by_the_seed() -> None:
    order = Order(11, 3, seed=5)
    epochs = [torch.cat([order.rows(3 * epoch + step) for step in range(3)]).tolist() for epoch in range(2)]
    assert all(len(set(rows)) == 9 and set(rows) <= set(range(11)) for rows in epochs)
    assert epochs[0] != epochs[1]
    assert Order(11, 3, seed=5).rows(4).tolist() == epochs[1][3:6], "from the middle, as a resumed run asks"
    assert Order(11, 3, seed=6).rows(0).tolist() != epochs[0][:3]


def trained(split: Split, folder: Path) -> bytes:
    folder.mkdir()
    student = build_model("cnn-small", classes=4, seed=1)
    settings = Training(epochs=2, batch_size=16, lr=0.1)
    train(
        student,
        FineTuning(),
        clean(split, settings, "folder:x"),
        settings,
        task=Classification(),
        seed=0,
        observer=Watcher(),
        checkpoint=folder / "c",
    )
    return b"".join(tensor.numpy().tobytes() for tensor in student.state_dict().values())


def test_a_training_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    split = blobs(50)
    assert trained(split, tmp_path / "here") == trained(mapped(split, tmp_path / "x.npy"), tmp_path / "streamed")


@pytest.mark.parametrize("limit", [None, 17])
def test_an_evaluation_is_the_same(tmp_path: Path, limit: int | None) -> None:
    split, model = blobs(40), build_model("cnn-small", classes=4, seed=0)
    found = [
        measure_accuracy(
            {"m": model}, each, trial=corrupting(["contrast"], (1, 5)), limit=limit, classes=("a", "b", "c", "d")
        )
        for each in (split, mapped(split, tmp_path / "x.npy"))
    ]
    for name, array in found[0].predictions.arrays().items():
        np.testing.assert_array_equal(array, found[1].predictions.arrays()[name])
    assert found[0].examples is not None and found[1].examples is not None
    for name, array in found[0].examples.arrays().items():
        np.testing.assert_array_equal(array, found[1].examples.arrays()[name])


def test_images_stay_where_they_are_where_there_is_no_room_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    split = blobs(24)
    data = Dataset(name="x", classes=("a", "b", "c", "d"), train=split, validation=split, test=split)
    assert not place(data, CPU).train.streamed and room_on(CPU) > 0
    monkeypatch.setenv("BIRD_IMAGE_MEMORY", "0.1")
    placed = place(data, CPU)
    assert placed.train.streamed and placed.test.streamed and placed.train.images is split.images
    assert torch.equal(
        choose_probes(placed, embedding=9, gram=4).images, choose_probes(data, embedding=9, gram=4).images
    )
    monkeypatch.setenv("BIRD_IMAGE_MEMORY", "much")
    with pytest.raises(InputError, match="is a number of MiB, not 'much'"):
        place(data, CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_batches_reach_a_gpu_whole_and_without_a_wait() -> None:
    split = blobs(96).to("cuda", streamed=True)
    ahead, order = Ahead(split), Order(96, 32, seed=0)
    found: list[tuple[Tensor, Tensor]] = []
    for step in range(12):
        rows = order.rows(step)
        ahead.expect(rows)
        torch.cuda.set_sync_debug_mode("error")
        try:
            found.append((rows, ahead.take(rows)))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert all(torch.equal(images.cpu(), split.images[rows]) for rows, images in found)
