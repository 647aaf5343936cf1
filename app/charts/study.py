"""A study's curves, a mean over seeds with a band, and an ablation's figures as small panels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd
import plotly.graph_objects as go

from app.backend.studies import Entry, Row, Variant
from app.charts.curves import X
from app.charts.frame import Look, arm, blank, later, legend_below, nth_look
from app.charts.line_ends import End, name_ends
from app.look.palette import LIGHT
from bird_backend.measures.figures import FIGURES
from bird_backend.measures.figures.declaration import CKA, SHARE, Unit

__all__ = ["Series", "ablation_panel", "looks", "study_curves"]

_BAND = 0.16
_ROOM = 200.0
"""Pixels from the lowest to the highest of a study's curves, title, axis and legend aside."""
_LEVEL = 36
"""Letters that fit under a small panel side by side."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A variant's curve: one frame (`step`, `epoch`, `value`) a seed."""

    label: str
    look: Look
    by_seed: Mapping[int, pd.DataFrame]


def looks(variants: Sequence[Variant]) -> Mapping[str, Look]:
    """How each variant is drawn, by key.

    A method keeps its own look, a control is its method dotted and hollow. Where all are one method, a look is a value.
    """
    contenders = [variant for variant in variants if variant.role == "contender"]
    several = len({variant.method for variant in contenders}) > 1
    found = {}
    for variant in variants:
        look = arm(variant.method).look
        if variant.role == "control":
            dash = {"random-weights": "dot", "shuffled-batch": "dashdot"}.get(variant.control, "longdashdot")
            found[variant.key] = replace(look, dash=dash, symbol=f"{look.symbol}-open")
        elif variant.method == "fine-tuning" and variant.start == "teacher":
            found[variant.key] = replace(look, dash="longdash", symbol=f"{look.symbol}-open")
        elif several or len(contenders) == 1 or variant not in contenders:
            found[variant.key] = look
        else:
            found[variant.key] = nth_look(contenders.index(variant), LIGHT.runs[:-1])
    return found


