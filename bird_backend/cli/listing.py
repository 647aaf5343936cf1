"""What `list` shows: everything that can be named in a spec, and the runs and studies there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from bird_backend import catalog, runs, studies
from bird_backend.behaviours import BEHAVIOURS, STRENGTHS, BehaviourSettings
from bird_backend.corruptions import CORRUPTIONS, SIZES
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import KINDS, ExamineSpec
from bird_backend.exports import EXPORTS
from bird_backend.runs.networks import examine_spec, network_facts
from bird_backend.runs.provenance import list_weights
from bird_backend.sources import check_network
from bird_backend.specs import ModelRef
from bird_backend.transfer import METHODS

__all__ = ["describe", "listing"]

Listing = tuple[list[dict[str, Any]], list[tuple[object, ...]], tuple[str, ...]]
"""JSON documents, and the same as a table's rows and header."""


def listing(what: str, name: str | None = None, image_size: int = 32) -> Listing:
    """The listing of that kind; `name` is the model whose layers are meant, at images of that size."""
    if what == "layers":
        if name is None:
            raise InputError("`list layers` wants a model's name, such as: list layers resnet-narrow.")
        return _layers(name, image_size)
    if what not in _LISTINGS:
        raise UnknownNameError("list", what, [*_LISTINGS, "layers"])
    return _LISTINGS[what]()


def describe(row: runs.Run) -> dict[str, Any]:
    """A run as JSON."""
    return {
        "run": row.id,
        "kind": row.kind,
        "title": row.title,
        "state": row.state,
        "reason": row.reason,
        "created": row.created,
        "started": row.started,
        "finished": row.finished,
        "device": row.device,
        "attempts": row.attempts,
        "progress": row.directory.read_progress() if row.state in runs.ACTIVE else None,
        "summary": row.summary,
        "marks": asdict(row.marks),
    }


def _models() -> Listing:
    facts = list(catalog.models().values())
    rows = [(m.name, f"{m.parameters:,}", len(m.layers), m.title) for m in facts]
    return [asdict(m) for m in facts], [*rows], ("model", "parameters", "layers", "")


def _layers(model: str, image_size: int) -> Listing:
    """Of a network that nobody has built yet it builds it, as a run whose result is kept."""
    ref = ModelRef(model=check_network(model))
    facts = network_facts(ref, image_size)
    if facts is None or facts.image_size != image_size:
        _examine(examine_spec(ref, image_size))
        facts = network_facts(ref, image_size)
    if facts is None:
        raise InputError(f"{model} was examined, but its code has changed since; list its layers again.")
    stages = any(layer.stage for layer in facts.layers)
    rows = [
        (layer.name, "×".join(map(str, layer.shape)), *((layer.stage, _remark(layer)) if stages else ()))
        for layer in facts.layers
    ]
    return [asdict(layer) for layer in facts.layers], [*rows], ("layer", "shape", *(("stage", "") if stages else ()))


def _examine(spec: ExamineSpec) -> None:
    from bird_backend.jobs.process import perform  # noqa: PLC0415 - most listings are of what is known

    perform(runs.RunStore().create(spec, state="running", device="cpu").id, device="cpu")


def _remark(layer: catalog.LayerFacts) -> str:
    remarks = ["classifier"] if layer.classifier else ["stands for its block"] if layer.outline else []
    return ", ".join([layer.kind, *remarks, *([f"runs {layer.times} times"] if layer.times > 1 else [])])


def _datasets() -> Listing:
    facts = list(catalog.DATASETS.values())
    rows: list[tuple[object, ...]] = [
        (d.name, d.train, d.validation, d.test, "download" if d.network else "here", d.caption) for d in facts
    ]
    documents = [asdict(d) for d in facts]
    for other in catalog.TORCHVISION_SETS.values():
        name = f"torchvision:{other.name}"
        documents.append({"name": name, "title": other.title, "image_size": other.image_size, "network": True})
        rows.append((name, "", "", "", "download", other.title))
    rows.append(("NAME#CLASSES", "", "", "", "", "Some classes of any, by number or name: cifar10#0,3,5-9, digits#7,8"))
    return documents, rows, ("data set", "train", "validation", "test", "", "")


