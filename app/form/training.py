"""Training a teacher or a student being put together: the small form's choices, to and from a spec's document."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.backend.own_images import find_images
from app.form.drafts import ALL
from app.form.further import further_lines, with_further
from app.form.images import AUTO, OWN, narrowed_name, own_name, own_problem, parted, size_setting
from bird_backend.behaviours import BEHAVIOURS, USUAL
from bird_backend.errors import BirdError
from bird_backend.experiments import load_spec

__all__ = ["DEFAULTS", "checked_training", "suggested_name", "training_choices", "training_document"]

DEFAULTS: Mapping[str, Any] = {
    "role": "robustify",
    "net": "",
    "on": "digits",
    "folder": "",
    "among": (),
    "pixels": AUTO,
    "behaviour": USUAL,
    "against": (ALL,),
    "mirror": "auto",
    "rounds": 8,
    "start": 0.05,
    "draw": 0,
    "name": "",
    "also": "",
}
"""A choice's name is its widget's key and its parameter in the address."""
_MIRROR: Mapping[str, bool] = {"yes": True, "no": False}
_UNNAMED = re.compile(r"[^A-Za-z0-9._-]+")
"""What no name of weights has in it."""
_LONGEST_NAME = 80


def suggested_name(role: str, net: str, on: str, behaviour: str, among: Sequence[str] = ()) -> str:
    """What the weights are called unless a person says; `among` are the classes that the data is narrowed to."""
    what = "student" if role != "robustify" else "robust" if behaviour == USUAL else behaviour
    name = "own-images" if on == OWN else narrowed_name(on, among)
    return _UNNAMED.sub("-", f"{name}-{net.rpartition(':')[2]}-{what}")[:_LONGEST_NAME]


def training_document(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The spec's JSON document; an `InputError` where one of its further settings can't be."""
    robust = choices["role"] == "robustify"
    document = {
        "kind": choices["role"],
        "data": narrowed_name(own_name(choices["folder"]) if choices["on"] == OWN else choices["on"], choices["among"]),
        **({} if choices["pixels"] == AUTO else {"image_size": size_setting(choices["pixels"])}),
        "seed": choices["draw"],
        "model": {"model": choices["net"]},
        "behaviour": {"name": choices["behaviour"]},
        **({"train_conditions": list(choices["against"])} if robust and ALL not in choices["against"] else {}),
        "training": {
            "epochs": choices["rounds"],
            "lr": choices["start"],
            "mirror": _MIRROR.get(choices["mirror"], choices["mirror"]),
        },
        "save_as": choices["name"].strip()
        or suggested_name(*(choices[key] for key in ("role", "net", "on", "behaviour", "among"))),
    }
    return with_further(document, choices["also"])


def checked_training(choices: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The document, and what is wrong with it in a sentence, if anything."""
    try:
        if choices["on"] == OWN and (problem := own_problem(own_name(choices["folder"]))) is not None:
            return {}, problem
        document = training_document(choices)
        load_spec(document)
        find_images(document["data"])
    except BirdError as error:
        return {}, str(error)
    return document, None


def training_choices(document: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that a training run's document came from."""
    training = document.get("training", {})
    on, folder, among = parted(str(document.get("data", "")))
    behaviour = document.get("behaviour", DEFAULTS["behaviour"])
    tested = str(behaviour if isinstance(behaviour, str) else behaviour.get("name"))
    given = {
        "role": document["kind"],
        "net": document["model"]["model"],
        "on": on,
        "folder": folder,
        "among": among,
        "pixels": None if document.get("image_size") is None else str(document["image_size"]),
        "behaviour": tested,
        "against": _against(tested, document.get("train_conditions")),
        "mirror": {True: "yes", False: "no"}.get(training.get("mirror"), training.get("mirror")),
        "rounds": training.get("epochs"),
        "start": training.get("lr"),
        "draw": document.get("seed"),
        "name": document.get("save_as"),
    }
    choices = {**DEFAULTS, **{name: value for name, value in given.items() if value is not None}}
    made = training_document(choices)
    # The form always names the weights, so one without a name has nothing to bring along.
    named_so = {"save_as": document.get("save_as") or made["save_as"]}
    return {**choices, "also": further_lines({**document, **named_so}, made)}


def _against(behaviour: str, conditions: Sequence[str] | None) -> tuple[str, ...] | None:
    seen = BEHAVIOURS[behaviour].seen if behaviour in BEHAVIOURS else ()
    return None if conditions is None or set(conditions) == set(seen) else tuple(conditions)
