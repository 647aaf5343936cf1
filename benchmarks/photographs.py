"""The pair on photographs of RESULTS.md, from a zip of class folders that are not part of the project.

    python -m benchmarks.photographs CIFAR10.zip OUT --classes 0-4 5-9 --every 10
    for spec in teacher-clean teacher student; do python -m bird_backend run OUT/$spec.json; done
    python -m benchmarks.confirm_pair --spec OUT/transfer.json --out OUT/scores.jsonl

Writes OUT/few.zip and four specs. Of each class's training images, in order of their names, every tenth trains in
few.zip (`--every`) and every fifth from the fourth on validates; all test images are kept. The teacher has all images
of its own classes, first clean and then under the seen corruptions; the student has the few of the others.
"""

from __future__ import annotations

import argparse
import json
import zipfile
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import Any


def write_fewer(source: Path, target: Path, *, every: int) -> None:
    """Copy `train/CLASS/*` to train/ and val/, without images in common where 5 divides `every`, and all of test/."""
    with zipfile.ZipFile(source) as given, zipfile.ZipFile(target, "w") as kept:
        folders: dict[tuple[str, ...], list[PurePosixPath]] = defaultdict(list)
        for name in map(PurePosixPath, sorted(given.namelist())):
            if len(name.parts) == 3:
                folders[name.parts[:2]].append(name)
        for (split, label), names in folders.items():
            for place, name in enumerate(names):
                part = split if split == "test" else "train" if place % every == 0 else "val" if place % 5 == 3 else ""
                if part:
                    kept.writestr(f"{part}/{label}/{name.name}", given.read(str(name)))


def specs(arguments: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """By name, the runs that make the networks, and the transfer."""
    known, asked = arguments.classes
    every = f"zip:{arguments.images.resolve()}#{known}"
    few = f"zip:{(arguments.out / 'few.zip').resolve()}#{asked}"
    network = {"model": arguments.model}

    def training(epochs: int, batch: int) -> dict[str, Any]:
        return {"training": {"epochs": epochs, "batch_size": batch, "lr": 0.1}}

    clean, robust, student = "photographs-teacher-clean", "photographs-teacher", "photographs-student"
    return {
        "teacher-clean": {"kind": "pretrain", "data": every, "model": network, "role": "teacher", "save_as": clean}
        | training(arguments.teacher_epochs, 128),
        "teacher": {"kind": "robustify", "data": every, "model": network | {"weights": clean}, "save_as": robust}
        | training(arguments.teacher_epochs * 3 // 2, 128),
        "student": {"kind": "pretrain", "data": few, "model": network, "save_as": student}
        | training(arguments.student_epochs, 64),
        "transfer": {
            "kind": "transfer",
            "title": "Photographs of the one half's classes, robust → few of the other's",
            "data": few,
            "teacher": network | {"weights": robust},
            "student": network | {"weights": student},
            "method": {
                "name": "bird",
                "alpha": 0.1,
                "beta": 0.9,
                "pairs": [{"teacher": arguments.layer, "student": arguments.layer}],
            },
            "baseline": False,
            "evaluation": {"limit": 500},
            "snapshots": {"count": 3, "gram_images": 64, "embedding_images": 256},
            "seed": 10,
        }
        | training(arguments.epochs, 64),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path, help="a zip of train/CLASS/ and test/CLASS/")
    parser.add_argument("out", type=Path, help="a folder")
    parser.add_argument("--classes", nargs=2, default=("0-4", "5-9"), help="the teacher's, the student's")
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--model", default="resnet-narrow")
    parser.add_argument("--layer", default="block3", help="guiding and guided")
    parser.add_argument("--teacher-epochs", type=int, default=30)
    parser.add_argument("--student-epochs", type=int, default=60)
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()
    if arguments.every % 5:
        parser.error("--every takes a multiple of 5, so that no image both trains and validates")
    arguments.out.mkdir(parents=True, exist_ok=True)
    write_fewer(arguments.images, arguments.out / "few.zip", every=arguments.every)
    for name, document in specs(arguments).items():
        (arguments.out / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
