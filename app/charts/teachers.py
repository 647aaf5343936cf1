"""Teachers' layers by their scores: one line each over all scores, any two scores, and places under other options."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts.frame import blank, errors, legend_above, legend_below
from app.findings.teachers import Scored
from app.look.palette import LIGHT
from app.words.teachers import option_words, written
from bird_backend.measures.attributes import ATTRIBUTES

__all__ = ["agreement", "parallel_scores", "row_of", "score_scatter", "slopes"]

_TOP = 5
"""Rows that are drawn in colour beside the chosen one."""


def parallel_scores(table: pd.DataFrame, chosen: str, by: str, *, height: int = 400) -> go.Figure:
    """A line a row over every score, each axis from its lowest to its highest; the best few by one score in amber."""
    names = [name for name in ATTRIBUTES if name in table and table[name].nunique() > 1]
    figure = blank(
        "Every score, lowest to highest", height=height, showlegend=True, hovermode="closest", **legend_above()
    )
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=[_axis_name(name) for name in names], showgrid=True)
    figure.update_xaxes(range=[-0.35, len(names) - 0.65], tickfont={"size": 10}, autotickangles=[0, -90])
    figure.update_yaxes(range=[-0.14, 1.14], showticklabels=False, showgrid=False)
    values = {name: table[name].to_dict() for name in names}
    low, high = table[names].min(), table[names].max()
    heights = (table[names] - low) / (high - low).where(high > low, 1.0)
    best = table[by].sort_values(ascending=False).index[:_TOP]
    said = [
        [f"{escape(str(row))}<br>{ATTRIBUTES[one].title} {written(one, float(values[one][row]))}" for one in names]
        for row in table.index
    ]
    told = pd.DataFrame(said, index=table.index, columns=names)
    _lines(figure, heights, told, best, chosen, f"Best {len(best)} by {ATTRIBUTES[by].title.lower()}")
    for place, name in enumerate(names):
        for y, value, shift in ((0, low[name], -11), (1, high[name], 11)):
            figure.add_annotation(
                x=place,
                y=y,
                yshift=shift,
                text=written(name, float(value)),
                showarrow=False,
                font={"size": 10, "color": LIGHT.muted},
            )
    return figure


def score_scatter(scored: Scored, table: pd.DataFrame, chosen: str, x: str, y: str, *, height: int = 360) -> go.Figure:
    """A point a row at two of its scores with their intervals; hollow, the same networks with random weights."""
    figure = blank(
        f"{ATTRIBUTES[y].title} against {ATTRIBUTES[x].title.lower()}",
        height=height,
        x=ATTRIBUTES[x].title,
        y=ATTRIBUTES[y].title,
        showlegend=True,
        hovermode="closest",
        legend=legend_below(),
    )
    for axis, name in ((figure.update_xaxes, x), (figure.update_yaxes, y)):
        axis(tickformat=".0%" if ATTRIBUTES[name].share else ".3~g")
        if ATTRIBUTES[name].digits == 0:
            axis(type="log")
    rows = [row for row in table.index if np.isfinite(table.loc[row, [x, y]].to_numpy(float)).all()]
    found = {row: (scored.score(row, x), scored.score(row, y)) for row in rows}
    known = [(a.random, b.random) for a, b in found.values() if a is not None and b is not None]
    random = {(a, b) for a, b in known if a is not None and b is not None}
    if random:
        figure.add_scatter(
            x=[pair[0] for pair in sorted(random)],
            y=[pair[1] for pair in sorted(random)],
            mode="markers",
            name="Random weights",
            marker={"color": LIGHT.baseline, "size": 7, "symbol": "circle-open"},
            hovertemplate="random weights<br>%{x}, %{y}<extra></extra>",
        )
    groups = (
        ("Teacher’s layer", [row for row in rows if row != chosen], 8, LIGHT.teacher, "circle"),
        (chosen, [row for row in rows if row == chosen], 13, LIGHT.text, "diamond"),
    )
    for name, own, size, colour, symbol in groups:
        if own:
            figure.add_scatter(
                x=table.loc[own, x],
                y=table.loc[own, y],
                ids=own,
                mode="markers",
                name=escape(name),
                marker={"color": colour, "size": size, "symbol": symbol, "opacity": 0.85},
                error_x=errors([found[row][0] for row in own]),
                error_y=errors([found[row][1] for row in own]),
                customdata=[
                    f"{escape(row)}<br>{ATTRIBUTES[x].title} {written(x, table.loc[row, x])}"
                    f"<br>{ATTRIBUTES[y].title} {written(y, table.loc[row, y])}"
                    for row in own
                ],
                hovertemplate="%{customdata}<extra></extra>",
            )
    return figure


def slopes(ranks: pd.DataFrame, chosen: str, name: str) -> go.Figure:
    """Each row's place under every option of a score, the usual one first; its best few in amber."""
    count = len(ranks)
    figure = blank(
        f"Places by {name.lower()} under its options",
        height=int(min(220 + 11 * count, 600)),
        y="Place",
        showlegend=True,
        hovermode="closest",
        **legend_above(),
    )
    options = list(ranks.columns)
    figure.update_xaxes(tickvals=list(range(len(options))), ticktext=[_option_name(option) for option in options])
    figure.update_xaxes(range=[-0.35, len(options) - 0.65], showgrid=True, tickfont={"size": 10})
    figure.update_xaxes(autotickangles=[0, -90]).update_yaxes(range=[count + 0.8, 0.2], showgrid=False)
    best = ranks[options[0]].sort_values().index[:_TOP]
    said = [[f"{escape(str(row))}<br>place {place:.0f}" for place in ranks.loc[row]] for row in ranks.index]
    told = pd.DataFrame(said, index=ranks.index, columns=options)
    _lines(figure, ranks, told, best, chosen, f"Best {len(best)} as usual")
    return figure


