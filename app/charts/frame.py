"""What every figure shares: transparent ground, quiet grid, room for its axes, and names for the arms of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
import plotly.graph_objects as go

from app.look.palette import LIGHT
from bird_backend.transfer import METHODS

__all__ = [
    "SYMBOLS",
    "Arm",
    "Look",
    "arm",
    "blank",
    "errors",
    "later",
    "legend_above",
    "legend_below",
    "nth_look",
    "numbers",
    "scale",
]

FONT = "Inter, system-ui, sans-serif"


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a line is told from others: no one of the three has to be seen for that."""

    colour: str
    dash: str = "solid"
    symbol: str = "circle"

    def line(self, width: float) -> dict[str, Any]:
        """Plotly's `line`."""
        return {"color": self.colour, "width": width, "dash": self.dash}

    def marker(self, size: float) -> dict[str, Any]:
        """Plotly's `marker`, on a few points of a long line."""
        return {"color": self.colour, "size": size, "symbol": self.symbol, "maxdisplayed": _MOST_MARKERS}


@dataclass(frozen=True, kw_only=True)
class Arm:
    """How a model of a run is named and drawn, everywhere."""

    label: str
    look: Look


_MOST_MARKERS = 12
_NEUTRAL = Look(colour=LIGHT.baseline, dash="dashdot", symbol="hexagon")
_OTHERS: Mapping[str, Arm] = {
    "before": Arm(label="Before", look=Look(colour=LIGHT.before, dash="dot", symbol="circle-open")),
    "model": Arm(label="Model", look=Look(colour=LIGHT.student)),
    "ceiling": Arm(label="Oracle (ceiling)", look=Look(colour=LIGHT.baseline, dash="dash", symbol="square-open")),
    "teacher": Arm(label="Teacher", look=Look(colour=LIGHT.teacher)),
}
_ROLES: Mapping[str, Look] = {
    "floor": _OTHERS["before"].look,
    "reference": Look(colour=LIGHT.baseline),
    "ceiling": _OTHERS["ceiling"].look,
}
_OWN = "bird"
"""The method that the app is about is drawn as the student is, everywhere."""
_HUES = LIGHT.runs[1:7]
_DASHES = ("solid", "dash", "longdashdot")
SYMBOLS = (
    *("square", "diamond", "triangle-up", "cross", "triangle-down", "x"),
    *("star", "pentagon", "hourglass", "star-diamond", "bowtie", "hexagram"),
)
"""Markers that are told apart at the size of a line's points, beside the circle of the app's own method."""


def arm(name: str) -> Arm:
    """The arm of that name: a method, or whatever else is measured; an unknown one has a neutral line."""
    if name in _OTHERS:
        return _OTHERS[name]
    if name not in METHODS:
        return Arm(label=name, look=_NEUTRAL)
    method = METHODS[name]
    if method.role != "contender":
        return Arm(label=method.title, look=_ROLES[method.role])
    if name == _OWN:
        return Arm(label=method.title, look=Look(colour=LIGHT.student))
    rivals = [each.name for each in METHODS.values() if each.role == "contender" and each.name != _OWN]
    return Arm(label=method.title, look=nth_look(rivals.index(name)))


def nth_look(place: int, hues: Sequence[str] = _HUES) -> Look:
    """One of many looks: the next hue each time, the next dash with each round of hues, a marker of its own."""
    turn, hue = divmod(place, len(hues))
    return Look(colour=hues[hue], dash=_DASHES[turn % len(_DASHES)], symbol=SYMBOLS[place % len(SYMBOLS)])


def scale(colours: tuple[str, ...]) -> list[list[Any]]:
    """Evenly spaced stops for a colour scale."""
    return [[index / (len(colours) - 1), colour] for index, colour in enumerate(colours)]


