"""The torch-free facts about everything that can be named: models, data sets, methods, corruptions.

The app and the specs read them here, so neither needs torch. Layers, shapes and sizes of models are measured from the
real networks (`python -m bird_backend assets catalog` writes `catalog.json`); a test holds it against the registries.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from bird_backend.errors import UnknownNameError

__all__ = [
    "CATALOG_FILE",
    "CORRUPTIONS",
    "DATASETS",
    "METHODS",
    "SEVERITIES",
    "CorruptionFacts",
    "DatasetFacts",
    "LayerFacts",
    "MethodFacts",
    "ModelFacts",
    "find_corruption",
    "find_dataset",
    "find_layer",
    "find_method",
    "find_model",
    "models",
]

CATALOG_FILE = Path(__file__).with_name("catalog.json")
SEVERITIES = (1, 2, 3, 4, 5)


@dataclass(frozen=True, kw_only=True)
class LayerFacts:
    """A layer that can be aligned: its module path and the shape of one image's output (no batch dimension)."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """A network of the registry, with its alignable layers from input to output."""

    name: str
    title: str
    caption: str
    family: str
    parameters: int
    small: bool
    """Trains in seconds on a CPU."""
    layers: tuple[LayerFacts, ...]
    forward_flops: int
    """Multiply-adds of one 32×32 image, for time estimates."""


@dataclass(frozen=True, kw_only=True)
class DatasetFacts:
    """A data set by name. `folder:PATH` and `zip:PATH` are data sets too and have no entry here."""

    name: str
    title: str
    caption: str
    classes: tuple[str, ...]
    train: int
    validation: int
    test: int
    network: bool
    """Has to be downloaded once."""
    licence: str


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """A way of transferring."""

    name: str
    title: str
    caption: str
    needs_teacher: bool
    """Looks at the teacher in every step."""
    matches_layers: bool = False
    """Compares layer pairs, so it has alpha, beta, pooling and pairs."""
    may_start_from_teacher: bool = False
    """Can begin with the teacher's weights and a new head."""
    needs_same_classes: bool = False
    """Compares outputs, so teacher and student have to tell the same classes apart."""
    trains: bool = True


@dataclass(frozen=True, kw_only=True)
class CorruptionFacts:
    """A way of spoiling an image. *Seen* types may be trained on by a robust teacher, held-out ones never."""

    name: str
    title: str
    caption: str
    group: str
    seen: bool


def _by_name(facts: Iterable[_Facts]) -> Mapping[str, _Facts]:
    return {fact.name: fact for fact in facts}


_Facts = TypeVar("_Facts", DatasetFacts, MethodFacts, CorruptionFacts)

_DIGITS = tuple("0123456789")
_FASHION = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

DATASETS: Mapping[str, DatasetFacts] = _by_name(
    [
        DatasetFacts(
            name="digits",
            title="Digits",
            caption="Hand-written digits, 8×8 pixels, from scikit-learn.",
            classes=_DIGITS,
            train=1294,
            validation=144,
            test=359,
            network=False,
            licence="CC BY 4.0 (UCI)",
        ),
        DatasetFacts(
            name="fashion-mnist-small",
            title="Fashion-MNIST, small",
            caption="Clothing in ten classes: a balanced part of Fashion-MNIST that comes with the project.",
            classes=_FASHION,
            train=10800,
            validation=1200,
            test=3000,
            network=False,
            licence="MIT (Zalando SE)",
        ),
        DatasetFacts(
            name="fashion-mnist",
            title="Fashion-MNIST",
            caption="All 70,000 images of clothing.",
            classes=_FASHION,
            train=54000,
            validation=6000,
            test=10000,
            network=True,
            licence="MIT (Zalando SE)",
        ),
        DatasetFacts(
            name="cifar10",
            title="CIFAR-10",
            caption="Small colour photographs, ten classes (Krizhevsky 2009).",
            classes=_CIFAR10,
            train=45000,
            validation=5000,
            test=10000,
            network=True,
            licence="none stated by its authors",
        ),
        DatasetFacts(
            name="cifar100",
            title="CIFAR-100",
            caption="Small colour photographs, a hundred classes (Krizhevsky 2009).",
            classes=(),
            train=45000,
            validation=5000,
            test=10000,
            network=True,
            licence="none stated by its authors",
        ),
        DatasetFacts(
            name="svhn",
            title="SVHN",
            caption="House numbers from street photographs (Netzer 2011).",
            classes=_DIGITS,
            train=65931,
            validation=7326,
            test=26032,
            network=True,
            licence="for non-commercial use",
        ),
        DatasetFacts(
            name="tiny-imagenet",
            title="Tiny-ImageNet",
            caption="200 ImageNet classes, shrunk to 32×32 (Le & Yang 2015); its validation folder is our test set.",
            classes=(),
            train=90000,
            validation=10000,
            test=10000,
            network=True,
            licence="ImageNet terms: research, non-commercial",
        ),
    ]
)

