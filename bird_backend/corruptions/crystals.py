"""Pictures of frost on a window, drawn: ferns of ice, each a stem with needles with barbs, over a blue ground.

What `frost` lays over images, since the published photographs do not come with the project; `python -m bird_backend
assets frost` writes them. Brightness and contrast are chosen so that images are disturbed as much as by the published.
Enlarged to a photograph's own size they lack its finest grain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

__all__ = ["PICTURES", "draw_frost"]

Floats = NDArray[np.float64]

_SIZE = (200, 260)
"""Height and width: those of a photograph of 1000 × 1300 pixels, subsampled to a fifth."""
_FINE = 2
"""Drawn on a grid this many times finer, then averaged."""
_STOPS = (0.0, 0.45, 0.8, 1.0)
_COLOURS = ((22, 44, 84), (104, 146, 190), (196, 218, 236), (250, 253, 255))


@dataclass(frozen=True, kw_only=True)
class _Character:
    """What tells the five pictures apart."""

    seed: int
    ferns: int
    reach: float
    """Length of the longest stems, in pixels."""
    spread: float
    """Angle between a stem and its needles, in radians."""
    bend: float
    """How far a stem turns over its length, in radians."""
    mean: float
    """Brightness of the ice, of 1."""
    deviation: float
    """Of its brightness."""


_CHARACTERS = (
    _Character(seed=11, ferns=75, reach=120, spread=0.80, bend=0.9, mean=0.62, deviation=0.13),
    _Character(seed=23, ferns=150, reach=60, spread=1.05, bend=0.2, mean=0.66, deviation=0.12),
    _Character(seed=37, ferns=95, reach=95, spread=0.65, bend=1.6, mean=0.59, deviation=0.14),
    _Character(seed=41, ferns=240, reach=42, spread=1.05, bend=0.5, mean=0.71, deviation=0.115),
    _Character(seed=59, ferns=60, reach=150, spread=0.55, bend=0.5, mean=0.67, deviation=0.13),
)
PICTURES = len(_CHARACTERS)


def draw_frost(picture: int) -> NDArray[np.uint8]:
    """Picture `picture` (from 0) as uint8 [200,260,3]; the same bytes every time."""
    character = _CHARACTERS[picture]
    chance = np.random.default_rng(character.seed)
    shape = (_SIZE[0] * _FINE, _SIZE[1] * _FINE)
    ice = 1 - np.exp(-0.55 * _ferns(character, shape, chance))
    haze = _smooth(ice, 5 * _FINE)
    ground = _mottle(shape, chance)
    light = ice + 0.45 * haze + 0.17 * ground
    night = _averaged(_bare(shape, chance) * (1 - ice))
    return _coloured(_toned(_averaged(light), character) * (1 - 0.88 * night))


@dataclass(frozen=True, kw_only=True)
class _Strokes:
    """Curved strokes that thin out towards their ends: one entry of each array a stroke."""

    x: Floats
    y: Floats
    angle: Floats
    bend: Floats
    length: Floats
    light: Floats

    def some(self, which: NDArray[np.int64] | slice) -> _Strokes:
        return _Strokes(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    def along(self, share: Floats) -> tuple[Floats, Floats, Floats]:
        """x, y and direction at `share` [n, k] of each stroke's length: an arc of a circle, by its chords."""
        turned = self.bend[:, None] * share
        chord = self.length[:, None] * share * np.sinc(turned / (2 * np.pi))
        heading = self.angle[:, None] + turned / 2
        x = self.x[:, None] + chord * np.cos(heading)
        y = self.y[:, None] + chord * np.sin(heading)
        return x, y, self.angle[:, None] + turned


