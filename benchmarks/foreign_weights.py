"""What opening and recognising a weights file of another program takes, and how many networks are recognised.

python -m benchmarks.foreign_weights --repeats 3
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
import time
from pathlib import Path

import torch

from bird_backend import catalog
from bird_backend.models import build_model
from bird_backend.models.foreign.reading import opened
from bird_backend.models.foreign.recognising import exact
from bird_backend.models.foreign.unwrapping import groups
from bird_backend.models.skeletons import skeleton

__all__ = ["main"]

_CLASSES = 7


def main() -> None:
    """Print one JSON document a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--networks", default="resnet18,resnet50,vit_b_16")
    arguments = parser.parse_args()
    for name in arguments.networks.split(","):
        print(json.dumps(_opening(name, arguments.repeats)), flush=True)
    print(json.dumps(_known()))


def _opening(name: str, repeats: int) -> dict[str, object]:
    """Of a file as a training loop leaves it: a state_dict of DataParallel's in a checkpoint."""
    opening, recognising = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pth"
        model = build_model(f"torchvision:{name}", classes=_CLASSES, seed=0, image_size=224)
        torch.save({"state_dict": {f"module.{key}": value for key, value in model.state_dict().items()}}, path)
        for _ in range(repeats):
            before = _seconds()
            with opened(path, subject=path.name, folder=Path(folder)) as file:
                opening.append(_seconds() - before)
                began = time.process_time()
                (found,) = exact(groups({key: facts.shape for key, facts in file.tensors.items()}))
                recognising.append(1000 * (time.process_time() - began))
        assert f"torchvision:{name}" in found.signature.names
        megabytes = path.stat().st_size / 1e6
    return {
        "network": name,
        "n": repeats,
        "file_mb": round(megabytes, 1),
        "child_processor_s": [round(value, 2) for value in sorted(opening)],
        "recognising_ms": round(statistics.median(recognising), 1),
        "children_peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def _known() -> dict[str, object]:
    """How many of torchvision's classifiers are recognised by name and class count, each with its own stem."""
    right, times = 0, []
    for name in catalog.TORCHVISION:
        metas = skeleton(f"torchvision:{name}", classes=_CLASSES, image_size=224)
        shapes = {f"model.module.{key}": tuple(meta.shape) for key, meta in metas.items()}
        began = time.process_time()
        found = exact(groups(shapes))
        times.append(1000 * (time.process_time() - began))
        right += bool(
            found
            and f"torchvision:{name}" in found[0].signature.names
            and found[0].group.shapes[found[0].signature.heads[0]][0] == _CLASSES
        )
    return {"torchvision": len(catalog.TORCHVISION), "recognised": right, "slowest_ms": round(max(times), 1)}


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