METHODS: Mapping[str, MethodFacts] = _by_name(
    [
        MethodFacts(
            name="none",
            title="None",
            caption="The pre-trained student, untouched: the floor.",
            needs_teacher=False,
            trains=False,
        ),
        MethodFacts(
            name="linear-probe",
            title="Linear probe",
            caption="A new linear head is trained, and nothing else moves.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="fine-tuning",
            title="Fine-tuning",
            caption="The student goes on training on its own clean data: what BIRD has to beat.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="lp-ft",
            title="LP-FT",
            caption="A linear probe first, then fine-tuning from it, so that a new head doesn't spoil the features.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="hints",
            title="Hints",
            caption="A learned linear map has to tell the teacher's features from the student's (FitNets).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="lwf-features",
            title="LwF, features",
            caption="Fine-tuning that keeps the head's input near where it began.",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="lwf-logits",
            title="LwF, logits",
            caption="Fine-tuning that keeps what the old head says near what it said (learning without forgetting).",
            needs_teacher=False,
            may_start_from_teacher=True,
        ),
        MethodFacts(
            name="soft-labels",
            title="Soft labels",
            caption="The student follows the teacher's softened outputs; both have to tell the same classes apart.",
            needs_teacher=True,
            needs_same_classes=True,
        ),
        MethodFacts(
            name="bird",
            title="BIRD",
            caption="The task loss, and 1 − CKA between a teacher's guiding layer and the student's guided layer.",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="rkd",
            title="RKD",
            caption="Distances and angles within a batch are to be as the teacher's (relational distillation).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="sp",
            title="SP",
            caption="Images alike to the teacher are to be alike to the student (similarity-preserving).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="pkt",
            title="PKT",
            caption="Each image's neighbours are to be as probable as the teacher's (probabilistic transfer).",
            needs_teacher=True,
            matches_layers=True,
        ),
        MethodFacts(
            name="oracle",
            title="Oracle",
            caption="The student trained on corrupted images directly: the ceiling.",
            needs_teacher=False,
        ),
    ]
)