def study_curves(series: Sequence[Series], *, title: str, x: X = "step", shares: bool, singles: bool) -> go.Figure:
    """A line a variant, its mean over seeds with a band from the lowest to the highest; or a line a seed."""
    shown = [one for one in series if any(len(frame) for frame in one.by_seed.values())]
    height = 330 + 22 * (1 + len(shown) // 3)
    y = "Accuracy" if shares else ""
    figure = blank(title, height=height, x=x.capitalize(), y=y, showlegend=True, hovermode="closest")
    figure.update_layout(legend=legend_below())
    number = "%{y:.1%}" if shares else "%{y:.3f}"
    if not shown:
        return later(figure, "Comes with the first steps of a run")
    ends, values = [], []
    for one in shown:
        frames = {seed: frame for seed, frame in one.by_seed.items() if len(frame)}
        if singles:
            for place, (seed, frame) in enumerate(frames.items()):
                figure.add_scatter(
                    x=frame[x],
                    y=frame["value"],
                    mode="lines+markers",
                    name=one.label,
                    legendgroup=one.label,
                    showlegend=place == 0,
                    line=one.look.line(1.3),
                    marker=one.look.marker(6),
                    cliponaxis=False,
                    hovertemplate=f"{number}<extra>{one.label}, seed {seed}</extra>",
                )
            continue
        values += [frame["value"] for frame in frames.values()]
        together = pd.concat(frames.values()).groupby("step", sort=True)
        means = together.agg(epoch=("epoch", "first"), mean=("value", "mean"), n=("value", "size")).reset_index()
        if len(frames) > 1:
            spread = together["value"].agg(["min", "max"]).reset_index(drop=True)
            places = means[x]
            figure.add_scatter(
                x=pd.concat([places, places[::-1]]),
                y=pd.concat([spread["max"], spread["min"][::-1]]),
                mode="lines",
                fill="toself",
                fillcolor=one.look.colour,
                opacity=_BAND,
                line={"width": 0, "color": one.look.colour},
                name=f"{one.label}, lowest to highest seed",
                legendgroup=one.label,
                showlegend=False,
                hoverinfo="skip",
            )
        figure.add_scatter(
            x=means[x],
            y=means["mean"],
            mode="lines+markers",
            name=one.label,
            legendgroup=one.label,
            line=one.look.line(2.2),
            marker=one.look.marker(7),
            cliponaxis=False,
            customdata=means[["n"]].to_numpy(),
            hovertemplate=f"{number} (mean of %{{customdata[0]}} seeds)<extra>{one.label}</extra>",
        )
        ends.append(
            End(
                label=one.label,
                group=one.label,
                x=float(means[x].iloc[-1]),
                y=float(means["mean"].iloc[-1]),
                colour=one.look.colour,
            )
        )
    low, high = (edge(edge(one) for one in values) if values else 0.0 for edge in (min, max))
    return name_ends(figure, ends, low=float(low), high=float(high), room=_ROOM)


def ablation_panel(rows: Sequence[Row], name: str) -> go.Figure:
    """One figure of an ablation: its values on x, each mean with its interval; fine-tuning's as a grey line."""
    facts = FIGURES[name]
    scale = facts.unit.scale
    contenders = [row for row in rows if row.variant.value is not None]
    longest = max((len(str(row.variant.value)) for row in contenders), default=0)
    turned = longest * len(contenders) > _LEVEL
    height = 190 + (6 * longest if turned else 0)
    figure = blank(facts.heading, height=height, showlegend=False, hovermode="closest")
    figure.update_xaxes(type="category", tickangle=-90 if turned else 0)
    known = [(row, row.entries[name]) for row in contenders if row.entries[name].value is not None]
    if not known:
        return later(figure, "Not measured yet")
    own = {row.variant.key: row for row in rows if row.variant.role == "reference"}
    against = [
        (row, entry)
        for row in contenders
        if (over := own.get(row.variant.over or "")) is not None and (entry := over.entries[name]).value is not None
    ]
    if against and name != "gain":
        figure.add_scatter(
            x=[str(row.variant.value) for row, _ in against],
            y=[scale * (entry.value or 0.0) for _, entry in against],
            mode="lines",
            name="Fine-tuning",
            line={"color": LIGHT.baseline, "width": 1.5, "dash": "dash"},
            hovertemplate="%{y:.3~f}<extra>Fine-tuning</extra>",
        )
    figure.add_scatter(
        x=[str(row.variant.value) for row, _ in known],
        y=[scale * (entry.value or 0.0) for _, entry in known],
        mode="markers",
        name=arm(known[0][0].variant.method).label,
        marker={"color": LIGHT.student, "size": 8},
        error_y={
            "type": "data",
            "array": [scale * _half(entry) for _, entry in known],
            "color": LIGHT.student,
            "thickness": 1.4,
            "width": 4,
        },
        cliponaxis=False,
        hovertemplate="%{x}: %{y:.3~f} ± %{error_y.array:.2~f}<extra></extra>",
    )
    figure.update_yaxes(**_limits(facts.unit, [entry.value or 0.0 for _, entry in [*known, *against]]))
    if name == "gain":
        figure.add_hline(y=0, line={"color": LIGHT.baseline, "width": 1.2, "dash": "dash"})
    # In the order of the study, whichever came first.
    figure.update_xaxes(categoryorder="array", categoryarray=[str(row.variant.value) for row in contenders])
    return figure


def _limits(unit: Unit, values: Sequence[float]) -> dict[str, float]:
    """Where the axis ends at the latest: no interval draws accuracies beyond 0 and 100 %, or seconds below 0."""
    if unit.sign:
        return {}
    found: dict[str, float] = {}
    if min(values) >= 0:
        found["minallowed"] = 0
    if unit in (SHARE, CKA) and max(values) <= 1:
        found["maxallowed"] = unit.scale
    return found


def _half(entry: Entry) -> float:
    return entry.interval.half if entry.interval is not None and entry.interval.bounded else 0.0