def _lines(
    figure: go.Figure, heights: pd.DataFrame, told: pd.DataFrame, best: pd.Index, chosen: str, best_name: str
) -> None:
    """A line a row over the columns, what is `told` at each of its points; `best` in amber, `chosen` over all."""
    groups = (
        ("The others", [row for row in heights.index if row not in best and row != chosen], LIGHT.axis, 1.2),
        (best_name, [row for row in best if row != chosen], LIGHT.teacher, 1.8),
        (chosen, [chosen] if chosen in heights.index else [], LIGHT.text, 3.0),
    )
    points = len(heights.columns)
    for name, rows, colour, width in groups:
        if not rows:
            continue
        # One trace for many lines, a gap after each.
        figure.add_scatter(
            x=np.tile([*range(points), None], len(rows)),
            y=np.concatenate([[*heights.loc[row], np.nan] for row in rows]),
            ids=_ids(rows, points),
            mode="lines+markers",
            name=escape(name),
            line={"color": colour, "width": width},
            marker={"color": colour, "size": 5 if width < 3 else 7},
            cliponaxis=False,
            customdata=[words for row in rows for words in (*told.loc[row], "")],
            hovertemplate="%{customdata}<extra></extra>",
        )


def agreement(ranks: pd.DataFrame) -> pd.Series:
    """Spearman's correlation of each option's places with the usual option's: 1 where the order is the same."""
    return ranks.corr(method="pearson").iloc[0]


def _ids(rows: Sequence[str], points: int) -> list[str]:
    """One a point and gap, for Plotly draws points with one id once."""
    return [f"{row}{_OF}{place}" for row in rows for place in range(points + 1)]


def row_of(pressed: str) -> str:
    """The row that a pressed point is of."""
    return pressed.partition(_OF)[0]


_OF = "\n"


def _axis_name(name: str) -> str:
    return "<br>".join(wrap(ATTRIBUTES[name].title, 14))


def _option_name(option: str) -> str:
    return escape(option_words(option)).replace(", ", ",<br>")
