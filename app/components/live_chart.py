"""Charts that live in the browser: they keep zoom and choices while data arrive, and follow the page's theme."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.components.vendor import font_url, plotly_url
from app.look.palette import DARK, LIGHT, VIRIDIS, Palette, swaps
from app.words.intervals import rounded

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

__all__ = ["Cursor", "Part", "chart", "collected", "file_name", "mount", "palettes", "show_numbers", "with_minus"]

_LONGEST_PART = 64
BROWSER = Path(__file__).parent / "browser"


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """A line across a chart over training at the moment of the scrubber named `clock`; `scale` is x per step."""

    clock: str
    scale: float


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component with what it is given, whole."""

    name: str
    html: str
    css: str
    js: str
    isolated: bool
    data: Any


_collecting: ContextVar[list[Part] | None] = ContextVar("collecting", default=None)


def chart(
    figure: go.Figure,
    *,
    of: str,
    key: str,
    label: str,
    revision: str = "",
    numbers: pd.DataFrame | None = None,
    cursor: Cursor | None = None,
) -> str | None:
    """Draw a figure made in the light palette; returns the id of a point that was pressed just now.

    `of` is the id of the run or study it shows, or several, which a saved picture carries in itself and in its name;
    `label` says in words what is to be seen, for those who don't see it; `revision` is the identity of what is drawn
    beside `of`: zoom and legend choices are kept until one of them changes; `numbers` is the table behind the chart.
    Points that have Plotly's `ids` can be pressed; those of a chart with a `cursor` move the scrubber there.
    """
    pressed = mount(
        "bird_live_chart",
        html='<div class="chart" role="figure" tabindex="-1"></div><div class="tools"></div>',
        scripts=("theme.js", "clock.js", "cursor.js", "sketch.js", "saving.js", "live_chart.js"),
        styles=("live_chart.css", "tools.css"),
        key=key,
        data={
            "figure": figure.to_json(),
            "height": int(figure.layout.height or 300),
            "label": label,
            "name": key,
            "of": of,
            "file": file_name(of, str(figure.layout.title.text or key)),
            "revision": f"{of} {revision}",
            "script": plotly_url(),
            "swaps": swaps(),
            "cursor": None if cursor is None else asdict(cursor),
            **palettes(),
        },
        on_pick_change=lambda: None,
    )
    if numbers is not None:
        show_numbers(numbers, key=f"{key}_numbers", label=label)
    picked = pressed.get("pick")
    return None if picked is None else str(picked)


def file_name(of: str, what: str) -> str:
    """What a file is called that shows `what` of a run: letters, digits and hyphens, and not too many of them."""
    parts = ("-".join(re.findall(r"[a-z0-9]+", text.lower()))[:_LONGEST_PART].rstrip("-") for text in (of, what))
    return "-".join(part for part in parts if part)


def show_numbers(table: pd.DataFrame, *, key: str, label: str, title: str = "Show the numbers") -> None:
    """The table behind a chart, folded."""
    with st.expander(title):
        if table.empty:
            st.caption("Nothing measured yet.")
        else:
            st.dataframe(with_minus(table), key=key, hide_index=True, alt=f"Table: {label}")


def with_minus(table: pd.DataFrame) -> pd.DataFrame | Styler:
    """The table with a real minus before what is below zero; sorting and downloading go by the numbers beneath."""
    below = [name for name in table.select_dtypes("number") if (table[name] < 0).any()]
    return table.reset_index(drop=True).style.format(_number, subset=below, na_rep="–") if below else table


def _number(value: Any) -> str:
    """As the grid writes it, with four digits after the point at most."""
    return rounded(value, 4).rstrip("0").rstrip(".")


def mount(
    name: str,
    *,
    html: str,
    scripts: tuple[str, ...],
    styles: tuple[str, ...],
    key: str,
    data: Any,
    **callbacks: Any,
) -> Any:
    """Mount one of our browser components; registering it again with the same text costs nothing."""
    styled, code = "\n".join(_text(style) for style in styles), "\n".join(_text(script) for script in scripts)
    # Plotly puts its own style into the document, where a shadow root would not see it.
    isolated = name != "bird_live_chart"
    parts = _collecting.get()
    if parts is not None:
        parts.append(Part(name=name, html=html, css=styled, js=code, isolated=isolated, data=data))
        return {}
    component = st.components.v2.component(name, html=html, css=styled, js=code, isolate_styles=isolated)
    return component(key=key, data=data, **callbacks)


@contextmanager
def collected() -> Iterator[list[Part]]:
    """Within it components are not mounted but gathered, for a page that has no server."""
    parts: list[Part] = []
    token = _collecting.set(parts)
    try:
        yield parts
    finally:
        _collecting.reset(token)


def palettes() -> dict[str, Any]:
    """Both themes' colours, and the font, for a component that draws by itself."""
    return {"light": _colours(LIGHT), "dark": _colours(DARK), "viridis": list(VIRIDIS), "letters": font_url()}


def _colours(palette: Palette) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(palette).items()}


@cache
def _text(name: str) -> str:
    return (BROWSER / name).read_text("utf-8")
