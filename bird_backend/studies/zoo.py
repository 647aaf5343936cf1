"""A zoo of small teachers to choose from: architectures × data that ship × what each was made to withstand, or not.

Each is an ordinary run: `pretrain` on images as they are, or `robustify`, which begins with the weights that the clean
one of its architecture and data has. A *half-trained* one stops early; a *random* one has a learning rate at which no
weight moves, so that only its normalisation has seen the data. They are there so that teachers differ in what they are
worth. Epochs are such that all of them take less than 45 minutes on two cores (benchmarks/RESULTS.md has the seconds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

from bird_backend import catalog, settings
from bird_backend.behaviours import BEHAVIOURS, USUAL
from bird_backend.errors import BirdError, InputError, UnknownNameError
from bird_backend.experiments import PretrainSpec, RobustifySpec, load_spec, override, spec_hash
from bird_backend.runs.provenance import find_weights, read_provenance

__all__ = ["EPOCHS", "State", "Teacher", "effort", "plan_zoo", "state_of"]

State = Literal["there", "missing", "other"]
"""Other weights of the name were made in another way, or begin with weights that were made anew since."""

_CLEAN, _HALF, _RANDOM = "clean", "half-trained", "random"
_FIRST, _SECOND = "fashion-mnist-small#0-4", "fashion-mnist-small#5-9"

EPOCHS: Mapping[tuple[str, str], Mapping[str, int]] = {
    ("resnet-narrow", "digits"): {
        _CLEAN: 40,
        "corruptions": 40,
        "geometric": 40,
        "adversarial": 30,
        _HALF: 3,
        _RANDOM: 1,
    },
    ("resnet-narrow", _FIRST): {
        _CLEAN: 12,
        "corruptions": 14,
        "geometric": 12,
        "adversarial": 8,
        _HALF: 1,
        _RANDOM: 1,
    },
    ("resnet-narrow", _SECOND): {_CLEAN: 12, "corruptions": 14},
    ("resnet-narrow", "fashion-mnist-small"): {_CLEAN: 8, "corruptions": 8},
    ("cnn-small", "digits"): {
        _CLEAN: 40,
        "corruptions": 60,
        "geometric": 60,
        "adversarial": 40,
        _HALF: 3,
        _RANDOM: 1,
    },
    ("cnn-small", _FIRST): {
        _CLEAN: 15,
        "corruptions": 20,
        "geometric": 20,
        "adversarial": 12,
        _HALF: 1,
        _RANDOM: 1,
    },
    ("cnn-small", _SECOND): {_CLEAN: 15, "corruptions": 20},
    ("cnn-small", "fashion-mnist-small"): {_CLEAN: 12, "corruptions": 15},
    ("vit-tiny", "digits"): {_CLEAN: 40, "corruptions": 30, "geometric": 30, _HALF: 5},
    ("vit-tiny", _FIRST): {_CLEAN: 8, "corruptions": 8, _RANDOM: 1},
}
"""By architecture and data, for how many epochs each teacher trains; a robust one so many beyond the clean one's."""

_TRAINING: Mapping[str, Mapping[str, Any]] = {
    "resnet-narrow": {"lr": 0.05},
    "cnn-small": {"lr": 0.05},
    "vit-tiny": {"optimizer": "adamw", "lr": 0.002, "weight_decay": 0.05},
}
_NAMED = ("kind", "data", "model", "save_as")
_STILL: Mapping[str, Any] = {"optimizer": "sgd", "lr": 1e-12, "momentum": 0.0, "weight_decay": 0.0}
"""Less than what a weight's last bit is worth."""
_SHORT = {
    "digits": "digits",
    "fashion-mnist-small": "fashion",
    _FIRST: "fashion-0-4",
    _SECOND: "fashion-5-9",
}
_TITLES = {
    "digits": "Digits",
    "fashion-mnist-small": "Clothes",
    _FIRST: "Clothes 0–4",
    _SECOND: "Clothes 5–9",
}
"""What tells them apart stands first, for a list that has no room for the rest."""
_TESTED = 300
"""Test images: a teacher is chosen by validation images, so these are only told."""
_SECONDS: Mapping[str, float] = {"resnet-narrow": 0.34, "cnn-small": 0.13, "vit-tiny": 1.7}
"""For a thousand training images."""
_TIMES: Mapping[str, float] = {"corruptions": 2.0, "adversarial": 3.0}
"""What training under a behaviour's conditions takes beside training on images as they are."""
_SETTINGS: Mapping[str, Mapping[str, Any]] = {"adversarial": {"training_steps": 3}}


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """One of the zoo: its weights' name, the run that makes it, and whose weights that begins with, if anyone's."""

    name: str
    spec: PretrainSpec | RobustifySpec
    begins_with: str | None = None


