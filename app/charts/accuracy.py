"""Accuracy tables of a run's models: clean, each corruption at each severity, and their means, with intervals."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from app.charts.frame import arm, blank, scale
from app.charts.gaps import gap, share
from app.intervals import Difference, percent, points, wilson
from app.palette import LIGHT
from bird_backend import catalog
from bird_backend.runs.reading import Correct

__all__ = [
    "accuracy_bars",
    "accuracy_heatmap",
    "by_corruption",
    "cells",
    "difference_heatmap",
    "gain",
    "mean_rows",
    "models_in",
]

_ORDER = ("before", "fine-tuning", "bird", "model")
_PARTS = {"clean": "Clean", "robust": "All corruptions", "seen": "Seen by a robust teacher", "held_out": "Held out"}


def models_in(table: pd.DataFrame) -> list[str]:
    """The models measured: before, fine-tuning, BIRD, then others."""
    found = [str(name) for name in table["model"].unique()]
    return sorted(found, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """Every cell with accuracy, its 95 % interval, the corruption's title, and whether it is seen or held out."""
    bounds = [wilson(correct, n) for correct, n in zip(table["correct"].tolist(), table["n"].tolist(), strict=True)]
    return table.assign(
        accuracy=table["correct"] / table["n"],
        low=[low for low, _ in bounds],
        high=[high for _, high in bounds],
        part=[_part(name) for name in table["corruption"]],
        title=[_title(name) for name in table["corruption"]],
    )


def mean_rows(table: pd.DataFrame, correct: Correct | None = None) -> pd.DataFrame:
    """One row a model and part (clean, robust, seen, held_out): mean accuracy over its cells, interval, n images."""
    rows = []
    for model in models_in(table):
        for part, names in _groups(table).items():
            if (found := share(table, correct, model, names)) is not None:
                rows.append(
                    {
                        "model": model,
                        "part": part,
                        "label": _PARTS[part],
                        "accuracy": found.value,
                        "low": found.low,
                        "high": found.high,
                        "n": found.n,
                        "cells": found.cells,
                    }
                )
    return pd.DataFrame(rows)


def gain(
    table: pd.DataFrame,
    part: str = "robust",
    *,
    over: str = "fine-tuning",
    of: str = "bird",
    correct: Correct | None = None,
) -> Difference | None:
    """How much higher `of` is than `over` on a part; none where either is missing."""
    return gap(table, correct, _groups(table)[part], of=of, over=over)


def by_corruption(table: pd.DataFrame, correct: Correct | None = None) -> pd.DataFrame:
    """For people: the means and a row a corruption, a column a model, and BIRD's difference with its interval."""
    groups = {part: names for part, names in _groups(table).items() if names}
    rows = [
        _row(table, correct, _PARTS[part], "clean" if part == "clean" else "mean", names)
        for part, names in groups.items()
    ]
    rows += [_row(table, correct, _title(name), _part(name), [name]) for name in _names(table)]
    return pd.DataFrame(rows)


def accuracy_heatmap(table: pd.DataFrame, model: str, *, height: int | None = None) -> go.Figure:
    """Corruption × severity of one model; seen above, held out below a line."""
    grid = _grid(cells(table[table["model"] == model]), "accuracy")
    figure = blank(f"{arm(model).label}, %", height=height or 110 + 34 * len(grid), x="Severity", hovermode="closest")
    lookup = cells(table[table["model"] == model]).set_index(["corruption", "severity"])
    notes = [[_note(lookup, name, int(severity)) for severity in grid.columns] for name in grid.index]
    figure.add_heatmap(
        z=100 * grid.to_numpy(dtype=float),
        x=[str(severity) for severity in grid.columns],
        y=[_title(name) for name in grid.index],
        zmin=0,
        zmax=100,
        colorscale=scale(LIGHT.sequential),
        xgap=2,
        ygap=2,
        texttemplate="%{z:.0f}",
        textfont={"color": LIGHT.text, "size": 12},
        customdata=notes,
        hovertemplate="%{y}, severity %{x}<br>%{customdata}<extra></extra>",
        showscale=False,
    )
    return _split(figure, list(grid.index))


def difference_heatmap(
    table: pd.DataFrame,
    *,
    of: str = "bird",
    over: str = "fine-tuning",
    correct: Correct | None = None,
    height: int | None = None,
) -> go.Figure:
    """Corruption × severity of how much higher `of` is than `over`, in percentage points; pale cells are near zero."""
    known = cells(table)
    after, before = (_grid(known[known["model"] == name], "accuracy") for name in (of, over))
    delta = (100 * (after - before)).round(1) + 0.0
    count = int(known["n"].min())
    notes = [
        [
            f"{percent(after.loc[name, level])} against {percent(before.loc[name, level])}: "
            + _reading(gap(table, correct, [name], of=of, over=over, severity=int(level)), count)
            for level in delta.columns
        ]
        for name in delta.index
    ]
    extent = max(5.0, float(delta.abs().max().max()))
    figure = blank(
        f"{arm(of).label} − {arm(over).label.lower()}, percentage points",
        height=height or 110 + 34 * len(delta),
        x="Severity",
        hovermode="closest",
    )
    figure.add_heatmap(
        z=delta.to_numpy(dtype=float),
        x=[str(severity) for severity in delta.columns],
        y=[_title(name) for name in delta.index],
        zmin=-extent,
        zmax=extent,
        colorscale=scale(LIGHT.diverging_soft),
        xgap=2,
        ygap=2,
        texttemplate="%{z:+.1f}",
        textfont={"color": LIGHT.text, "size": 12},
        customdata=notes,
        hovertemplate="%{y}, severity %{x}<br>%{customdata}<extra></extra>",
        showscale=False,
    )
    return _split(figure, list(delta.index))


