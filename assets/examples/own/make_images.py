"""Draw a data set of one's own: a folder for each class, of shapes in any colour, place and size on a noisy ground.

python assets/examples/own/make_images.py FOLDER --count 200 --size 32
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

__all__ = ["SHAPES", "draw", "main"]

SHAPES = ("cross", "disc", "square", "triangle")


def draw(shape: str, size: int, generator: np.random.Generator) -> Image.Image:
    """One image; all of it but the shape is chance."""
    ground = generator.integers(0, 256, 3) * 0.5 + generator.normal(0, 18, (size, size, 3))
    image = Image.fromarray(np.clip(ground, 0, 255).astype(np.uint8))
    radius = size * generator.uniform(0.18, 0.34)
    x, y = generator.uniform(radius, size - radius, 2)
    colour = tuple(int(level) for level in generator.integers(110, 256, 3))
    pencil, box = ImageDraw.Draw(image), (x - radius, y - radius, x + radius, y + radius)
    if shape == "disc":
        pencil.ellipse(box, fill=colour)
    elif shape == "square":
        pencil.rectangle(box, fill=colour)
    elif shape == "triangle":
        pencil.polygon([(x, y - radius), (x - radius, y + radius), (x + radius, y + radius)], fill=colour)
    else:
        pencil.rectangle((x - radius, y - radius / 3, x + radius, y + radius / 3), fill=colour)
        pencil.rectangle((x - radius / 3, y - radius, x + radius / 3, y + radius), fill=colour)
    return image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200, help="images of each class")
    parser.add_argument("--size", type=int, default=32, help="pixels a side")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generator = np.random.default_rng(arguments.seed)
    for shape in SHAPES:
        (arguments.folder / shape).mkdir(parents=True, exist_ok=True)
        for number in range(arguments.count):
            draw(shape, arguments.size, generator).save(arguments.folder / shape / f"{number:04}.png")
    print(f"{arguments.count} images of each of {', '.join(SHAPES)} are in {arguments.folder}")


if __name__ == "__main__":
    main()
