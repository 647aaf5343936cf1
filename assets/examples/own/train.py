"""A training loop of one's own, with BIRD's loss in it and all of it recorded: watch it in the app as it goes.

    pip install . && python assets/examples/own/make_images.py shapes && python assets/examples/own/train.py shapes

The teacher is the one of digits that comes with the project, which noise and blur do not impress. It has little to say
about shapes, and the student begins from nothing: `--beta 0` does better here. What this shows is the loop, not a gain.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from network import build
from PIL import Image
from torch.nn.functional import cross_entropy

from bird_backend import BirdLoss, record
from bird_backend.models import load_model
from bird_backend.specs import ModelRef

__all__ = ["main", "read"]

BATCH = 64
PAIR = ("block1", "stage1")
BEHAVIOUR = {"name": "corruptions", "conditions": ["gaussian_noise", "defocus_blur", "contrast", "speckle_noise"]}


def read(folder: Path) -> tuple[torch.Tensor, torch.Tensor, list[str]]:
    """All images [N,3,S,S] from 0 to 1, shuffled, their labels [N] and the classes' names."""
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    files = [(path, label) for label, name in enumerate(classes) for path in sorted((folder / name).glob("*.png"))]
    images = np.stack([np.asarray(Image.open(path).convert("RGB")) for path, _ in files])
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0))
    return (
        torch.from_numpy(images).permute(0, 3, 1, 2)[order] / 255,
        torch.tensor([y for _, y in files])[order],
        classes,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--beta", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)

    images, labels, classes = read(arguments.folder)
    tenth = len(images) // 10
    test, probes, train = slice(0, 2 * tenth), slice(2 * tenth, 3 * tenth), slice(3 * tenth, None)
    student = build(classes=len(classes))
    teacher, _ = load_model(ModelRef(model="resnet-narrow", weights="digits-robust-teacher"), classes=None, seed=0)
    bird = BirdLoss(student, teacher, [PAIR])
    optimiser = torch.optim.SGD(student.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    x, y = images[train], labels[train]
    per_epoch = len(x) // BATCH
    steps = arguments.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    with record(
        f"Shapes, beta {arguments.beta:g}",
        student=student,
        teacher=teacher,
        layers=PAIR,
        probes=(images[probes], labels[probes]),
        classes=classes,
        settings={"beta": arguments.beta, "epochs": arguments.epochs, "batch": BATCH},
        seed=arguments.seed,
        steps=steps,
        steps_per_epoch=per_epoch,
    ) as run:
        run.snapshot(0)
        for step in range(steps):
            if step % per_epoch == 0:
                order = torch.randperm(len(x))
            rows = order[step % per_epoch * BATCH :][:BATCH]
            batch = (x[rows] - 0.5) / 0.25  # as the teacher was trained; record prepares its images just so
            task = cross_entropy(student.train()(batch), y[rows])
            representation = bird(batch)
            optimiser.zero_grad()
            ((1 - arguments.beta) * task + arguments.beta * representation).backward()
            optimiser.step()
            schedule.step()
            run.log(step, task_loss=task, representation_loss=representation, lr=schedule.get_last_lr()[0])
            if (step + 1) % per_epoch == 0:
                with torch.no_grad():
                    said = student.eval()((images[probes] - 0.5) / 0.25).argmax(1)
                run.log(step, validation_accuracy=(said == labels[probes]).float().mean(), n=tenth)
                run.snapshot(step + 1)
        figures = run.evaluate(images[test], labels[test], classes=classes, behaviour=BEHAVIOUR)["model"]
        run.save_weights(
            f"file:{Path(__file__).with_name('network.py').resolve()}:build", data=f"folder:{arguments.folder}"
        )
    clean, robust = (100 * figures[name].value for name in ("clean", "robust"))
    print(f"Run {run.id}: {clean:.1f} % of {figures['clean'].n} test images right, {robust:.1f} % under corruption")


if __name__ == "__main__":
    main()
