"""Stopping reaches whatever takes long, in between two batches of it, and a real run within a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import torch

from bird_backend.datasets import load_dataset
from bird_backend.errors import Cancelled
from bird_backend.evaluation import layer_features, measure_layer_map
from bird_backend.evaluation.answers import Respondent
from bird_backend.experiments import load_spec
from bird_backend.jobs import process
from bird_backend.models import build_model
from bird_backend.runs.store import RunStore
from bird_backend.stopping import check_stop, heeding

IMAGES = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)


def layer_map() -> None:
    model = build_model("cnn-small", classes=10, seed=0)
    features = layer_features(model, IMAGES, ("block1",))
    measure_layer_map(features, features, estimator="biased", kernel="linear")


LONG: dict[str, Callable[[], Any]] = {
    "an evaluation": lambda: Respondent(build_model("cnn-small", classes=10, seed=0), IMAGES[:1]).answer(IMAGES),
    "a snapshot": lambda: layer_features(build_model("cnn-small", classes=10, seed=0), IMAGES, ("block1",)),
    "a layer map": layer_map,
}


@pytest.mark.parametrize("what", LONG)
def test_what_takes_long_hears(what: str) -> None:
    stop = threading.Event()
    with heeding(stop):
        LONG[what]()
        stop.set()
        with pytest.raises(Cancelled):
            LONG[what]()
    LONG[what]()
    check_stop()


def test_data_that_is_read_hears() -> None:
    stop = threading.Event()
    stop.set()
    with heeding(stop), pytest.raises(Cancelled):
        load_dataset("digits", progress=lambda *_: check_stop())


@pytest.mark.parametrize("phase", ["Training", "Measuring"])
def test_a_request_in_the_table_alone_stops_a_run(
    phase: str, transfer_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that was made on another machine: there is no signal."""
    monkeypatch.setattr(process, "_LOOK_SECONDS", 0.05)
    epochs = 400 if phase == "Training" else 1
    document = transfer_document | {"training": transfer_document["training"] | {"epochs": epochs}}
    store = RunStore()
    run = store.create(load_spec(document | {"baseline": False}), state="running", device="cpu")
    asked = 0.0

    def watch(said: str, _fraction: float, _eta: float | None) -> None:
        nonlocal asked
        if said.startswith(phase) and not asked:
            asked = time.monotonic()
            store.request_cancel(run.id)
            time.sleep(0.2)  # the watcher looks meanwhile

    with pytest.raises(Cancelled):
        process.perform(run.id, device="cpu", on_progress=watch)
    assert time.monotonic() - asked < 5
    found = store.get(run.id)
    assert (found.state, found.pid) == ("cancelled", None)
    assert "resume it to go on" in str(found.reason)
