"""Weights of other programs by their tensors' names and shapes: unwrapped, recognised, and compared with a network."""

from __future__ import annotations

import re

import pytest

from bird_backend import catalog
from bird_backend.catalog.signatures import body, fingerprint, signatures
from bird_backend.models.foreign.fitting import Fit, fit
from bird_backend.models.foreign.recognising import closest, exact
from bird_backend.models.foreign.signing import sign, together
from bird_backend.models.foreign.unwrapping import Shapes, groups, is_averaged, wrapping
from bird_backend.models.skeletons import skeleton


def shapes_of(network: str, prefix: str = "", *, classes: int = 7, image_size: int = 224) -> dict[str, tuple[int, ...]]:
    metas = skeleton(network, classes=classes, image_size=image_size)
    return {f"{prefix}{name}": tuple(meta.shape) for name, meta in metas.items()}


def recognised(shapes: Shapes, part: str | None = None) -> list[tuple[str, str]]:
    """Each prefix with the network that all tensors under it are of."""
    return [(found.group.prefix, found.signature.names[0]) for found in exact(groups(shapes, part))]


FAMILIES = {re.match(r"[a-z]+(_v\d)?", name)[0]: name for name in reversed(catalog.TORCHVISION)}  # type: ignore[index]


@pytest.mark.parametrize("name", sorted(FAMILIES.values()))
def test_a_network_of_each_family_has_the_signature_of_the_catalogue(name: str) -> None:
    shapes = shapes_of(f"torchvision:{name}")
    (found,) = exact(groups(shapes)[:1])
    assert f"torchvision:{name}" in found.signature.names
    assert found.signature.image_sizes[0] == 224
    marks = body(shapes, found.signature.heads)
    assert (len(marks), fingerprint(marks.values())) == (found.signature.tensors, found.signature.fingerprint)
    assert shapes[found.signature.heads[0]][0] == 7


def test_every_network_that_can_be_named_can_be_recognised() -> None:
    names = {name for signature in signatures() for name in signature.names}
    assert names >= {*catalog.models(), *(f"torchvision:{name}" for name in catalog.TORCHVISION)}


@pytest.mark.parametrize("name", ["resnet-narrow", "cnn-small", "vit-tiny", "vit", "alexnet", "densenet121"])
def test_the_networks_of_the_catalogue_are_recognised_with_their_small_stem(name: str) -> None:
    (found,) = exact(groups(shapes_of(name, image_size=32))[:1])
    assert name in found.signature.names
    assert 32 in found.signature.image_sizes
    made = together([sign(name, 32)])[0]
    assert (made.fingerprint, made.heads, made.sample) == (
        found.signature.fingerprint,
        found.signature.heads,
        found.signature.sample,
    )


def test_networks_that_share_their_names_are_told_apart_by_shapes() -> None:
    for name in ("resnet50", "wide_resnet50_2", "resnext50_32x4d"):
        assert recognised(shapes_of(f"torchvision:{name}")) == [("", f"torchvision:{name}")]
    small = exact(groups(shapes_of("resnet18", image_size=32)))[0].signature
    own = exact(groups(shapes_of("resnet18", image_size=224)))[0].signature
    assert small.names[0] == own.names[0] == "torchvision:resnet18"
    assert (small.image_sizes, own.image_sizes) == ((32,), (224,))


def test_a_network_whose_stems_differ_in_strides_alone_is_taken_with_its_own() -> None:
    (found,) = exact(groups(shapes_of("mobilenetv2", image_size=32))[:1])
    assert found.signature.names == ("torchvision:mobilenet_v2", "mobilenetv2")
    assert found.signature.image_sizes == (224, 32)


PREFIXES = (
    "state_dict.",
    "model_state_dict.",
    "model.",
    "net.",
    "module.",
    "_orig_mod.",
    "backbone.",
    "encoder.",
    "state_dict.module.model.",
    "model._orig_mod.module.backbone.",
)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_wrapping_is_taken_off(prefix: str) -> None:
    shapes = shapes_of("cnn-small", prefix, image_size=32)
    assert recognised(shapes) == [(prefix, "cnn-small")]
    (group,) = [group for group in groups(shapes) if group.prefix == prefix]
    assert group.sources["stem.0.weight"] == f"{prefix}stem.0.weight"


AVERAGED = ("ema", "model_ema", "state_dict_ema", "ema_model.module", "swa_model", "model.ema")


@pytest.mark.parametrize("averaged", AVERAGED)
def test_plain_weights_come_before_averaged_ones(averaged: str) -> None:
    assert is_averaged(f"{averaged}.")
    shapes = shapes_of("cnn-small", f"{averaged}.", image_size=32) | shapes_of("cnn-small", "net.", image_size=32)
    assert recognised(shapes) == [("net.", "cnn-small"), (f"{averaged}.", "cnn-small")]
    assert recognised(shapes, averaged) == [(f"{averaged}.", "cnn-small")]


@pytest.mark.parametrize("plain", ["schema.", "gemma.", "module.", "state_dict.", "student."])
def test_a_name_that_only_looks_like_an_average_is_none(plain: str) -> None:
    assert not is_averaged(plain)


