"""A transfer being put together: the form's choices, flat and named as in the URL, to and from a spec's document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from pydantic.fields import FieldInfo

from app.backend.weights import RANDOM
from app.form.further import further_lines, with_further
from app.form.images import AUTO, OWN, narrowed_name, own_name, parted, size_setting
from bird_backend import catalog
from bird_backend.behaviours import BEHAVIOURS, STRENGTHS, USUAL, BehaviourSettings
from bird_backend.transfer import METHODS, Setting

__all__ = [
    "ALL",
    "OWN",
    "Draft",
    "apart",
    "between",
    "defaults",
    "option_fields",
    "read_options",
    "settings_of",
    "without_method",
    "write_options",
]

_ARROW = " → "
ALL = "all"
"""In place of conditions: all that the behaviour has."""


def settings_of(method: str) -> Mapping[str, Setting]:
    """What a form asks of a method, its layers and its start aside; nothing of one that there isn't."""
    return METHODS[method].choices if method in METHODS else {}


def _usual(method: str) -> dict[str, Any]:
    """Every setting of any method at its default, the method's own at its own."""
    every = {name: setting.default for other in METHODS for name, setting in settings_of(other).items()}
    return every | {name: setting.default for name, setting in settings_of(method).items()}


def between(guiding: str, guided: str) -> str:
    """A layer pair as a choice of the form."""
    return f"{guiding}{_ARROW}{guided}"


