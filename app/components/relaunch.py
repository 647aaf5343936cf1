"""Back to the form that a run came from with its own choices in it, to change one of them and go again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from app.address.routes import link
from app.address.url_state import address
from app.backend import data
from app.backend.foreign import NORMS
from app.backend.studies import find_study_of
from app.components.brought_weights import BROUGHT
from app.form.drafts import Draft, defaults
from app.form.images import AUTO, parted
from app.form.training import DEFAULTS, training_choices

__all__ = ["demo_draft", "launch_query", "pair_query", "relaunch_link"]

Place = tuple[str, dict[str, str]]
"""A page, and what its address has to say."""


def demo_draft() -> Draft:
    """What the form holds when nothing was chosen yet: the demo, whose title is of the demo alone."""
    try:
        return replace(Draft.of(data.demo_document()), title="")
    except data.BirdError:
        return Draft()


def relaunch_link(run: data.Run, label: str = "Change and launch again", *, help: str | None = None) -> None:
    """A link to the form as it was for a run; nothing for a kind of run that no form asks for."""
    if run.kind not in _PLACES:
        return
    try:
        document = run.directory.read_spec()
        if document.get("title") and not _was_typed(run, document["title"]):
            document["title"] = ""
        page, query = _PLACES[run.kind](document)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, data.BirdError):
        return  # its spec is gone or damaged, which its page says
    link(page, label, icon=":material/edit:", help=help, **query)


def launch_query(document: Mapping[str, Any]) -> dict[str, str] | None:
    """What the form's address says for a transfer's document; none of one that no form can hold."""
    try:
        return _transfer(document)[1]
    except (ValueError, TypeError, KeyError, AttributeError, data.BirdError):
        return None


def pair_query(data_name: str, *, teacher: str, teacher_layer: str, student: str, student_layer: str) -> dict[str, str]:
    """What the form's address says for a pair of layers on a data set, all else as usual; networks by their choice."""
    demo = demo_draft()
    chosen, path, classes = parted(data_name)
    draft = replace(
        demo,
        data=chosen,
        path=path,
        classes=classes,
        teacher=teacher,
        student=student,
        guiding=teacher_layer,
        guided=student_layer,
    )
    return address(draft.choices(), defaults(demo, data=draft.data, method=draft.method))


def _was_typed(run: data.Run, title: str) -> bool:
    """Whether a person named the run so: a study names its runs itself, and the demo its own."""
    return find_study_of(run) is None and title != data.demo_document().get("title")


def _transfer(document: Mapping[str, Any]) -> Place:
    draft = Draft.of(document)
    return "launch", address(draft.choices(), defaults(demo_draft(), data=draft.data, method=draft.method))


def _training(document: Mapping[str, Any]) -> Place:
    return "models", {"part": "train", **address(training_choices(document), DEFAULTS)}


def _evaluation(document: Mapping[str, Any]) -> Place:
    """A transfer that trains nothing measures a network just so."""
    measured = {name: document[name] for name in ("data", "image_size", "seed", "device", "behaviour", "evaluation")}
    demo = data.demo_document()
    return _transfer({**demo, **measured, "title": "", "student": document["model"], "method": {"name": "none"}})


def _layers(document: Mapping[str, Any]) -> Place:
    asked = {name: document[name] for name in ("data", "image_size", "teacher", "student", "seed")}
    return _transfer({**data.demo_document(), "title": "", **asked})


def _images(document: Mapping[str, Any]) -> Place:
    return "images", {"data": str(document["data"])}


def _file(document: Mapping[str, Any]) -> Place:
    """A weights file, and what was said of it. One that was brought is called what its weights were to be called."""
    called = document.get("title") or document.get("save_as")
    norm = next((name for name, (mean, _) in NORMS.items() if list(mean) == document.get("mean")), "")
    said = {
        "source": document["source"],
        "file": f"{called}.pth" if called else "",
        "holds": document.get("model"),
        "trained": document.get("data"),
        "side": document.get("image_size"),
        "norm": norm,
    }
    values = {**BROUGHT, **{name: value for name, value in said.items() if value}}
    return "models", {"part": "bring", **address(values, BROUGHT)}


def _network(document: Mapping[str, Any]) -> Place:
    return "models", {"part": "networks", "network": str(document["model"]["model"])}


def _pictures(document: Mapping[str, Any]) -> Place:
    named = {name: str(document[name]) for name in ("data", "picture") if document.get(name)}
    return "gallery", named | ({} if document["image_size"] == AUTO else {"size": str(document["image_size"])})


_PLACES: Mapping[str, Callable[[Mapping[str, Any]], Place]] = {
    "transfer": _transfer,
    "pretrain": _training,
    "robustify": _training,
    "evaluate": _evaluation,
    "analyze": _layers,
    "inspect": _images,
    "gallery": _pictures,
    "convert": _file,
    "examine": _network,
}
