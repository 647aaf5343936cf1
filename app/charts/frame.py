"""What every figure shares: transparent ground, quiet grid, room for its axes, and names for the arms of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.look.palette import LIGHT
from bird_backend.transfer import METHODS

__all__ = ["Arm", "arm", "blank", "later", "numbers", "scale"]

FONT = "Inter, system-ui, sans-serif"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """How a model of a run is named and drawn, everywhere."""

    label: str
    colour: str
    dash: str


_VIOLET, _OLIVE, _GREEN, _ROSE, _VERMILION = (LIGHT.runs[index] for index in (5, 4, 2, 3, 1))
_METHODS: Mapping[str, tuple[str, str]] = {
    # A hue is a family, the dash tells its members apart.
    "bird": (LIGHT.student, "solid"),
    "fine-tuning": (LIGHT.baseline, "solid"),
    "none": (LIGHT.before, "dot"),
    "oracle": (LIGHT.baseline, "dash"),
    "linear-probe": (_OLIVE, "dash"),
    "lp-ft": (_OLIVE, "solid"),
    "lwf-features": (_VIOLET, "solid"),
    "lwf-logits": (_VIOLET, "dash"),
    "hints": (_GREEN, "solid"),
    "soft-labels": (_ROSE, "solid"),
    "rkd": (_VERMILION, "solid"),
    "sp": (_VERMILION, "dash"),
    "pkt": (_VERMILION, "dot"),
}
_OTHERS: Mapping[str, Arm] = {
    "before": Arm(label="Before", colour=LIGHT.before, dash="dot"),
    "model": Arm(label="Model", colour=LIGHT.student, dash="solid"),
    "ceiling": Arm(label="Oracle (ceiling)", colour=LIGHT.baseline, dash="dash"),
    "teacher": Arm(label="Teacher", colour=LIGHT.teacher, dash="solid"),
}


def arm(name: str) -> Arm:
    """The arm of that name: a method, or whatever else is measured; one without a line of its own has a neutral one."""
    if name in _OTHERS:
        return _OTHERS[name]
    colour, dash = _METHODS.get(name, (LIGHT.baseline, "dashdot"))
    return Arm(label=METHODS[name].title if name in METHODS else name, colour=colour, dash=dash)


def scale(colours: tuple[str, ...]) -> list[list[Any]]:
    """Evenly spaced stops for a colour scale."""
    return [[index / (len(colours) - 1), colour] for index, colour in enumerate(colours)]


def blank(title: str, *, height: int = 280, x: str = "", y: str = "", **layout: Any) -> go.Figure:
    """An empty figure with the shared looks; `title` says what is drawn."""
    heading = {"text": title, **_TITLE}
    axes = {"xaxis": _axis(x), "yaxis": _axis(y) | {"showline": False}}
    # In one piece: each update of a figure costs Plotly a validation, and a page draws several a second.
    return go.Figure(layout={**_LAYOUT, **axes, "title": heading, "height": height, **layout})


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
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


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
