"""A transfer being put together: the form's choices, flat and named as in the URL, to and from a spec's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

from app.backend.weights import RANDOM
from bird_backend import catalog
from bird_backend.corruptions import CORRUPTIONS, SEVERITIES
from bird_backend.specs import Method

__all__ = ["OWN", "Draft", "between", "defaults", "settings_of"]

OWN = "own"
"""The data set that a path names."""
_METHODS = {str(kind.model_fields["name"].default): kind for kind in get_args(get_args(Method)[0])}
_ARROW = " → "


def settings_of(method: str) -> dict[str, Any]:
    """The settings a method has and their defaults, its layer pairs aside."""
    fields = _METHODS[method].model_fields
    return {name: field.default for name, field in fields.items() if name not in ("name", "pairs")}


def between(guiding: str, guided: str) -> str:
    """A layer pair as a choice of the form."""
    return f"{guiding}{_ARROW}{guided}"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """One field a choice; a field's name is its widget's key and its parameter in the URL."""

    data: str = "fashion-mnist-small"
    path: str = ""
    teacher: str = "digits-robust-teacher"
    student: str = "fashion-student"
    method: str = "bird"
    guiding: str = ""
    guided: str = ""
    alpha: float = 0.1
    beta: float = 0.9
    kernel: str = "linear"
    bandwidth: float = 1.0
    estimator: str = "biased"
    pooling: str = "mean"
    weighting: str = "fixed"
    more: tuple[str, ...] = ()
    """Further layer pairs, each `guiding → guided`."""
    distance_weight: float = 1.0
    angle_weight: float = 2.0
    temperature: float = 4.0
    share: float = 0.5
    start: str = ""
    """Whose weights it begins with; empty for what is usual for the method."""
    control: str = "none"
    epochs: int = 4
    batch: int = 128
    lr: float = 0.005
    optimizer: str = "sgd"
    momentum: float = 0.9
    decay: float = 0.0005
    augment: bool = True
    precision: str = "auto"
    seed: int = 0
    device: str = "auto"
    baseline: bool = True
    corruptions: tuple[str, ...] = tuple(CORRUPTIONS)
    severities: tuple[int, ...] = SEVERITIES
    limit: int = 0
    """Test images at most; 0 for all."""
    points: int = 20
    title: str = ""
    save: str = ""

    @property
    def data_name(self) -> str:
        """The data set as a spec names it. A bare path is a zip if it ends so, else a folder."""
        if self.data != OWN:
            return self.data
        path = self.path.strip()
        if path.startswith(("folder:", "zip:")):
            return path
        return f"{'zip' if path.lower().endswith('.zip') else 'folder'}:{path}"

    def document(self, networks: Mapping[str, str]) -> dict[str, Any]:
        """The spec's JSON document; `networks` says which network a checkpoint holds."""
        method: dict[str, Any] = {"name": self.method}
        method |= {name: getattr(self, name) for name in settings_of(self.method)}
        if not self.start:
            method.pop("start", None)
        if self.kernel != "rbf":
            method.pop("bandwidth", None)
        facts = catalog.METHODS[self.method]
        if facts.matches_layers:
            pairs = [(self.guiding, self.guided), *(tuple(pair.split(_ARROW, 1)) for pair in self.more)]
            method["pairs"] = [{"teacher": teacher, "student": student} for teacher, student in pairs]
        document: dict[str, Any] = {
            "kind": "transfer",
            "title": self.title.strip(),
            "seed": self.seed,
            "device": self.device,
            "data": self.data_name,
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
                "augment": self.augment,
                "precision": self.precision,
            },
            "baseline": self.baseline and self.method not in ("none", "fine-tuning"),
            **({"control": self.control} if facts.needs_teacher and self.control != "none" else {}),
            "evaluation": {
                "corruptions": list(self.corruptions),
                "severities": list(self.severities),
                **({"limit": self.limit} if self.limit else {}),
            },
            "snapshots": {"count": self.points},
        }
        if not document["title"]:
            del document["title"]
        if self.save.strip():
            document["save_as"] = self.save.strip()
        return document

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Draft:
        """The draft that a transfer's document came from, as far as a form can say it."""
        method = document.get("method", {})
        first, *further = method.get("pairs") or [document.get("drawn") or {}]
        training, evaluation = document.get("training", {}), document.get("evaluation", {})
        data = str(document.get("data", cls.data))
        own = data.startswith(("folder:", "zip:"))
        given: dict[str, Any] = {
            "data": OWN if own else data,
            "path": data if own else "",
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
            "corruptions": evaluation.get("corruptions"),
            "severities": evaluation.get("severities"),
            "limit": evaluation.get("limit"),
            "points": document.get("snapshots", {}).get("count"),
            "save": document.get("save_as"),
            **{key: method.get(key) for key in _SETTINGS},
            **{key: training.get(key) for key in ("epochs", "lr", "optimizer", "momentum", "augment", "precision")},
            **{key: document.get(key) for key in ("seed", "device", "baseline", "title")},
        }
        blank = cls().with_method(str(method.get("name", cls.method)))
        return replace(
            blank, **{key: type(getattr(blank, key))(value) for key, value in given.items() if value is not None}
        )

    def with_method(self, method: str) -> Draft:
        """The draft for a method, whose own settings are at their defaults."""
        if method == self.method or method not in _METHODS:
            return self
        usual = {name: value for name, value in settings_of(method).items() if name != "start"}
        return replace(self, method=method, start="", **usual)


def defaults(draft: Draft, method: str) -> dict[str, Any]:
    """What a form's choices are while nobody has made any: `draft`, but for the settings of another method."""
    return {**asdict(draft.with_method(method)), "method": draft.method}


_SETTINGS = tuple(dict.fromkeys(name for kind in _METHODS for name in settings_of(kind) if name != "start"))


def _start(document: Mapping[str, Any]) -> str | None:
    """The choice of a start, empty where it is the method's usual one."""
    method = document.get("method", {})
    usual = settings_of(method["name"]).get("start") if method.get("name") in _METHODS else None
    start = method.get("start")
    if start == "auto" and usual != "auto":
        alike = document.get("teacher", {}).get("model") == document.get("student", {}).get("model")
        return "teacher" if alike else ""
    return "" if start == usual else start


def _reference(choice: str, networks: Mapping[str, str]) -> dict[str, str]:
    if choice.startswith(RANDOM):
        return {"model": choice.removeprefix(RANDOM)}
    return {"model": networks.get(choice, choice), "weights": choice}


def _choice(reference: Mapping[str, Any]) -> str | None:
    if weights := reference.get("weights"):
        return str(weights)
    return f"{RANDOM}{reference['model']}" if reference.get("model") else None
