"""Names at the ends of lines, apart from one another, so that a chart of many lines is read without its legend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from app.look.palette import LIGHT

__all__ = ["MARK", "End", "name_ends", "spread_apart"]

MARK = "line end"
"""What a trace says it is in its `meta`; the browser leaves such traces out where a chart is narrow."""
_LINE = 13.0
"""Pixels from one name to the next."""
_LETTER = 6.1
_REACHES = 0.97
"""A line that ends before this share of the axis has its name where it ends, among the others' lines."""


@dataclass(frozen=True, kw_only=True)
class End:
    """Where a line ends; `group` is its legend group, with which its name is hidden."""

    label: str
    group: str
    x: float
    y: float
    colour: str


def name_ends(figure: go.Figure, ends: Sequence[End], *, low: float, high: float, room: float) -> go.Figure:
    """Write the names beside a chart whose lines lie between `low` and `high`, over `room` pixels.

    No names where there is one line, or more than there is room for; a legend has to do then.
    """
    if len(ends) < 2 or len(ends) * _LINE > room:
        return figure
    last = max(end.x for end in ends)
    reaching = sorted((end for end in ends if end.x >= _REACHES * last), key=lambda end: -end.y)
    apart = _LINE * max(high - low, 1e-9) / room
    places = dict(zip((end.label for end in reaching), spread_apart([end.y for end in reaching], apart), strict=True))
    for end in ends:
        aside = end.label in places
        figure.add_scatter(
            x=[end.x, last * 1.015] if aside else [end.x],
            y=[end.y, places[end.label]] if aside else [end.y],
            mode="lines+text",
            text=["", f"\u00a0{end.label}"] if aside else [f"\u00a0{end.label}"],
            textposition="middle right",
            textfont={"size": 11, "color": LIGHT.text},
            line={"color": end.colour, "width": 1},
            name=end.label,
            meta=MARK,
            legendgroup=end.group,
            showlegend=False,
            hoverinfo="skip",
            cliponaxis=False,
        )
    return figure.update_layout(margin_r=16 + round(_LETTER * max(len(end.label) for end in ends)))


def spread_apart(wanted: Sequence[float], apart: float) -> list[float]:
    """Falling places, each at least `apart` below the one before, as near to `wanted` as can be (least squares).

    Pools neighbours that are too near, as isotonic regression does.
    """
    blocks: list[list[float]] = []  # mean of what the members want of the block's first place, and how many they are
    for at, place in enumerate(wanted):
        blocks.append([place + at * apart, 1.0])
        while len(blocks) > 1 and blocks[-1][0] > blocks[-2][0]:
            (mean, count), (other, more) = blocks[-1], blocks.pop(-2)
            blocks[-1] = [(mean * count + other * more) / (count + more), count + more]
    means = [mean for mean, count in blocks for _ in range(int(count))]
    return [mean - at * apart for at, mean in enumerate(means)]
