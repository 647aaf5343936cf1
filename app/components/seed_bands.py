"""Runs that differ in nothing but the seed, drawn as one: a mean with a band from the lowest to the highest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from app.backend import data
from app.backend.studies import curve
from app.charts.curves import X
from app.charts.frame import arm, nth_look
from app.charts.study import Series, study_curves
from app.look.palette import LIGHT

__all__ = ["by_family", "other_seeds", "seed_bands"]


def by_family(runs: Sequence[data.Run]) -> list[list[data.Run]]:
    """The runs in groups that differ in the seed alone, in the order of each one's first; one again is in another."""
    found: dict[tuple[str, int], list[data.Run]] = {}
    times: Counter[str] = Counter()
    for run in runs:
        found.setdefault((run.family, times[run.identity]), []).append(run)
        times[run.identity] += 1
    return list(found.values())


def other_seeds(runs: Sequence[data.Run], *, most: int) -> None:
    """A button that takes further seeds of these runs along, up to `most` runs in all; none where there are none."""
    chosen = {run.id for run in runs}
    more = [other.id for group in by_family(runs) for other in data.family(group[0]) if other.id not in chosen]
    if taken := more[: most - len(chosen)]:
        st.button(
            f"Take {'another seed' if len(taken) == 1 else f'{len(taken)} more seeds'} of these along",
            key="other_seeds",
            icon=":material/add:",
            on_click=st.query_params.update,
            args=({"runs": ",".join([*(run.id for run in runs), *taken])},),
        )


def seed_bands(
    groups: Sequence[Sequence[data.Run]],
    names: Sequence[str],
    *,
    kind: str,
    column: str,
    title: str,
    baselines: bool,
    x: X,
) -> go.Figure:
    """`column` of the rows of `kind`: a colour a group, solid for its method and dotted for its baseline."""
    series = []
    for place, (group, name) in enumerate(zip(groups, names, strict=True)):
        look = nth_look(place, LIGHT.runs)
        own = data.arm_of(group[0])
        for model in dict.fromkeys(["fine-tuning", own] if baselines else [own]):
            frames = {data.spec_of(run).seed: curve(run, kind, column, model) for run in group}
            if any(len(frame) for frame in frames.values()):
                dash = "solid" if model == own else "dot"
                label = f"{name}, {arm(model).label}"
                series.append(Series(label=label, look=replace(look, dash=dash), by_seed=frames))
    return study_curves(series, title=title, x=x, shares="accuracy" in column, singles=False)
