"""A predictor drawn: predicted against real, residuals, coefficients, shares of R², and models against each other."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from app.charts.frame import blank, errors, legend_below, nth_look
from app.look.palette import LIGHT
from bird_backend.measures import Interval
from bird_backend.prediction import OUTCOMES, PAIR, ModelScore, Predictor, label

__all__ = ["coefficient_dots", "model_bars", "pair_rows", "predicted_against_real", "residual_dots", "share_bars"]

_WIDEST = 22
"""Letters of a name beside an axis before it goes on in a second line: half of a narrow window."""
_FLOOR = -0.5
"""R² far below zero says no more than that the mean of all predicts better."""


def pair_rows(predictor: Predictor) -> pd.DataFrame:
    """The table behind the points, worst predicted first: a pair's names, what it gave, what was said, and the run."""
    pairs = predictor.pairs
    said = pairs["new_teacher"] if pairs["new_teacher"].notna().all() else pairs["fitted"]
    columns = [
        name for name in ("teacher", "teacher_layer", "student", "student_layer", "seeds", "run") if name in pairs
    ]
    rows = pairs[columns].assign(predicted=said, real=pairs[predictor.outcome])
    return rows.assign(off=rows["real"] - rows["predicted"]).sort_values("off", key=np.abs, ascending=False)


