"""A transfer between networks that the catalogue doesn't have, from top to bottom."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from app.backend import data
from bird_backend.errors import InputError
from bird_backend.experiments import load_spec
from bird_backend.jobs.process import perform
from bird_backend.models import load_model
from bird_backend.runs import RunDirectory
from bird_backend.runs.provenance import read_header
from bird_backend.runs.store import RunStore
from bird_backend.specs import ModelRef
from tests.own_networks import name_of, write_network
from tests.pages import show, words


def done(document: dict[str, Any]) -> tuple[RunDirectory, dict[str, Any]]:
    run = RunStore().create(load_spec(document), state="running", device="cpu")
    return run.directory, perform(run.id, device="cpu")


@pytest.fixture
def document(transfer_document: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """A network of a file teaches a small one of torchvision's, at 32 pixels."""
    own = name_of(write_network(tmp_path))
    return transfer_document | {
        "teacher": {"model": own},
        "student": {"model": "torchvision:shufflenet_v2_x0_5"},
        "method": {"name": "bird", "pairs": [{"teacher": "second.0", "student": "stage2.0"}]},
        "training": {"epochs": 1, "batch_size": 256, "lr": 0.05},
        "baseline": False,
        "evaluation": {"limit": 20},
    }


def test_a_network_of_a_file_teaches_one_of_torchvision(document: dict[str, Any]) -> None:
    directory, summary = done(document)
    assert summary["state"] == "done"
    assert summary["figures"]["bird"]["cka_after"]["value"] != summary["figures"]["before"]["cka_after"]["value"]
    weights = directory.artifacts / "student-bird.safetensors"
    made = read_header(weights).provenance
    assert made is not None
    assert (made.model, made.image_size, made.preprocessing) == ("torchvision:shufflenet_v2_x0_5", 32, None)
    model, _ = load_model(ModelRef(model=made.model, weights=str(weights)), classes=10, seed=0)
    with torch.no_grad():
        assert model.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert "stage2.0" in words(show("live", run=directory.path.name))
    assert RunStore().get(directory.path.name).title == (
        "BIRD: random make of net.py → random ShuffleNetV2 ×0.5 on Digits"
    )


def test_its_layers_are_mapped_and_its_teachers_weights_gone_on_from(document: dict[str, Any], tmp_path: Path) -> None:
    own = {"model": document["teacher"]["model"]}
    analyze = {"kind": "analyze", "data": "digits", "teacher": own, "student": {"model": "cnn-small"}, "images": 32}
    _, summary = done(analyze | {"device": "cpu"})
    assert summary["closest_pair"]["teacher"] in ("first", "second")
    going_on = document | {
        "student": own,
        "method": {"name": "lp-ft", "start": "teacher"},
        "drawn": {"teacher": "first", "student": "second"},
    }
    assert done(going_on)[1]["start"] == "teacher"


def test_where_no_pair_is_named_the_last_blocks_are_drawn(document: dict[str, Any]) -> None:
    directory, summary = done(document | {"method": {"name": "fine-tuning"}})
    assert summary["state"] == "done"
    assert data.drawn_pair(RunStore().get(directory.path.name)) == ("second", "conv5")
    assert {"snapshot-teacher-000000.npz", "probes.npz"} <= {path.name for path in directory.artifacts.iterdir()}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"method": {"name": "bird", "pairs": [{"teacher": "thrid", "student": "stage2.0"}]}},
            "Unknown layer of file:",
        ),
        (
            {
                "student": {"model": "torchvision:squeezenet1_1"},
                "method": {"name": "linear-probe"},
                "drawn": {"teacher": "first", "student": "features.3"},
            },
            "needs a network whose last layer is linear, with nothing after it, which torchvision:squeezenet1_1 is not",
        ),
        (
            {"student": {"model": "torchvision:maxvit_t"}, "image_size": 40},
            "maxvit_t halves an image five times .* takes 32, 48 and multiples of 32, not 40",
        ),
    ],
)
def test_what_cannot_be_is_a_sentence_before_anything_is_trained(
    document: dict[str, Any], changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        done(document | changes)