def blank(title: str, *, height: int = 280, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """An empty figure with the shared looks; `title` says what is drawn.

    An axis of time begins at 0 at the earliest, one of shares or of CKA does not go on beyond what there can be.
    """
    heading = {"text": title, **_TITLE}
    axes = {"xaxis": _axis(x) | _BOUNDS.get(x, {}), "yaxis": _axis(y) | {"showline": False} | _BOUNDS.get(y, {})}
    # In one piece: each update of a figure costs Plotly a validation, and a page draws several a second.
    return go.Figure(layout={**_LAYOUT, **axes, "title": heading, "height": height, **layout})


def legend_below() -> dict[str, Any]:
    """Plotly's `legend`, under the axis: of names too long to stand beside the title."""
    return {**_LAYOUT["legend"], "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"}


def legend_above() -> dict[str, Any]:
    """Room for a `legend` of a few long names between title and chart, in one column where the window is narrow."""
    own = {**_LAYOUT["legend"], "x": 0, "xanchor": "left", "y": 1.02}
    return {"legend": own, "margin": {**_LAYOUT["margin"], "t": 96}}


class Bounded(Protocol):
    """A number with an interval, or without bounds."""

    @property
    def value(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def bounded(self) -> bool: ...


def errors(found: Sequence[Bounded | None], *, colour: str = LIGHT.axis, thickness: float = 1, width: float = 0) -> Any:
    """Plotly's `error_x` or `error_y` of numbers with intervals; of one without bounds there is nothing to see."""
    known = [one if one is not None and one.bounded else None for one in found]
    return {
        "type": "data",
        "array": [0.0 if one is None else one.high - one.value for one in known],
        "arrayminus": [0.0 if one is None else one.value - one.low for one in known],
        "color": colour,
        "thickness": thickness,
        "width": width,
    }


def later(figure: go.Figure, words: str) -> go.Figure:
    """An axis with nothing on it yet says when something comes, rather than making up numbers."""
    figure.add_annotation(
        text=words, xref="paper", yref="paper", x=0.5, y=0.5, showarrow=False, font={"color": LIGHT.muted, "size": 12}
    )
    return figure.update_xaxes(showticklabels=False).update_yaxes(showticklabels=False)


def numbers(*figures: go.Figure) -> pd.DataFrame:
    """What the curves of figures show, as one table for those who would rather read."""
    parts = [
        pd.DataFrame({"chart": figure.layout.title.text, "curve": trace.name, "x": trace.x, "value": trace.y})
        for figure in figures
        for trace in figure.data
        if trace.meta is None
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


_BOUNDS: Mapping[str, dict[str, Any]] = {
    "Step": {"minallowed": 0},
    "Epoch": {"minallowed": 0},
    "Accuracy": {"minallowed": 0, "maxallowed": 1, "tickformat": ".3~p"},
    "CKA": {"maxallowed": 1, "rangemode": "tozero"},
}
_TITLE = {
    "x": 0,
    "xref": "container",
    "xanchor": "left",
    "y": 1,
    "yref": "container",
    "yanchor": "top",
    "pad": {"l": 8, "t": 8},
    "font": {"size": 13, "color": LIGHT.text, "weight": 600},
}
_LAYOUT: Mapping[str, Any] = {
    # By name: leaving it out means Plotly's own.
    "template": "none",
    "margin": {"l": 8, "r": 12, "t": 44, "b": 8},
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"family": FONT, "color": LIGHT.text, "size": 12},
    "hovermode": "x unified",
    "hoverlabel": {
        "bgcolor": LIGHT.background,
        "bordercolor": LIGHT.axis,
        "font": {"color": LIGHT.text, "size": 12, "family": FONT},
    },
    "legend": {
        "orientation": "h",
        "x": 1,
        "xanchor": "right",
        "y": 1.0,
        "yanchor": "bottom",
        "font": {"color": LIGHT.muted, "size": 11},
        "bgcolor": "rgba(0,0,0,0)",
    },
}


def _axis(title: str) -> dict[str, Any]:
    return {
        "gridcolor": LIGHT.grid,
        "linecolor": LIGHT.axis,
        "zerolinecolor": LIGHT.axis,
        "tickcolor": LIGHT.axis,
        "tickfont": {"color": LIGHT.muted, "size": 11},
        "title": {"text": title, "font": {"color": LIGHT.muted, "size": 12}, "standoff": 8},
        "automargin": True,
        "zeroline": False,
    }
