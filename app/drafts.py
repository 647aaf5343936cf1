"""A transfer being put together: the form's choices, flat and named as in the URL, to and from a spec's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bird_backend import catalog

__all__ = ["OWN", "RANDOM", "Draft"]

RANDOM = "random:"
"""Before a network's name: that network with random weights."""
OWN = "own"
"""The data set that a path names."""


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
    corruptions: tuple[str, ...] = tuple(catalog.CORRUPTIONS)
    severities: tuple[int, ...] = catalog.SEVERITIES
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
        if self.method == "bird":
            method |= {
                "alpha": self.alpha,
                "beta": self.beta,
                "kernel": self.kernel,
                **({"bandwidth": self.bandwidth} if self.kernel == "rbf" else {}),
                "estimator": self.estimator,
                "pooling": self.pooling,
                "pairs": [{"teacher": self.guiding, "student": self.guided}],
            }
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
            "baseline": self.baseline and self.method != "fine-tuning",
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
        pair = (method.get("pairs") or [{}])[0]
        training, evaluation = document.get("training", {}), document.get("evaluation", {})
        data = str(document.get("data", cls.data))
        own = data.startswith(("folder:", "zip:"))
        given: dict[str, Any] = {
            "data": OWN if own else data,
            "path": data if own else "",
            "teacher": _choice(document.get("teacher", {})),
            "student": _choice(document.get("student", {})),
            "method": method.get("name"),
            "guiding": pair.get("teacher"),
            "guided": pair.get("student"),
            "batch": training.get("batch_size"),
            "decay": training.get("weight_decay"),
            "corruptions": evaluation.get("corruptions"),
            "severities": evaluation.get("severities"),
            "limit": evaluation.get("limit"),
            "points": document.get("snapshots", {}).get("count"),
            "save": document.get("save_as"),
            **{key: method.get(key) for key in ("alpha", "beta", "kernel", "bandwidth", "estimator", "pooling")},
            **{key: training.get(key) for key in ("epochs", "lr", "optimizer", "momentum", "augment", "precision")},
            **{key: document.get(key) for key in ("seed", "device", "baseline", "title")},
        }
        blank = cls()
        return replace(
            blank, **{key: type(getattr(blank, key))(value) for key, value in given.items() if value is not None}
        )


def _reference(choice: str, networks: Mapping[str, str]) -> dict[str, str]:
    if choice.startswith(RANDOM):
        return {"model": choice.removeprefix(RANDOM)}
    return {"model": networks.get(choice, choice), "weights": choice}


def _choice(reference: Mapping[str, Any]) -> str | None:
    if weights := reference.get("weights"):
        return str(weights)
    return f"{RANDOM}{reference['model']}" if reference.get("model") else None
