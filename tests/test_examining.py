"""A network that isn't in the catalogue is examined once; then its layers and its size are known without torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bird_backend import catalog
from bird_backend.cli import main
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.jobs.process import perform
from bird_backend.runs.checks import check_transfer
from bird_backend.runs.networks import examine_spec, image_size_of, network_facts
from bird_backend.runs.store import RunStore
from bird_backend.specs import ModelRef
from bird_backend.studies import plan_ablation, plan_methods
from tests.own_networks import GOOD, name_of, write_network


def examined(ref: ModelRef, image_size: int = 32) -> dict[str, Any]:
    """The summary of a run that looks at it."""
    return perform(RunStore().create(examine_spec(ref, image_size), state="running", device="cpu").id, device="cpu")


def transfer(document: dict[str, Any], own: str) -> TransferSpec:
    changes = {
        "student": {"model": own},
        "method": {"name": "bird", "pairs": [{"teacher": "block1", "student": "first"}]},
    }
    spec = load_spec(document | changes)
    assert isinstance(spec, TransferSpec)
    return spec


def test_it_finds_layers_parameters_and_multiply_adds(tmp_path: Path) -> None:
    ref = ModelRef(model=name_of(write_network(tmp_path)))
    assert network_facts(ref) is None
    summary = examined(ref)
    # Maps of 16×16 and 8×8: each convolution's weights are used once a pixel; ten classes, unless one says otherwise.
    assert summary["parameters"] == 3 * 8 * 9 + 8 + 8 * 16 * 9 + 16 + 16 * 10 + 10
    assert summary["multiply_adds"] == 3 * 8 * 9 * 256 + 8 * 16 * 9 * 64 + 16 * 10
    assert (summary["classes"], summary["classifier"], summary["problems"]) == (10, "head", [])
    facts = network_facts(ref)
    assert facts is not None
    assert [(layer.name, layer.shape) for layer in facts.outline] == [("first", (8, 16, 16)), ("second", (16, 8, 8))]
    assert [layer.name for layer in facts.layers] == [
        "first.0",
        "first.1",
        "first",
        "second.0",
        "second.1",
        "second",
        "head",
    ]
    assert facts.title == "make of net.py"
    assert network_facts(ref, 64) is None, "at another size it is to be looked at again"
    write_network(tmp_path, f"{GOOD}\n# changed")
    assert network_facts(ref) is None, "so it is when its code has changed"


def test_what_is_worth_knowing_is_said(tmp_path: Path) -> None:
    text = GOOD.replace(
        "return self.head(self.second(self.first(images)).mean((2, 3)))",
        "self.first(images); x = self.second(self.first(images)).mean((2, 3))\n"
        "        return torch.softmax(self.head(x) + torch.randn(1), 1) + 0 * images.mean()",
    )
    said = " ".join(examined(ModelRef(model=name_of(write_network(tmp_path, text))))["problems"])
    assert "methods that treat the head apart from the rest" in said
    assert "leave the softmax out" in said
    assert "Run several times for an image, and the last time counts: first." in said


def test_a_network_of_the_catalogue_has_the_layers_that_it_declares_at_any_size() -> None:
    ref = ModelRef(model="resnet-narrow")
    assert network_facts(ref) is catalog.find_model("resnet-narrow")
    guessed = network_facts(ref, 64)
    assert guessed is not None
    assert guessed.multiply_adds == pytest.approx(4 * catalog.find_model("resnet-narrow").multiply_adds, rel=0.01)
    examined(ref, 64)
    facts = network_facts(ref, 64)
    assert facts is not None
    assert facts.multiply_adds == pytest.approx(guessed.multiply_adds, rel=0.01)
    assert [(layer.name, layer.shape) for layer in facts.layers] == [
        ("stem", (16, 32, 32)),
        ("block1", (16, 32, 32)),
        ("block2", (32, 16, 16)),
        ("block3", (64, 8, 8)),
        ("pool", (64,)),
    ]


def test_the_stem_of_its_own_is_counted_from_64_pixels_on() -> None:
    facts = catalog.find_model("resnet18")
    assert facts.multiply_adds_at(64) == facts.multiply_adds_64 != 4 * facts.multiply_adds
    assert facts.multiply_adds_at(224) == pytest.approx(1.82e9, rel=0.02), "as is written of ResNet-18"
    assert catalog.find_model("vit").multiply_adds_at(224) == catalog.find_model("vit").multiply_adds


def test_list_layers_looks_at_a_network_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = name_of(write_network(tmp_path, GOOD.replace("    return Net(", "    print('made')\n    return Net(")))
    assert main(["list", "layers", name]) == 0
    said = capsys.readouterr().out
    assert "first.0" in said and "8×16×16" in said and "stands for its block" in said and "made" not in said
    assert main(["list", "layers", name, "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [layer["name"] for layer in listed if layer["classifier"]] == ["head"]
    assert len(RunStore().list()) == 1
    assert main(["list", "layers", name, "--image-size", "7"]) == 2
    assert "image_size: input should be a multiple of 8, not 7" in capsys.readouterr().err
    assert main(["list", "layers", "torchvision:resnet81"]) == 2
    assert "did you mean resnet18" in capsys.readouterr().err
    assert main(["list", "layers", name_of(write_network(tmp_path, "import nothing_such"))]) == 2
    assert "No module named 'nothing_such'" in capsys.readouterr().err


def test_a_transfer_is_checked_by_what_is_known_of_its_networks(
    tmp_path: Path, transfer_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = name_of(write_network(tmp_path))
    spec = transfer(transfer_document, own)
    assert image_size_of(spec) == 32
    check_transfer(spec)  # nobody knows its layers yet
    with pytest.raises(InputError, match="are not known yet, so none can be spread over; `list layers"):
        plan_ablation(spec, "layers", seeds=1)
    examined(spec.student)
    check_transfer(spec)
    assert {variant.value for variant in plan_ablation(spec, "layers", seeds=1).variants} >= {"block1 → first"}
    wrong = spec.model_dump(mode="json")
    wrong["method"]["pairs"][0]["student"] = "thrid"
    with pytest.raises(UnknownNameError, match=r"Unknown layer of file:.*'thrid'"):
        check_transfer(load_spec(wrong))  # type: ignore[arg-type] - a transfer
    tuned = load_spec(wrong | {"method": {"name": "fine-tuning"}})
    assert isinstance(tuned, TransferSpec) and tuned.drawn_pair is None, "the run finds the last block of each"
    with pytest.raises(InputError, match="`drawn` has to name the pair that the other methods compare"):
        plan_methods(tuned, methods=["bird"], seeds=1)
    monkeypatch.setenv("BIRD_NETWORKS", "")
    with pytest.raises(InputError, match="switched off here"):
        check_transfer(spec)


def test_the_size_of_images_is_what_names_say_or_what_was_read(
    tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    for label in ("ape", "bee"):
        (tmp_path / "own" / label).mkdir(parents=True)
        for index in range(10):
            Image.new("RGB", (24, 24), (index, 9, 9)).save(tmp_path / "own" / label / f"{index}.png")
    own = f"folder:{tmp_path / 'own'}"

    def side(**changes: Any) -> int:
        spec = load_spec(transfer_document | changes)
        assert isinstance(spec, TransferSpec)
        return image_size_of(spec)

    assert (side(data=own), side(data="torchvision:STL10")) == (64, 96), "the first is likely, for nobody has looked"
    inspection = RunStore().create(load_spec({"kind": "inspect", "data": own}), state="running", device="cpu")
    perform(inspection.id, device="cpu")
    assert (side(data=own), side(data=own, image_size=96)) == (24, 96)


def test_a_map_between_flattened_layers_is_judged_by_the_size_that_images_have(
    transfer_document: dict[str, Any],
) -> None:
    pair, network = {"teacher": "conv1", "student": "conv1"}, {"model": "resnet18"}
    method = {"name": "hints", "pooling": "flatten", "pairs": [pair]}
    huge = transfer_document | {"teacher": network, "student": network, "method": method}
    with pytest.raises(InputError, match="flattened would have 4,294,967,296 weights"):
        load_spec(huge)
    assert load_spec(huge | {"image_size": 16}), "a quarter of the pixels, which the run knows"