def test_a_prefix_is_said_in_two_parts() -> None:
    assert wrapping("state_dict.module.", ["state_dict", "state_dict_ema"]) == ("state_dict", "module.")
    assert wrapping("module.", [""]) == ("", "module.")
    assert wrapping("a.b.", ["a", "a.b"]) == ("a.b", "")


def test_the_names_of_torchvisions_oldest_files_are_read() -> None:
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12])", r"\1.\2", name): shape
        for name, shape in shapes_of("torchvision:densenet121").items()
        if not name.endswith("num_batches_tracked")
    }
    assert recognised(old) == [("", "torchvision:densenet121")]
    vit = {
        name.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): shape
        for name, shape in shapes_of("torchvision:vit_b_16").items()
    }
    assert recognised(vit) == [("", "torchvision:vit_b_16")]


def compared(shapes: Shapes, network: str = "torchvision:resnet18", prefix: str = "") -> Fit:
    signature = sign(network, 224)
    (group,) = [group for group in groups(shapes) if group.prefix == prefix]
    others = {name: shape for name, shape in shapes.items() if not name.startswith(prefix)} if prefix else {}
    return fit(group, shapes_of(network, classes=10), signature.heads, others)


def test_what_fits_is_taken_with_its_classes() -> None:
    fitted = compared(shapes_of("torchvision:resnet18"))
    assert fitted.good
    assert (fitted.classes, fitted.likeness, fitted.remarks) == (7, 1.0, ())


def test_counters_that_old_files_lack_are_filled() -> None:
    shapes = {name: shape for name, shape in shapes_of("torchvision:resnet18").items() if "num_batches" not in name}
    assert recognised(shapes) == [("", "torchvision:resnet18")]
    fitted = compared(shapes)
    assert fitted.good
    assert fitted.remarks == ("20 BatchNorm counters (num_batches_tracked) were missing and are filled with 0",)
    assert next(name for name, source in fitted.sources.items() if source is None) == "bn1.num_batches_tracked"


@pytest.mark.parametrize(("home", "prefix"), [("fc.1", ""), ("head", "backbone."), ("classifier.0", "backbone.")])
def test_a_classifier_elsewhere_is_taken_where_there_is_only_one(home: str, prefix: str) -> None:
    shapes = {name: shape for name, shape in shapes_of("torchvision:resnet18", prefix).items() if "fc." not in name}
    shapes |= {f"{home}.weight": (5, 512), f"{home}.bias": (5,)}
    fitted = compared(shapes, prefix=prefix)
    assert fitted.good
    assert fitted.classes == 5
    assert fitted.sources["fc.weight"] == f"{home}.weight"
    assert fitted.remarks == (f"{home} was taken for the classifier fc",)


def test_a_projection_head_is_no_classifier() -> None:
    shapes = {name: shape for name, shape in shapes_of("torchvision:resnet18", "e.").items() if "fc." not in name}
    for layers in ({"p.0.weight": (64, 512), "p.0.bias": (64,), "p.2.weight": (8, 64)}, {"proj.weight": (64, 512)}):
        biases = {name.replace("weight", "bias"): shape[:1] for name, shape in layers.items()}
        fitted = compared(shapes | layers | biases, prefix="e.")
        assert fitted.headless
        assert fitted.missing == ("fc.weight", "fc.bias")


def test_classifiers_that_only_train_are_left_out_and_added_blocks_are_not() -> None:
    shapes = shapes_of("torchvision:googlenet") | {"aux1.fc1.weight": (9, 9), "n_averaged": ()}
    fitted = compared(shapes, "torchvision:googlenet")
    assert fitted.good
    assert "2 tensors that its output does not depend on were left out (aux1.fc1.weight, n_averaged)" in fitted.remarks
    assert not compared(shapes_of("torchvision:resnet18") | {"layer1.0.se.fc.weight": (4, 64)}).good


def test_what_does_not_fit_is_counted_and_named() -> None:
    shapes = shapes_of("torchvision:resnet18")
    shapes = {name: shape for name, shape in shapes.items() if not name.startswith("layer4.1.bn2")}
    shapes |= {"conv1.weight": (64, 3, 5, 5), "extra.weight": (2, 2)}
    (best, *_) = closest(groups(shapes))
    assert best.signature.names[0] == "torchvision:resnet18"
    fitted = compared(shapes)
    assert fitted.differences() == (
        "4 missing (layer4.1.bn2.weight, layer4.1.bn2.bias, layer4.1.bn2.running_mean and 1 more);"
        " 1 too many (extra.weight); 1 of another shape (conv1.weight is [64, 3, 5, 5], not [64, 3, 7, 7])"
    )
    assert 0.9 < fitted.likeness < 1


def test_nothing_is_closest_to_what_is_like_nothing() -> None:
    assert closest(groups({f"blocks.{index}.attn.qkv.weight": (96, 32) for index in range(9)})) == []


def test_fifty_thousand_tensors_are_looked_through_in_a_moment() -> None:
    shapes = {f"a{i % 7}.b{i % 50}.c{i}.weight": (i % 9, 3) for i in range(50_000)}
    found = groups(shapes)
    assert not exact(found)
    assert not closest(found)