def plan_zoo(*, only: Sequence[str] = (), changes: Sequence[str] = ()) -> tuple[Teacher, ...]:
    """The teachers whose names or patterns such as `*digits*` are in `only`, by default all, in an order to make them.

    Those that they begin with come along. `changes` are put into every spec, as `--set` takes them.
    A name or pattern of none is an `UnknownNameError`.
    """
    every = {
        name: (document, begins_with)
        for (network, data), made in EPOCHS.items()
        for what, epochs in made.items()
        for name, document, begins_with in [_document(network, data, what, epochs)]
    }
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in every):
            raise UnknownNameError("teacher of the zoo", pattern, every)
    wanted = {name for name in every if not only or any(fnmatchcase(name, pattern) for pattern in only)}
    wanted |= {every[name][1] or name for name in wanted}
    teachers = []
    for name, (document, begins_with) in every.items():
        if name not in wanted:
            continue
        spec = load_spec(_changed(document, changes))
        assert isinstance(spec, PretrainSpec | RobustifySpec)  # noqa: S101 - for the type
        teachers.append(Teacher(name=name, spec=spec, begins_with=begins_with))
    return tuple(teachers)


def state_of(teacher: Teacher) -> State:
    """Whether its weights are there, made by this recipe of the weights that it begins with as they are now."""
    try:
        path = find_weights(teacher.name)
        made = read_provenance(path)
    except UnknownNameError:
        return "missing"
    except BirdError:
        return "other"
    try:
        same = made is not None and spec_hash(load_spec(made.recipe)) == spec_hash(teacher.spec)
        if same and path.parent != settings.checkpoints_dir():
            return "there"  # it came with the project, which what it begins with need not
        origin = None if teacher.begins_with is None else read_provenance(find_weights(teacher.begins_with))
    except BirdError:
        return "other"
    if made is None or not same:
        return "other"
    return "other" if origin is not None and origin.created > made.created else "there"


def effort(teacher: Teacher) -> float:
    """About how many seconds it takes on one core, by what such steps took there; what counts is the ratio."""
    spec = teacher.spec
    what = spec.behaviour.name if isinstance(spec, RobustifySpec) else _CLEAN
    images = spec.training.epochs * catalog.find_dataset(spec.data).train
    return 2.0 + images / 1000 * _SECONDS[spec.model.model] * _TIMES.get(what, 1.0)


def _changed(document: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    changed = override(document, list(changes))
    if named := [key for key in _NAMED if changed.get(key) != document.get(key)]:
        raise InputError(f"A teacher of the zoo is called by its {', '.join(named)}: leave that out of --set.")
    if document["training"]["lr"] == _STILL["lr"]:
        changed["training"] |= _STILL  # a random one stays random
    return changed


def _document(network: str, data: str, what: str, epochs: int) -> tuple[str, dict[str, Any], str | None]:
    """Name, spec as JSON, and whose weights it begins with."""
    stem = f"zoo-{network}-{_SHORT[data]}"
    robust = what in BEHAVIOURS
    training = {**_TRAINING[network], **(_STILL if what == _RANDOM else {})}
    title = f"{_TITLES[data]}: {_words(what)}, {catalog.find_model(network).title}"
    document: dict[str, Any] = {
        "kind": "robustify" if robust else "pretrain",
        "title": title,
        "data": data,
        "model": {"model": network, "weights": f"{stem}-{_CLEAN}"} if robust else {"model": network},
        "behaviour": {"name": what, **_SETTINGS.get(what, {})} if robust else {"name": USUAL},
        "training": {**training, "epochs": epochs, "batch_size": 128},
        "evaluation": {"limit": _TESTED},
        "save_as": f"{stem}-{what}",
        **({} if robust else {"role": "teacher"}),
    }
    return f"{stem}-{what}", document, f"{stem}-{_CLEAN}" if robust else None


def _words(what: str) -> str:
    return f"robust to {BEHAVIOURS[what].title.lower()}" if what in BEHAVIOURS else what
