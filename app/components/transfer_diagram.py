"""A small picture of what happens: the teacher's arrangement of images is carried over to the student."""

from __future__ import annotations

import math

import streamlit as st

__all__ = ["transfer_diagram"]

# One arrangement of seven points, drawn three times: the teacher's, the student's before (turned and scattered), and
# the student's after, which has the teacher's distances in another place and turned: CKA does not mind a rotation.
_SHAPE = ((0, -34), (26, -20), (34, 10), (8, 4), (-12, 30), (-34, 8), (-24, -22))
_SCATTER = ((-22, 30), (32, 22), (-6, -34), (20, -8), (-34, -6), (8, 16), (34, -28))
_EDGES = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 0), (3, 0), (3, 6))


_STYLE = """
svg { width: 100%; max-width: 42rem; height: auto; display: block; color: var(--st-text-color); }
text { font: 550 15px var(--st-font); fill: currentColor; }
.small { font-size: 13px; font-weight: 400; opacity: 0.8; }
.panel { fill: currentColor; fill-opacity: 0.035; stroke: currentColor; stroke-opacity: 0.16; }
.teacher { fill: var(--st-orange-color); stroke: var(--st-orange-color); }
.student { fill: var(--st-blue-color); stroke: var(--st-blue-color); }
line { stroke-width: 1.6; stroke-opacity: 0.55; }
.hollow circle { fill: none; stroke-width: 1.7; }
.hollow line { stroke-dasharray: 2.5 3.5; stroke-opacity: 0.45; }
.arrow { fill: none; stroke: currentColor; stroke-opacity: 0.55; stroke-width: 1.5; }
.head { fill: currentColor; fill-opacity: 0.65; stroke: none; }
"""


def transfer_diagram() -> None:
    """Draw it, in the theme's own colours."""
    st.components.v2.component("bird_transfer_diagram", html=_svg(), css=_STYLE)(key="transfer_diagram")


def _svg() -> str:
    turn = math.radians(24)
    turned = tuple(
        (x * math.cos(turn) - y * math.sin(turn), x * math.sin(turn) + y * math.cos(turn)) for x, y in _SHAPE
    )
    return f"""<svg viewBox="0 0 540 216" role="img" aria-labelledby="title">
<title id="title">Seven images as points. In the robust teacher they form a shape; in the student, before,
they lie scattered; after the transfer they form the teacher's shape, turned.</title>
{_panel(84, "Teacher", "robust, frozen", _SHAPE, "teacher")}
{_panel(270, "Student, before", "its own task", _SCATTER, "student hollow")}
{_panel(456, "Student, after", "same shape, turned", turned, "student")}
<path class="arrow" d="M352 92 L 368 92"/><path class="head" d="M374 92 l-8 -4.5 v9 z"/>
<path class="arrow" d="M84 182 C 84 206, 110 208, 150 208 L 146 208 M394 208 L 400 208 C 440 208, 456 206, 456 194"/>
<path class="head" d="M456 183 l-4.5 9 h9 z"/>
<text x="270" y="212" text-anchor="middle" class="small">the geometry is copied, not the labels</text>
</svg>"""


def _panel(x: int, title: str, subtitle: str, points: tuple[tuple[float, float], ...], kind: str) -> str:
    y = 84
    lines = "".join(
        f'<line x1="{x + points[a][0]:.1f}" y1="{y + points[a][1]:.1f}" x2="{x + points[b][0]:.1f}" '
        f'y2="{y + points[b][1]:.1f}"/>'
        for a, b in _EDGES
    )
    dots = "".join(f'<circle cx="{x + px:.1f}" cy="{y + py:.1f}" r="4.6"/>' for px, py in points)
    return (
        f'<rect class="panel" x="{x - 76}" y="8" width="152" height="170" rx="10"/>'
        f'<g class="{kind}">{lines}{dots}</g>'
        f'<text x="{x}" y="146" text-anchor="middle">{title}</text>'
        f'<text x="{x}" y="164" text-anchor="middle" class="small">{subtitle}</text>'
    )
