"""The colours, chosen separately for a light and a dark page, and what each of them stands for.

Figures are built in the light colours; the browser swaps them for the dark ones (`swaps`), so a page that changes its
theme needs no server. Okabe and Ito's colours where hue carries meaning, viridis for similarity, and a diverging map
through the page's own neutral for a difference.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["DARK", "LIGHT", "VIRIDIS", "Palette", "swaps"]

VIRIDIS = ("#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b", "#fde725")


@dataclass(frozen=True, kw_only=True)
class Palette:
    """One theme's colours by role."""

    background: str
    panel: str
    text: str
    muted: str
    grid: str
    axis: str
    teacher: str
    teacher_text: str
    """The teacher's amber, dark enough to read."""
    student: str
    student_faint: str
    baseline: str
    before: str
    diverging: tuple[str, ...]
    """From *the first is higher* through neutral to *the second is higher* (the student, BIRD)."""
    diverging_soft: tuple[str, ...]
    """The same, quiet enough to print a number on."""
    sequential: tuple[str, ...]
    """Low to high, for an accuracy printed on it."""
    classes: tuple[str, ...]
    runs: tuple[str, ...]
    more_runs: tuple[str, ...]
    """The same hues nearer to the text and nearer to the page, for those after the first few."""


def _mixed(colours: tuple[str, ...], other: str, share: float) -> tuple[str, ...]:
    """Each colour with so much of another in it."""

    def part(colour: str, place: int) -> int:
        one, two = (int(text[place : place + 2], 16) for text in (colour, other))
        return round((1 - share) * one + share * two)

    return tuple("#" + "".join(f"{part(colour, place):02x}" for place in (1, 3, 5)) for colour in colours)


_LIGHT_RUNS = ("#0073b2", "#d55f00", "#009e74", "#b0558a", "#8c7a00", "#332289", "#3aa0d9", "#5b6169")
_DARK_RUNS = ("#57b4e9", "#f08a4b", "#3cc19b", "#e39ac4", "#d8c84a", "#9a90ea", "#a6d8f8", "#a4acb4")
LIGHT = Palette(
    background="#fcfcfa",
    panel="#f1f2ef",
    text="#1c2126",
    muted="#5a6169",
    grid="#e6e8e4",
    axis="#c4c8c2",
    teacher="#c77700",
    teacher_text="#8a4b00",
    student="#0072b2",
    student_faint="#a6cde6",
    baseline="#6b7178",
    before="#3f7fa6",
    diverging=("#8a3a00", "#cf7a2c", "#ecbd92", "#f3f3f0", "#a7cce4", "#3d8dc2", "#00487f"),
    diverging_soft=("#e08a3d", "#efb98a", "#f3f3f1", "#a6cde8", "#5aa5d7"),
    sequential=("#f6f6f1", "#d6e9e3", "#aed6ce", "#84c1ba", "#62aca8"),
    classes=(
        "#0072b3",
        "#e69f00",
        "#009e73",
        "#cc79a7",
        "#d55e00",
        "#56b4e9",
        "#882255",
        "#8c8c1a",
        "#332288",
        "#77797c",
    ),
    runs=_LIGHT_RUNS,
    more_runs=(*_mixed(_LIGHT_RUNS, "#1c2126", 0.45), *_mixed(_LIGHT_RUNS, "#fcfcfa", 0.45)),
)

DARK = Palette(
    background="#12161a",
    panel="#1c2228",
    text="#e6e9eb",
    muted="#a3acb4",
    grid="#262d34",
    axis="#46505a",
    teacher="#f0a92b",
    teacher_text="#f5be5c",
    student="#56b4e9",
    student_faint="#2f5c78",
    baseline="#a9b1b9",
    before="#8fbfdc",
    diverging=("#ffc48a", "#d9823b", "#7d4a22", "#20262c", "#1f4f70", "#3f93cc", "#a9d9fb"),
    diverging_soft=("#9c5218", "#5c3a20", "#20262c", "#1f425a", "#27688f"),
    sequential=("#1a2126", "#19343b", "#1a4a52", "#1d5c65", "#1f6c76"),
    classes=(
        "#56b5e9",
        "#f2b63c",
        "#2fc79b",
        "#e59cc6",
        "#f2824a",
        "#a8dcff",
        "#c9709b",
        "#cfcf5a",
        "#8f84e8",
        "#b4b9be",
    ),
    runs=_DARK_RUNS,
    more_runs=(*_mixed(_DARK_RUNS, "#e6e9eb", 0.45), *_mixed(_DARK_RUNS, "#12161a", 0.45)),
)


def swaps() -> dict[str, str]:
    """What each light colour becomes on a dark page."""
    found: dict[str, str] = {}
    for role in fields(Palette):
        light, dark = getattr(LIGHT, role.name), getattr(DARK, role.name)
        pairs = [(light, dark)] if isinstance(light, str) else zip(light, dark, strict=True)
        for before, after in pairs:
            if found.setdefault(before, after) != after:
                raise ValueError(f"{before} stands for two things that differ in the dark")
    return found
