"""A trained network of timm as the folder that timm loads: `timm.create_model("local-dir:FOLDER")`.

That is the layout of the hub's timm repositories: `config.json` and `model.safetensors`. Below 64 pixels our networks
have other strides than timm's, which no configuration can say, so that such weights would be loaded without a complaint
and give nonsense: they are refused.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from bird_backend.errors import InputError
from bird_backend.exports.declaration import Export
from bird_backend.exports.weights import has_weights, trained_weights
from bird_backend.runs.directory import write_json
from bird_backend.runs.provenance import Provenance, read_provenance
from bird_backend.runs.store import Run
from bird_backend.specs import OURS

__all__ = ["DECLARES"]

_LEAST = 64


def _write(run: Run, folder: Path) -> list[str]:
    source = trained_weights(run)
    made = read_provenance(source)
    if made is None or not made.model.startswith("timm:"):
        raise InputError(
            f"Run {run.id} trained {made.model if made else 'a network that no provenance names'}, which is none of"
            " timm's; --to weights takes any."
        )
    if made.image_size < _LEAST:
        raise InputError(
            f"Run {run.id} trained on images of {made.image_size} pixels, for which {made.model} got a stem that timm"
            f" doesn't know: from {_LEAST} pixels on it keeps its own."
        )
    target = folder / run.id
    target.mkdir(exist_ok=True)
    write_json(target / "config.json", _configuration(source, made))
    shutil.copyfile(source, target / "model.safetensors")
    return [str(target)]


def _has(run: Run) -> bool:
    made = read_provenance(trained_weights(run)) if has_weights(run) else None
    return made is not None and made.model.startswith("timm:") and made.image_size >= _LEAST


def _configuration(source: Path, made: Provenance) -> dict[str, Any]:
    """What timm is to know, once its network has taken every tensor."""
    import timm  # noqa: PLC0415 - optional
    from safetensors.torch import load_file  # noqa: PLC0415 - torch
    from timm.models import get_pretrained_cfg  # noqa: PLC0415

    name = made.model.partition(":")[2]
    facts = get_pretrained_cfg(name, allow_unregistered=True)
    sized: dict[str, Any] = {"img_size": made.image_size} if getattr(facts, "fixed_input_size", False) else {}
    wanted = made.preprocessing or OURS
    side = wanted.size or made.image_size
    classes = len(made.classes)
    try:
        network: Any = timm.create_model(name, pretrained=False, num_classes=classes, **sized)
        network.load_state_dict(load_file(source))
    except (RuntimeError, TypeError, ValueError) as error:
        said = " ".join(line.strip() for line in str(error).splitlines()[:2])
        raise InputError(f"timm's {name} does not take these weights: {said[:200]}…") from error
    own = {key: network.pretrained_cfg.get(key) for key in ("first_conv", "classifier")}
    return {
        "architecture": name,
        "num_classes": classes,
        "num_features": network.num_features,
        "label_names": list(made.classes),
        "model_args": sized,
        "pretrained_cfg": {
            **own,
            "num_classes": classes,
            "input_size": [3, side, side],
            "fixed_input_size": bool(sized),
            "crop_pct": 1.0,
            "interpolation": "bicubic",
            "mean": list(wanted.mean),
            "std": list(wanted.std),
        },
    }


DECLARES = Export(
    name="timm",
    place=31,
    title="timm",
    caption="A network of timm as a folder with config.json, for timm.create_model('local-dir:DIR/RUN').",
    write=_write,
    has=_has,
    package="timm",
)
