"""A network that was converted computes what it did, at the size and in the way in which it was given its images."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision.models import GoogLeNet_Weights, ResNet18_Weights, googlenet, resnet18, shufflenet_v2_x0_5

from bird_backend import runs
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.jobs.process import perform
from bird_backend.models import build_model, load_model, save_weights
from bird_backend.models.foreign import published
from bird_backend.models.preprocessing import preprocessing_of
from bird_backend.models.skeletons import skeleton
from bird_backend.runs.checks import check_transfer
from bird_backend.runs.provenance import Provenance
from bird_backend.specs import IMAGENET_MEAN, IMAGENET_STD, OURS, ModelRef
from tests.converting import convert, open_at_once, refused, refused_beside, saved, small
from tests.own_networks import GOOD, name_of, write_network


@pytest.fixture(autouse=True)
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """But where a test is of the child."""
    if "child" not in request.keywords:
        open_at_once(monkeypatch)


def test_torchvisions_published_weights_compute_what_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs, weights = resnet18().eval(), ResNet18_Weights.IMAGENET1K_V1
    source = saved(tmp_path / "resnet18-f37072fd.pth", theirs.state_dict())
    monkeypatch.setattr(published, "_sha256", lambda _: "f37072fd" + "0" * 56)
    summary = convert(source)
    assert summary["model"] == "torchvision:resnet18"
    assert summary["published"] == "ResNet18_Weights.IMAGENET1K_V1"
    assert (summary["classes"][0], len(summary["classes"])) == ("tench", 1000)
    assert summary["trained_on"] == "ImageNet-1k"
    assert summary["preprocessing"] == {"mean": [*IMAGENET_MEAN], "std": [*IMAGENET_STD], "size": 224}

    ours, _ = load_model(ModelRef(model="torchvision:resnet18", weights="resnet18-f37072fd"), classes=None, seed=0)
    images = torch.randint(0, 256, (2, 3, 256, 256), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(weights.transforms()(images))
        batch = (images[..., 16:-16, 16:-16].float() / 255 - 0.5) / 0.25
        assert torch.allclose(ours.eval()(batch), expected, atol=1e-4)


def test_a_file_that_only_has_a_published_name_is_taken_for_nothing_more(tmp_path: Path) -> None:
    summary = convert(saved(tmp_path / "shufflenetv2_x0.5-f707e7126e.pth", shufflenet_v2_x0_5().state_dict()))
    assert (summary["published"], summary["weights"]) == (None, "shufflenetv2_x0.5-f707e7126e")
    said = " ".join([*summary["remarks"], *(each["said"] for each in summary["assumed"])])
    assert "its content is not torchvision's" in said
    assert "usually are with the mean 0.485 0.456 0.406 and the standard deviation 0.229 0.224 0.225" in said
    assert "224×224 pixels, as the network is usually given them" in said
    assert "would do for a small stem too" in said


def test_what_a_person_says_of_a_file_goes_before_what_is_usual(tmp_path: Path) -> None:
    theirs = shufflenet_v2_x0_5(num_classes=10).eval()
    source = saved(tmp_path / "x.pth", theirs.state_dict())
    known = {"data": "cifar10", "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.2, 0.3]}
    summary = convert(source, save_as="own-stem", **known)
    assert (summary["stem"], summary["image_size"], summary["classes"][0]) == ("own", 32, "airplane")
    ours, made = load_model(
        ModelRef(model="torchvision:shufflenet_v2_x0_5", weights="own-stem"), classes=10, seed=0, image_size=32
    )
    assert made is not None
    assert made.image_size >= 64  # so that it is built with its own stem
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(known[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        assert torch.allclose(ours.eval()((images - 0.5) / 0.25), theirs((images - mean) / std), atol=1e-4)

    summary = convert(source, save_as="small-stem", stem="small", **known)
    assert (summary["stem"], summary["image_size"]) == ("small", 32)
    changed, _ = load_model(
        ModelRef(model="torchvision:shufflenet_v2_x0_5", weights="small-stem"), classes=10, seed=0, image_size=32
    )
    shrunk = build_model("torchvision:shufflenet_v2_x0_5", classes=10, seed=0, image_size=32).eval()
    shrunk.load_state_dict(theirs.state_dict())
    with torch.no_grad():
        assert torch.allclose(changed.eval()((images - 0.5) / 0.25), shrunk((images - mean) / std), atol=1e-4)


def test_a_named_network_that_was_given_small_images_keeps_its_own_stem(tmp_path: Path) -> None:
    theirs = shufflenet_v2_x0_5(num_classes=10)
    for network, stem in (("torchvision:shufflenet_v2_x0_5", "own"), ("resnet18", "own")):
        model = theirs if "shuffle" in network else resnet18(num_classes=10)
        summary = convert(saved(tmp_path / f"{stem}.pth", model.state_dict()), model=network, image_size=40)
        assert (summary["model"], summary["stem"], summary["image_size"]) == (network, stem, 40)


def test_googlenet_is_prepared_once_as_its_published_weights_prepare_it_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its slow initialisation
        theirs = googlenet(transform_input=True, aux_logits=True, init_weights=False).eval()
    digest = GoogLeNet_Weights.IMAGENET1K_V1.url.rpartition("-")[2].removesuffix(".pth")
    monkeypatch.setattr(published, "_sha256", lambda _: digest + "0" * 56)
    summary = convert(saved(tmp_path / "g.pth", theirs.state_dict()))
    assert summary["published"] == "GoogLeNet_Weights.IMAGENET1K_V1"
    ours, _ = load_model(ModelRef(model="torchvision:googlenet", weights="g"), classes=None, seed=0)
    image = torch.randint(0, 256, (1, 3, 256, 256), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = theirs(GoogLeNet_Weights.IMAGENET1K_V1.transforms()(image))
        batch = (image[..., 16:-16, 16:-16].float() / 255 - 0.5) / 0.25
        torch.testing.assert_close(ours.eval()(batch), expected, atol=1e-3, rtol=1e-3)


def test_a_size_that_changes_tensors_is_said_or_asked_for(tmp_path: Path) -> None:
    theirs = build_model("vit-tiny", classes=10, seed=0, image_size=64)
    source = saved(tmp_path / "x.pth", theirs.state_dict())
    said = refused(source)
    assert "the closest being vit-tiny" in said
    assert "if its images had another size than 32, say it as image_size" in said
    summary = convert(source, image_size=64)
    assert (summary["model"], summary["image_size"]) == ("vit-tiny", 64)
    loaded, made = load_model(ModelRef(model="vit-tiny", weights="x"), classes=10, seed=1, image_size=64)
    assert made is not None
    assert made.image_size == 64
    assert torch.equal(loaded.get_parameter("stem.project.weight"), theirs.get_parameter("stem.project.weight"))


def test_converted_weights_see_images_as_they_did(tmp_path: Path) -> None:
    source = saved(tmp_path / "x.pth", small().state_dict())
    convert(source, image_size=48, mean=list(OURS.mean), std=list(OURS.std))
    model, _ = load_model(ModelRef(model="cnn-small", weights="x"), classes=10, seed=0, image_size=32)
    seen = preprocessing_of(model)
    assert seen is not None
    assert seen.size == 48


def test_weights_of_own_code_are_checked_against_the_network_that_is_named(tmp_path: Path) -> None:
    network = name_of(write_network(tmp_path / "code"))
    theirs = build_model(network, classes=10, seed=3)
    source = saved(tmp_path / "mine.pth", {"model": theirs.state_dict()})
    assert "of no network that is known here" in refused(source)
    summary = convert(source, model=network, data="digits")
    assert (summary["model"], summary["stem"], summary["image_size"]) == (network, None, 32)
    ours, made = load_model(ModelRef(model=network, weights="mine"), classes=10, seed=0)
    assert made is not None
    assert (made.image_size, made.preprocessing) == (32, None)
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(ours.eval()(images), theirs.eval()(images))
    other = saved(tmp_path / "other.pth", build_model("cnn-small", classes=10, seed=0).state_dict())
    assert refused_beside(other, model=network).startswith(f"other.pth doesn't fit {network}: 0 of ")


def test_code_that_a_file_names_is_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    path = write_network(tmp_path / "code", f"import pathlib\npathlib.Path({str(marker)!r}).touch()\n{GOOD}")
    network = name_of(path)
    theirs = build_model(network, classes=10, seed=3)
    save_weights(tmp_path / "mine.safetensors", theirs, made_by(network))
    marker.unlink()
    assert "of no network that is known here" in refused(tmp_path / "mine.safetensors")
    assert not marker.exists()
    assert convert(tmp_path / "mine.safetensors", model=network)["model"] == network


def made_by(network: str) -> Provenance:
    return Provenance(
        model=network,
        classes=tuple("0123456789"),
        data="digits",
        recipe={},
        seed=0,
        clean_accuracy=None,
        n_test=0,
        code_version="0",
        created="2026-01-01T00:00:00Z",
        role="teacher",
    )


@pytest.mark.parametrize(("name", "prefix"), [("convnext_atto", "module."), ("vit_tiny_patch16_224", "model.")])
def test_timms_networks_are_recognised_by_their_plainest_name(tmp_path: Path, name: str, prefix: str) -> None:
    state = skeleton(f"timm:{name}", classes=3, image_size=224)
    tensors = {f"{prefix}{key}": torch.zeros(meta.shape, dtype=meta.dtype) for key, meta in state.items()}
    summary = convert(saved(tmp_path / "x.pth", tensors))
    assert (summary["model"], len(summary["classes"]), summary["image_size"]) == (f"timm:{name}", 3, 224)


def test_a_teacher_of_a_thousand_classes_teaches_by_its_geometry_alone(
    tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    theirs = build_model("resnet-narrow", classes=1000, seed=0)
    convert(
        saved(tmp_path / "imagenet.pth", theirs.state_dict()), mean=[*IMAGENET_MEAN], std=[*IMAGENET_STD], image_size=40
    )
    document = transfer_document | {"teacher": {"model": "resnet-narrow", "weights": "imagenet"}}
    document["training"] = {"epochs": 1, "batch_size": 512, "lr": 0.05}
    document["evaluation"] = {"limit": 20}
    row = runs.RunStore().create(load_spec(document), state="running")
    summary = perform(row.id, device="cpu")
    assert summary["state"] == "done"
    with pytest.raises(InputError, match="imagenet knows the 1000 classes of unknown data, not those of Digits"):
        check_transfer(TransferSpec.model_validate(document | {"method": "soft-labels"}))