def _methods() -> Listing:
    rows = [(method.name, method.caption) for method in METHODS.values()]
    return [method.as_dict() for method in METHODS.values()], [*rows], ("method", "")


def _behaviours() -> Listing:
    documents: list[dict[str, Any]] = []
    rows: list[tuple[object, ...]] = []
    for behaviour in BEHAVIOURS.values():
        conditions = list(behaviour.conditions.values())
        documents.append(
            {
                "name": behaviour.name,
                "title": behaviour.title,
                "caption": behaviour.caption,
                "conditions": [asdict(condition) for condition in conditions],
                "strengths": list(STRENGTHS),
                "attacks": behaviour.attacks,
                "options": sorted(set(behaviour.settings.model_fields) - set(BehaviourSettings.model_fields)),
            }
        )
        rows.append((behaviour.name, "", "", behaviour.caption))
        rows += [("", c.name, "held out" if c.held_out else "seen", c.caption) for c in conditions]
    return documents, rows, ("behaviour", "condition", "", "")


def _exports() -> Listing:
    known = list(EXPORTS.values())
    documents = [{"name": e.name, "title": e.title, "caption": e.caption, "package": e.package} for e in known]
    return documents, [(e.name, e.package or "", e.caption) for e in known], ("export", "needs", "")


def _corruptions() -> Listing:
    facts = list(CORRUPTIONS.values())
    documents = [
        {
            "name": c.name,
            "title": c.title,
            "caption": c.caption,
            "family": c.family,
            "held_out": c.held_out,
            "constants": {source.title: [dict(row) for row in table] for source, table in c.constants.items()},
        }
        for c in facts
    ]
    rows = [(c.name, c.family, "held out" if c.held_out else "seen", c.caption) for c in facts]
    tables = [("", "", "constants", f"{said[0].upper()}{said[1:]}.") for said in SIZES]
    return documents, [*rows, *tables], ("corruption", "family", "", "")


def _weights() -> Listing:
    found = list_weights()
    documents = [
        {
            "name": c.name,
            "origin": c.origin,
            "problem": c.problem,
            "provenance": c.provenance.model_dump(mode="json") if c.provenance else None,
        }
        for c in found
    ]
    rows = [(c.name, c.provenance.model if c.provenance else "", c.origin, c.problem or "") for c in found]
    return documents, [*rows], ("weights", "model", "from", "")


def _runs() -> Listing:
    known = runs.RunStore().list()
    return [describe(row) for row in known], [(row.id, row.state, row.title) for row in known], ("run", "state", "")


def _studies() -> Listing:
    known = [_study(study) for study in studies.list_studies(limit=None)]
    return [document for document, _ in known], [row for _, row in known], ("study", "", "")


def _study(study: studies.Study) -> tuple[dict[str, Any], tuple[object, ...]]:
    states = studies.states_of(study)
    document = study.model_dump(mode="json", exclude={"base", "variants", "members"}) | {
        "variants": [variant.key for variant in study.variants],
        "states": dict(states),
    }
    return document, (study.id, f"{states.get('done', 0)} of {len(study.members)} done", study.title)


def _kinds() -> Listing:
    known = list(KINDS.values())
    documents = [{"name": kind.name, "label": kind.label, "fields": list(kind.spec.model_fields)} for kind in known]
    return (
        documents,
        [(kind.name, kind.label, ", ".join(kind.spec.model_fields)) for kind in known],
        ("kind", "", "fields"),
    )


_LISTINGS: dict[str, Callable[[], Listing]] = {
    "models": _models,
    "datasets": _datasets,
    "methods": _methods,
    "behaviours": _behaviours,
    "corruptions": _corruptions,
    "weights": _weights,
    "kinds": _kinds,
    "exports": _exports,
    "runs": _runs,
    "studies": _studies,
}
