"""Weights files as the pages see them, provenance and a small tensor, in a home whose assets hold none."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from bird_backend import catalog, settings

__all__ = [
    "DATA",
    "FASHION",
    "NETWORK",
    "NETWORKS",
    "STUDENT",
    "TEACHER",
    "assets_without_weights",
    "write_demo_weights",
    "write_weights",
]

DATA = "fashion-mnist-small#5-9"
FASHION = catalog.find_dataset(DATA).classes
NETWORK = "resnet-narrow"
TEACHER, STUDENT = "zoo-resnet-narrow-fashion-0-4-corruptions", "zoo-resnet-narrow-fashion-5-9-clean"
NETWORKS = {TEACHER: NETWORK, STUDENT: NETWORK}
"""Which network each of the demo's weights holds."""


def assets_without_weights(tmp_path: Path) -> Path:
    """The project's examples without its weights, so that a test says which weights there are."""
    folder = tmp_path / "assets"
    (folder / "examples").mkdir(parents=True)
    (folder / "examples" / "demo.json").write_text((settings.ASSETS / "examples" / "demo.json").read_text())
    return folder


def write_weights(name: str, **changes: Any) -> Path:
    """A weights file with provenance and a single small tensor."""
    provenance = {
        "model": NETWORK,
        "classes": [str(digit) for digit in range(10)],
        "data": "digits",
        "recipe": {"kind": "robustify", "data": "digits", "seed": 0},
        "seed": 0,
        "clean_accuracy": 0.97,
        "robust_accuracy": 0.87,
        "n_test": 359,
        "code_version": "0.1.0",
        "created": "2026-01-01T00:00:00Z",
        "title": "Robust digits teacher",
        "role": "teacher",
    } | changes
    header = json.dumps(
        {
            "__metadata__": {"bird": json.dumps(provenance)},
            "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        }
    ).encode()
    path = settings.checkpoints_dir() / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 4)
    return path


def write_demo_weights() -> None:
    write_weights(TEACHER)
    write_weights(STUDENT, data=DATA, classes=list(FASHION), role="student", title="Fashion student")