def _ferns(character: _Character, shape: tuple[int, int], chance: np.random.Generator) -> Floats:
    """How much ice lies where: stems that grow from the edges and from specks, in sprays."""
    height, width = shape
    sprays = max(character.ferns // 3, 3)
    centre_x, centre_y = chance.uniform(-0.05, 1.05, sprays) * width, chance.uniform(-0.05, 1.05, sprays) * height
    facing = chance.uniform(0, 2 * np.pi, sprays)
    of = chance.integers(sprays, size=character.ferns)
    n = character.ferns
    stems = _Strokes(
        x=centre_x[of] + chance.normal(0, 3 * _FINE, n),
        y=centre_y[of] + chance.normal(0, 3 * _FINE, n),
        angle=facing[of] + chance.normal(0, 1.1, n),
        bend=chance.normal(0, character.bend, n),
        length=character.reach * _FINE * chance.uniform(0.45, 1, n),
        light=chance.uniform(0.7, 1.2, n),
    )
    needles = _branches(stems, 2.6 * _FINE, character.spread, lambda share: 0.34 * (1.02 - share) * share**0.3, chance)
    barbs = _branches(needles, 2.2 * _FINE, character.spread, lambda share: 0.3 * (1.02 - share), chance)
    ice = np.zeros(shape)
    for strokes, weight in ((stems, 1.3), (needles, 0.8), (barbs, 0.5)):
        _splat(ice, strokes, weight)
    return ice


def _branches(
    strokes: _Strokes, gap: float, spread: float, profile: Callable[[Floats], Floats], chance: np.random.Generator
) -> _Strokes:
    """Branches to both sides, one every `gap` or so, as long as `profile` makes them at that share of the stroke."""
    counts = np.maximum((strokes.length / gap).astype(int), 1) * 2
    parent = np.repeat(np.arange(len(counts)), counts)
    share = chance.uniform(0.02, 1, len(parent))
    side = np.where(chance.random(len(parent)) < 0.5, -1.0, 1.0)
    chosen = strokes.some(parent)
    x, y, direction = (part[:, 0] for part in chosen.along(share[:, None]))
    return _Strokes(
        x=x,
        y=y,
        angle=direction + side * (spread + chance.normal(0, 0.08, len(parent))),
        bend=-side * chance.uniform(0.1, 0.5, len(parent)),
        length=chosen.length * profile(share) * chance.uniform(0.6, 1.1, len(parent)),
        light=chosen.light * chance.uniform(0.5, 1, len(parent)),
    )


def _splat(ice: Floats, strokes: _Strokes, weight: float) -> None:
    """Add every stroke to the grid, each of its points shared out among the four cells around it."""
    height, width = ice.shape
    steps = max(int(np.ceil(strokes.length.max() / 0.7)), 2)
    share = np.linspace(0, 1, steps)[None]
    for start in range(0, len(strokes.x), 4096):
        part = strokes.some(slice(start, start + 4096))
        x, y, _ = part.along(share)
        amount = weight * part.light[:, None] * (1 - 0.8 * share) * part.length[:, None] / steps
        left, top = np.floor(x), np.floor(y)
        for down in (0, 1):
            for right in (0, 1):
                column, row = (left + right).astype(int), (top + down).astype(int)
                inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
                cover = (1 - np.abs(x - column)) * (1 - np.abs(y - row)) * amount
                np.add.at(ice, (row[inside], column[inside]), cover[inside])


def _mottle(shape: tuple[int, int], chance: np.random.Generator) -> Floats:
    """Uneven ground: Gaussian noise at several scales, the coarser the stronger, and a little grain."""
    ground = np.zeros(shape)
    for sigma, weight in ((40, 1.0), (14, 0.6), (5, 0.35), (1.2, 0.25)):
        layer = _smooth(chance.standard_normal(shape), sigma * _FINE)
        ground += weight * layer / layer.std()
    return ground


def _bare(shape: tuple[int, int], chance: np.random.Generator) -> Floats:
    """1 where nothing but needles covers the glass and the night shows, 0 where all is ice, with frayed edges."""
    patches = np.zeros(shape)
    for sigma, weight in ((20, 1.0), (6, 0.28), (2, 0.12)):
        layer = _smooth(chance.standard_normal(shape), sigma * _FINE)
        patches += weight * layer / layer.std()
    bare: Floats = np.clip((patches / patches.std() - 1.4) / 0.7, 0, 1)
    return bare


def _averaged(grid: Floats) -> Floats:
    """From the fine grid to pixels."""
    averaged: Floats = grid.reshape(_SIZE[0], _FINE, _SIZE[1], _FINE).mean(axis=(1, 3))
    return averaged


def _smooth(grid: Floats, sigma: float) -> Floats:
    """A Gaussian of `sigma` cells, wrapping around."""
    rows, columns = (np.fft.fftfreq(size)[:, None] for size in grid.shape)
    falloff = np.exp(-2 * (np.pi * sigma) ** 2 * (rows**2 + columns.T**2))
    smoothed: Floats = np.fft.ifft2(np.fft.fft2(grid) * falloff).real
    return smoothed


def _toned(light: Floats, character: _Character) -> Floats:
    """The picture's brightness, drawn to the mean and deviation that its character has."""
    for _ in range(8):
        light = (light - light.mean()) / light.std() * character.deviation + character.mean
        light = np.clip(light, 0.04, 1)
    return light


def _coloured(light: Floats) -> NDArray[np.uint8]:
    """Dark blue over ice blue to white, brightness kept."""
    channels = [np.interp(light, _STOPS, [colour[i] for colour in _COLOURS]) for i in range(3)]
    tinted = np.stack(channels, axis=-1)
    tinted *= (light * 255 / tinted.mean(axis=-1))[..., None]
    return np.clip(np.rint(tinted), 0, 255).astype(np.uint8)