def apart(pair: str) -> tuple[str, str]:
    """The layers of such a choice; what is no pair has no second one."""
    guiding, _, guided = pair.partition(_ARROW)
    return guiding, guided


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One field a choice, and the method's settings; a choice's name is its widget's key and its parameter in a URL."""

    data: str = "fashion-mnist-small"
    path: str = ""
    classes: tuple[str, ...] = ()
    """Those that the data set is narrowed to, each by its place or else its name; none: all of it."""
    size: str = AUTO
    """The side of the images in pixels, or `auto`."""
    teacher: str = "zoo-resnet-narrow-fashion-0-4-corruptions"
    student: str = "zoo-resnet-narrow-fashion-5-9-clean"
    method: str = "bird"
    guiding: str = ""
    guided: str = ""
    settings: Mapping[str, Any] = field(default_factory=lambda: _usual(Draft.method))
    """Of all methods, so that a form has a place for each; those of another method are at their defaults."""
    more: tuple[str, ...] = ()
    """Further layer pairs, each `guiding → guided`."""
    start: str = ""
    """Whose weights it begins with; empty for what is usual for the method."""
    control: str = "none"
    epochs: int = 4
    batch: int = 128
    lr: float = 0.005
    optimizer: str = "sgd"
    momentum: float = 0.9
    decay: float = 0.0005
    shift: bool = True
    mirror: str = "auto"
    precision: str = "auto"
    seed: int = 0
    device: str = "auto"
    baseline: bool = True
    behaviour: str = USUAL
    conditions: tuple[str, ...] = (ALL,)
    strengths: tuple[int, ...] = STRENGTHS
    options: tuple[str, ...] = ()
    """The behaviour's own settings that differ from its defaults, each `name=JSON`."""
    limit: int = 0
    """Test images at most; 0 for all."""
    points: int = 20
    title: str = ""
    save: str = ""
    further: str = ""
    """What else the spec says, in lines `a.b=value`."""

    @property
    def data_name(self) -> str:
        """The data set as a spec names it."""
        return narrowed_name(own_name(self.path) if self.data == OWN else self.data, self.classes)

    @property
    def asked(self) -> Mapping[str, Setting]:
        """The method's settings that have a meaning beside the other choices."""
        chosen = {**self.settings, "more": self.more}
        return {name: setting for name, setting in settings_of(self.method).items() if setting.form.when(chosen)}

    def choices(self) -> dict[str, Any]:
        """Every choice by its name, flat."""
        own = {part.name: getattr(self, part.name) for part in fields(self) if part.name != "settings"}
        return own | dict(self.settings)

    @classmethod
    def from_choices(cls, choices: Mapping[str, Any]) -> Draft:
        """The draft of these choices, as `choices` gives them."""
        own = {part.name: choices[part.name] for part in fields(cls) if part.name != "settings"}
        blank = cls(**own, settings=_usual(own["method"]))
        return blank.with_settings(**{name: choices[name] for name in settings_of(blank.method)})

    def document(self, networks: Mapping[str, str]) -> dict[str, Any]:
        """The spec's JSON document; `networks` says which network weights are of.

        An `InputError` where one of the `further` lines can't be set.
        """
        method: dict[str, Any] = {"name": self.method}
        facts = METHODS[self.method]
        if facts.may_start_from_teacher and self.start:
            method["start"] = self.start
        method |= {name: self.settings[name] for name in self.asked}
        if facts.matches_layers:
            pairs = [(self.guiding, self.guided), *(apart(pair) for pair in self.more)]
            method["pairs"] = [{"teacher": teacher, "student": student} for teacher, student in pairs]
        document: dict[str, Any] = {
            "kind": "transfer",
            "title": self.title.strip(),
            "seed": self.seed,
            "device": self.device,
            "data": self.data_name,
            **({} if self.size == AUTO else {"image_size": size_setting(self.size)}),
            "teacher": _reference(self.teacher, networks),
            "student": _reference(self.student, networks),
            "method": method,
            "training": {
                "epochs": self.epochs,
                "batch_size": self.batch,
                "optimizer": self.optimizer,
                "lr": self.lr,
                "momentum": self.momentum,
                "weight_decay": self.decay,
                "shift": self.shift,
                "mirror": _MIRROR.get(self.mirror, self.mirror),
                "precision": self.precision,
            },
            "baseline": self.baseline and facts.has_twin,
            **({"control": self.control} if facts.needs_teacher and self.control != "none" else {}),
            "behaviour": {
                "name": self.behaviour,
                **({} if ALL in self.conditions else {"conditions": list(self.conditions)}),
                "strengths": list(self.strengths),
                **read_options(self.behaviour, self.options),
            },
            "evaluation": {"limit": self.limit} if self.limit else {},
            "snapshots": {"count": self.points},
        }
        roles = (document["teacher"], document["student"])
        if not facts.matches_layers and any(ref["model"] not in catalog.models() for ref in roles):
            # Of the catalogue's networks the last layers are drawn; of others nobody knows them before the run.
            document["drawn"] = {"teacher": self.guiding, "student": self.guided}
        if not document["title"]:
            del document["title"]
        if self.save.strip():
            document["save_as"] = self.save.strip()
        return with_further(document, self.further)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Draft:
        """The draft that a transfer's document came from."""
        draft = cls._of(document)
        networks = {str(ref["weights"]): str(ref["model"]) for ref in _references(document) if ref.get("weights")}
        return replace(draft, further=further_lines(document, draft.document(networks)))

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> Draft:
        """As far as the form has fields."""
        method = _method(document)
        first, *further = method.get("pairs") or [document.get("drawn") or {}]
        training, evaluation = document.get("training", {}), document.get("evaluation", {})
        behaviour = document.get("behaviour", {})
        behaviour = {"name": behaviour} if isinstance(behaviour, str) else behaviour
        tested = str(behaviour.get("name", cls.behaviour))
        data, path, classes = parted(str(document.get("data", cls.data)))
        given: dict[str, Any] = {
            "data": data,
            "path": path,
            "classes": classes,
            "size": document.get("image_size"),
            "teacher": _choice(document.get("teacher", {})),
            "student": _choice(document.get("student", {})),
            "method": method.get("name"),
            "guiding": first.get("teacher"),
            "guided": first.get("student"),
            "more": [between(pair["teacher"], pair["student"]) for pair in further],
            "start": _start(document),
            "control": document.get("control"),
            "batch": training.get("batch_size"),
            "decay": training.get("weight_decay"),
            "behaviour": tested,
            "conditions": _conditions(tested, behaviour.get("conditions")),
            "strengths": behaviour.get("strengths"),
            "options": write_options(tested, behaviour),
            "limit": evaluation.get("limit"),
            "points": document.get("snapshots", {}).get("count"),
            "save": document.get("save_as"),
            **{key: training.get(key) for key in ("epochs", "lr", "optimizer", "momentum", "shift", "precision")},
            "mirror": {True: "yes", False: "no"}.get(training.get("mirror"), training.get("mirror")),
            **{key: document.get(key) for key in ("seed", "device", "baseline", "title")},
        }
        blank = cls().with_method(str(method.get("name", cls.method)))
        settings = {
            name: type(setting.default)(method[name])
            for name, setting in settings_of(blank.method).items()
            if method.get(name) is not None
        }
        return replace(
            blank.with_settings(**settings),
            **{key: type(getattr(blank, key))(value) for key, value in given.items() if value is not None},
        )

    def with_method(self, method: str) -> Draft:
        """The draft for a method, whose own settings are at their defaults."""
        if method == self.method or method not in METHODS:
            return self
        return replace(self, method=method, start="", settings=_usual(method), further=without_method(self.further))

    def with_settings(self, **settings: Any) -> Draft:
        """The draft with some of its method's settings changed."""
        return replace(self, settings={**self.settings, **settings})