def predicted_against_real(predictor: Predictor) -> go.Figure:
    """A point a pair, a look a student, with the line on which prediction and result agree.

    Each was predicted without its own teacher where that can be done. A point's id is its run.
    """
    rows = pair_rows(predictor)
    unseen = predictor.pairs["new_teacher"].notna().all()
    figure = blank(
        f"{OUTCOMES[predictor.outcome].label}, {'its teacher left out' if unseen else 'in-sample'}",
        height=_tall(predictor),
        x="Predicted",
        y="Real",
        showlegend=True,
        hovermode="closest",
        legend=legend_below(),
    )
    both = rows[["predicted", "real"]].to_numpy()
    margin = 0.06 * float(np.ptp(both)) or 0.01
    ends = [float(both.min()) - margin, float(both.max()) + margin]
    figure.update_xaxes(tickformat=".0%", range=ends).update_yaxes(tickformat=".0%", range=ends)
    figure.add_scatter(
        x=ends,
        y=ends,
        mode="lines",
        name="As predicted",
        line={"color": LIGHT.axis, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
    for place, (student, own) in enumerate(rows.groupby("student", sort=True)):
        look = nth_look(place, LIGHT.runs[:-1])
        figure.add_scatter(
            x=own["predicted"],
            y=own["real"],
            ids=_runs(own),
            mode="markers",
            name=escape(str(student)),
            marker={"color": look.colour, "size": 8, "symbol": look.symbol, "opacity": 0.75},
            cliponaxis=False,
            customdata=_names(own),
            hovertemplate="%{customdata}<br>real %{y:.1%}, predicted %{x:.1%}<extra></extra>",
        )
    return figure


def residual_dots(predictor: Predictor) -> go.Figure:
    """Real less predicted, a row a teacher, those that gave more than predicted on top. A point's id is its run."""
    rows = pair_rows(predictor)
    means = rows.groupby("teacher")["off"].mean().sort_values()
    figure = blank(
        "What the prediction missed, by teacher",
        height=110 + 20 * len(means),
        x="Real − predicted, points",
        showlegend=False,
        hovermode="closest",
    )
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=_short(means.index), tickfont={"size": 10}
    )
    figure.add_vline(x=0, line={"color": LIGHT.axis, "width": 1.5})
    figure.add_scatter(
        x=100 * rows["off"],
        y=_short(rows["teacher"]),
        ids=_runs(rows),
        mode="markers",
        name="Pair",
        marker={"color": LIGHT.teacher, "size": 7, "opacity": 0.6},
        customdata=_names(rows),
        hovertemplate="%{customdata}<br>%{x:+.1f} points<extra></extra>",
    )
    figure.add_scatter(
        x=100 * means,
        y=_short(means.index),
        mode="markers",
        name="Mean of a teacher's pairs",
        marker={"color": LIGHT.text, "size": 11, "symbol": "line-ns-open", "line": {"width": 2}},
        hovertemplate="mean %{x:+.1f} points<extra></extra>",
    )
    return figure


def coefficient_dots(predictor: Predictor) -> go.Figure:
    """Standardised coefficients with their intervals over teachers; one that leaves zero out is filled."""
    found = predictor.coefficients
    figure = blank(
        "Coefficients, in standard deviations",
        height=120 + 44 * len(found),
        x="Outcome’s, for one of the attribute’s",
        showlegend=False,
        hovermode="closest",
    )
    figure.update_yaxes(autorange="reversed")
    figure.add_vline(x=0, line={"color": LIGHT.axis, "width": 1.5})
    ours = [one.standardised for one in found]
    figure.add_scatter(
        x=[one.value for one in ours],
        y=[_folded(label(one.name)) for one in found],
        mode="markers",
        name="Coefficient",
        marker={
            "color": LIGHT.teacher,
            "size": 11,
            "symbol": ["circle" if one.bounded and one.beyond_noise else "circle-open" for one in ours],
            "line": {"width": 2, "color": LIGHT.teacher},
        },
        error_x=_errors(ours),
        customdata=_said(ours),
        hovertemplate="%{x:+.2f} (95 % over teachers: %{customdata})<extra></extra>",
    )
    return figure


def share_bars(predictor: Predictor) -> go.Figure:
    """Each attribute's Shapley part of R² in-sample; together they are R²."""
    found = predictor.coefficients
    whole = predictor.models[0].in_sample.value
    figure = blank(
        f"Whose R² it is: {whole:.2f} in parts",
        height=120 + 44 * len(found),
        x="Part of R² (Shapley)",
        showlegend=False,
        hovermode="closest",
    )
    figure.update_yaxes(autorange="reversed").update_xaxes(rangemode="tozero")
    ours = [one.share for one in found]
    figure.add_bar(
        x=[one.value for one in ours],
        y=[_folded(label(one.name)) for one in found],
        orientation="h",
        name="Part of R²",
        marker={"color": LIGHT.teacher},
        width=0.5,
        error_x=_errors(ours),
        customdata=_said(ours),
        hovertemplate="%{x:.2f} (95 % over teachers: %{customdata})<extra></extra>",
    )
    return figure


def model_bars(predictor: Predictor) -> go.Figure:
    """R² of each model in-sample (hollow), on new teachers and on new students, and what noise leaves to explain."""
    models = predictor.models
    figure = blank(
        "How much of the outcome each explains",
        height=_tall(predictor),
        x="R²",
        showlegend=True,
        hovermode="closest",
        barmode="group",
        bargap=0.3,
        legend=legend_below() | {"traceorder": "normal"},
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(range=[_lowest(models), 1], maxallowed=1)
    figure.add_vline(x=0, line={"color": LIGHT.axis, "width": 1.5})
    kinds: list[tuple[str, str, list[Interval | None], bool]] = [
        ("In-sample", LIGHT.baseline, [model.in_sample for model in models], True),
        ("On a new teacher", LIGHT.teacher, [model.new_teacher for model in models], False),
        ("On a new student", LIGHT.student, [model.new_student for model in models], False),
    ]
    for name, colour, intervals, hollow in kinds:
        known = [(model, found) for model, found in zip(models, intervals, strict=True) if found is not None]
        if known:
            ours = [found for _, found in known]
            figure.add_bar(
                x=[max(found.value, _FLOOR) for found in ours],
                y=[_folded(model.label) for model, _ in known],
                orientation="h",
                name=name,
                marker={"color": "rgba(0,0,0,0)" if hollow else colour, "line": {"color": colour, "width": 1.5}},
                error_x=_errors(ours),
                customdata=[f"{found.value:.2f} (95 % over teachers: {said})" for found, said in _with_said(ours)],
                hovertemplate="%{customdata}<extra>%{fullData.name}</extra>",
            )
    if predictor.ceiling is not None:
        share = predictor.ceiling.share.value
        figure.add_vline(
            x=share,
            line={"color": LIGHT.text, "width": 1.5, "dash": "dot"},
            annotation={"text": "noise ceiling", "font": {"size": 11, "color": LIGHT.muted}, "yanchor": "bottom"},
            annotation_position="bottom left",
        )
    return figure


def _tall(predictor: Predictor) -> int:
    """Of two charts that stand side by side, pixels: room for a bar a model and kind of R²."""
    return max(360, 190 + (64 if predictor.students > 1 else 48) * len(predictor.models))


def _lowest(models: Sequence[ModelScore]) -> float:
    ends = [
        found.low
        for model in models
        for found in (model.in_sample, model.new_teacher, model.new_student)
        if found is not None
    ]
    return max(_FLOOR, min(0.0, *ends) - 0.03)


def _errors(intervals: Sequence[Interval]) -> Any:
    return errors(intervals, colour=LIGHT.text, thickness=1.2, width=4)


def _said(intervals: Sequence[Interval]) -> list[str]:
    return [f"{one.low:.2f} to {one.high:.2f}" if one.bounded else "without bounds" for one in intervals]


def _with_said(intervals: Sequence[Interval]) -> list[tuple[Interval, str]]:
    return list(zip(intervals, _said(intervals), strict=True))


def _names(rows: pd.DataFrame) -> list[str]:
    """The pair, and how many seeds it is the mean of, over two lines."""
    names = [rows[name].astype(str).map(escape) for name in PAIR]
    return [
        f"{teacher} · {guiding}<br>→ {student} · {guided}{f', mean of {seeds} seeds' if seeds > 1 else ''}"
        for teacher, guiding, student, guided, seeds in zip(*names, rows["seeds"], strict=True)
    ]


def _runs(rows: pd.DataFrame) -> list[str] | None:
    return [str(run) for run in rows["run"]] if "run" in rows else None


def _short(names: Sequence[str] | pd.Series | pd.Index) -> list[str]:
    """A long name keeps its end, where weights of one family differ."""
    return [escape(str(name) if len(str(name)) <= _LONGEST else f"…{str(name)[1 - _LONGEST :]}") for name in names]


_LONGEST = 30


def _folded(name: str) -> str:
    return "<br>".join(escape(line) for line in wrap(name, _WIDEST))