CORRUPTIONS: Mapping[str, CorruptionFacts] = _by_name(
    [
        CorruptionFacts(
            name="gaussian_noise",
            title="Gaussian noise",
            caption="Independent noise on each pixel and colour, as of a sensor in poor light.",
            group="noise",
            seen=True,
        ),
        CorruptionFacts(
            name="shot_noise",
            title="Shot noise",
            caption="Light comes in grains: noise that grows with brightness, as when few photons are counted.",
            group="noise",
            seen=True,
        ),
        CorruptionFacts(
            name="impulse_noise",
            title="Impulse noise",
            caption="Single values stuck at black or white, as from bit errors.",
            group="noise",
            seen=True,
        ),
        CorruptionFacts(
            name="defocus_blur",
            title="Defocus blur",
            caption="Out of focus: each point becomes a small disk.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="glass_blur",
            title="Glass blur",
            caption="Seen through frosted glass: neighbouring pixels change places.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="motion_blur",
            title="Motion blur",
            caption="The camera moved along a line while the shutter was open.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="zoom_blur",
            title="Zoom blur",
            caption="The camera moved towards the scene while the shutter was open.",
            group="blur",
            seen=True,
        ),
        CorruptionFacts(
            name="snow",
            title="Snow",
            caption="Flakes driven by wind, under a whitened sky.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="frost",
            title="Frost",
            caption="Ice crystals on the lens.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="fog",
            title="Fog",
            caption="A drifting haze that hides contrast.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="brightness",
            title="Brightness",
            caption="Everything is lighter, as in glaring daylight.",
            group="weather",
            seen=True,
        ),
        CorruptionFacts(
            name="contrast",
            title="Contrast",
            caption="Every pixel is drawn towards the image's mean colour.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="elastic_transform",
            title="Elastic transform",
            caption="Tilted, then stretched and squeezed in places, as on rubber.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="pixelate",
            title="Pixelate",
            caption="Shrunk, then enlarged again without smoothing.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="jpeg_compression",
            title="JPEG",
            caption="Stored at low quality: block borders and ringing.",
            group="digital",
            seen=True,
        ),
        CorruptionFacts(
            name="speckle_noise",
            title="Speckle noise",
            caption="Noise in proportion to brightness, as in radar and ultrasound.",
            group="noise",
            seen=False,
        ),
        CorruptionFacts(
            name="gaussian_blur",
            title="Gaussian blur",
            caption="Each pixel becomes a weighted mean of its neighbourhood.",
            group="blur",
            seen=False,
        ),
        CorruptionFacts(
            name="spatter",
            title="Spatter",
            caption="Drops of water on the lens; at severities 4 and 5, mud.",
            group="weather",
            seen=False,
        ),
        CorruptionFacts(
            name="saturate",
            title="Saturate",
            caption="Colours washed out at severities 1 and 2, glaring from 3.",
            group="digital",
            seen=False,
        ),
    ]
)


@cache
def models() -> Mapping[str, ModelFacts]:
    """Every network of the registry by name, small ones first."""
    document = json.loads(CATALOG_FILE.read_text("utf-8"))
    return {
        entry["name"]: ModelFacts(
            **{key: value for key, value in entry.items() if key != "layers"},
            layers=tuple(LayerFacts(name=name, shape=tuple(shape)) for name, shape in entry["layers"]),
        )
        for entry in document["models"]
    }


def find_model(name: str) -> ModelFacts:
    """The facts of a network; an unknown name is an `UnknownNameError` with the closest valid ones."""
    if name not in models():
        raise UnknownNameError("model", name, models())
    return models()[name]


def find_layer(model: str, layer: str) -> LayerFacts:
    """The facts of an alignable layer of `model`."""
    layers = {facts.name: facts for facts in find_model(model).layers}
    if layer not in layers:
        raise UnknownNameError(f"layer of {model}", layer, layers)
    return layers[layer]


def find_dataset(name: str) -> DatasetFacts:
    """The facts of a named data set (not of a `folder:` or `zip:` one)."""
    if name not in DATASETS:
        raise UnknownNameError("data set", name, [*DATASETS, "folder:PATH", "zip:PATH"])
    return DATASETS[name]


def find_method(name: str) -> MethodFacts:
    """The facts of a transfer method."""
    if name not in METHODS:
        raise UnknownNameError("method", name, METHODS)
    return METHODS[name]


def find_corruption(name: str) -> CorruptionFacts:
    """The facts of a corruption."""
    if name not in CORRUPTIONS:
        raise UnknownNameError("corruption", name, CORRUPTIONS)
    return CORRUPTIONS[name]