def without_method(further: str) -> str:
    """The lines that mean something to another method too."""
    return "\n".join(line for line in further.splitlines() if not line.strip().startswith(("method.", "drawn")))


def option_fields(behaviour: str) -> dict[str, FieldInfo]:
    """The settings that a behaviour has of its own."""
    shared = BehaviourSettings.model_fields
    every = BEHAVIOURS[behaviour].settings.model_fields if behaviour in BEHAVIOURS else {}
    return {name: own for name, own in every.items() if name not in shared}


def read_options(behaviour: str, options: tuple[str, ...]) -> dict[str, Any]:
    """Settings by name from `name=JSON`; what the behaviour does not have, or can't be read, is left out."""
    found = {}
    for option in options:
        name, _, text = option.partition("=")
        try:
            if name in option_fields(behaviour):
                found[name] = json.loads(text)
        except ValueError:
            continue
    return found


def write_options(behaviour: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    """Those settings that differ from their defaults, as `name=JSON`."""
    usual = {name: own.default for name, own in option_fields(behaviour).items()}
    return tuple(f"{name}={json.dumps(values[name])}" for name in usual if values.get(name, usual[name]) != usual[name])


def defaults(draft: Draft, *, data: str, method: str) -> dict[str, Any]:
    """What a form's choices are while nobody has made any: `draft`, but for the settings of another method.

    Other data than the draft's is not narrowed to the draft's classes.
    """
    classes = draft.classes if data == draft.data else ()
    return {**draft.with_method(method).choices(), "method": draft.method, "classes": classes}


def _method(document: Mapping[str, Any]) -> Mapping[str, Any]:
    method = document.get("method", {})
    return {"name": method} if isinstance(method, str) else method


_MIRROR: Mapping[str, bool] = {"yes": True, "no": False}


def _conditions(behaviour: str, names: Sequence[str] | None) -> tuple[str, ...]:
    known = BEHAVIOURS[behaviour].conditions if behaviour in BEHAVIOURS else {}
    return (ALL,) if names is None or set(known) <= set(names) else tuple(names)


def _start(document: Mapping[str, Any]) -> str | None:
    """The choice of a start, empty where it is the method's usual one."""
    method = _method(document)
    usual = METHODS[method["name"]].usual_start if method.get("name") in METHODS else None
    start = method.get("start")
    if start == "auto" and usual != "auto":
        alike = document.get("teacher", {}).get("model") == document.get("student", {}).get("model")
        return "teacher" if alike else ""
    return "" if start == usual else start


def _reference(choice: str, networks: Mapping[str, str]) -> dict[str, str]:
    if choice.startswith(RANDOM):
        return {"model": choice.removeprefix(RANDOM)}
    return {"model": networks.get(choice, choice), "weights": choice}


def _references(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    return document.get("teacher", {}), document.get("student", {})


def _choice(reference: Mapping[str, Any]) -> str | None:
    if weights := reference.get("weights"):
        return str(weights)
    return f"{RANDOM}{reference['model']}" if reference.get("model") else None