def accuracy_bars(table: pd.DataFrame, *, correct: Correct | None = None, height: int = 300) -> go.Figure:
    """Clean, seen and held-out accuracy of each model with 95 % intervals; before is hollow."""
    means = mean_rows(table, correct)
    figure = blank("Accuracy, mean over severities", height=height, y="Accuracy", showlegend=True, barmode="group")
    figure.update_yaxes(tickformat=".0%", range=[0, 1])
    for model in models_in(table):
        rows = means[(means["model"] == model) & (means["part"] != "robust")]
        look = arm(model)
        figure.add_bar(
            x=rows["label"],
            y=rows["accuracy"],
            name=look.label,
            marker={
                "color": "rgba(0,0,0,0)" if model == "before" else look.colour,
                "line": {"color": look.colour, "width": 2},
            },
            error_y={
                "type": "data",
                "array": rows["high"] - rows["accuracy"],
                "arrayminus": rows["accuracy"] - rows["low"],
                "color": LIGHT.text,
                "thickness": 1.2,
                "width": 4,
            },
            customdata=rows[["low", "high", "n"]].to_numpy(),
            hovertemplate="%{y:.1%} (95 % interval %{customdata[0]:.1%} to %{customdata[1]:.1%}, n=%{customdata[2]})",
        )
    return figure


def _names(table: pd.DataFrame) -> list[str]:
    """Corruptions measured, seen before held out."""
    found = [str(name) for name in table["corruption"].unique() if name != "clean"]
    return sorted(found, key=lambda name: (_part(name) != "seen", found.index(name)))


def _grid(known: pd.DataFrame, column: str) -> pd.DataFrame:
    corrupted = known[known["severity"] > 0]
    return corrupted.pivot_table(index="corruption", columns="severity", values=column).loc[_names(known)]


def _split(figure: go.Figure, names: list[str]) -> go.Figure:
    figure.update_yaxes(autorange="reversed", showgrid=False, title_text="", type="category")
    figure.update_xaxes(showgrid=False, type="category")
    seen = sum(_part(name) == "seen" for name in names)
    if 0 < seen < len(names):
        figure.add_hline(y=seen - 0.5, line={"color": LIGHT.text, "width": 1.5, "dash": "dot"})
    for position, name in enumerate(names):
        if _part(name) == "held out":
            figure.add_annotation(
                x=1.0,
                xref="paper",
                xanchor="right",
                y=position + 0.62,
                text="held out",
                showarrow=False,
                font={"size": 10, "color": LIGHT.muted},
            )
            break
    return figure


def _groups(table: pd.DataFrame) -> dict[str, list[str]]:
    """The corruptions that each mean is over."""
    names = _names(table)
    return {
        "clean": ["clean"] if (table["corruption"] == "clean").any() else [],
        "robust": names,
        "seen": [name for name in names if _part(name) == "seen"],
        "held_out": [name for name in names if _part(name) == "held out"],
    }


def _row(table: pd.DataFrame, correct: Correct | None, label: str, part: str, names: list[str]) -> dict[str, object]:
    row: dict[str, object] = {"What": label, "Kind": part}
    models = models_in(table)
    for model in models:
        if (found := share(table, correct, model, names)) is not None:
            row[arm(model).label] = found.value
            row["n"] = found.n
    n = row.pop("n", None)
    over = next((name for name in ("fine-tuning", "before") if name in models), None)
    if over is not None and (delta := gap(table, correct, names, over=over)) is not None:
        row[f"BIRD − {arm(over).label.lower()} (points)"] = round(100 * delta.value, 1) + 0.0
        row["±"] = 100 * delta.half
        row["Reading"] = delta.word
    return row | {"n": n}


def _note(lookup: pd.DataFrame, name: str, severity: int) -> str:
    if (name, severity) not in lookup.index:
        return "not measured"
    cell: Any = lookup.loc[(name, severity)]
    return (
        f"{percent(cell['accuracy'])} (95 % interval {percent(cell['low'])} to {percent(cell['high'])}, n={cell['n']})"
    )


def _reading(delta: Difference | None, n: int) -> str:
    return "not measured" if delta is None else f"{points(delta)} points, {delta.verdict} (n={n})"


def _part(name: str) -> str:
    if name == "clean":
        return "clean"
    facts = catalog.CORRUPTIONS.get(name)
    return "seen" if facts is None or facts.seen else "held out"


def _title(name: str) -> str:
    facts = catalog.CORRUPTIONS.get(name)
    return facts.title if facts else name.replace("_", " ").capitalize()
