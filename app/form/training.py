"""Training a teacher or a student being put together: the small form's choices, to and from a spec's document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.form.drafts import ALL
from app.form.further import further_lines, with_further
from app.form.images import AUTO, OWN, own_name, own_problem, size_setting
from bird_backend import catalog
from bird_backend.behaviours import BEHAVIOURS, USUAL
from bird_backend.errors import BirdError
from bird_backend.experiments import load_spec

__all__ = ["DEFAULTS", "checked_training", "suggested_name", "training_choices", "training_document"]

DEFAULTS: Mapping[str, Any] = {
    "role": "robustify",
    "net": "",
    "on": "digits",
    "folder": "",
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


def suggested_name(role: str, net: str, on: str, behaviour: str) -> str:
    """What the weights are called unless a person says."""
    what = "student" if role != "robustify" else "robust" if behaviour == USUAL else behaviour
    return f"{'own-images' if on == OWN else on}-{net.rpartition(':')[2]}-{what}"


def training_document(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The spec's JSON document; an `InputError` where one of its further settings can't be."""
    robust = choices["role"] == "robustify"
    document = {
        "kind": choices["role"],
        "data": own_name(choices["folder"]) if choices["on"] == OWN else choices["on"],
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
        or suggested_name(choices["role"], choices["net"], choices["on"], choices["behaviour"]),
    }
    return with_further(document, choices["also"])


def checked_training(choices: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """The document, and what is wrong with it in a sentence, if anything."""
    try:
        if choices["on"] == OWN and (problem := own_problem(own_name(choices["folder"]))) is not None:
            return {}, problem
        document = training_document(choices)
        load_spec(document)
    except BirdError as error:
        return {}, str(error)
    return document, None


def training_choices(document: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that a training run's document came from."""
    training, data = document.get("training", {}), str(document.get("data", ""))
    behaviour = document.get("behaviour", DEFAULTS["behaviour"])
    tested = str(behaviour if isinstance(behaviour, str) else behaviour.get("name"))
    own = catalog.own_path(data) is not None
    given = {
        "role": document["kind"],
        "net": document["model"]["model"],
        "on": OWN if own else data,
        "folder": data if own else "",
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
