"""Plain HTML that scrolls by itself and not with the page, by keyboard too: a table of figures, and a long text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import streamlit as st

__all__ = ["Entry", "html_table", "scroll_box"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """`text`, beneath it a quieter `note` and a `remark` that may wrap, and whether it is the best of its column."""

    text: str
    note: str = ""
    remark: str = ""
    best: bool = False


def html_table(*, label: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Entry]]]) -> None:
    """Draw it; `rows` are a heading and an entry for each column."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        f'<tr><th scope="row">{escape(heading)}</th>{"".join(_cell(entry) for entry in entries)}</tr>'
        for heading, entries in rows
    )
    st.html(
        f'<div class="figures" role="region" tabindex="0" aria-label="{escape(label)}"><table>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def scroll_box(text: str, *, label: str) -> None:
    """Draw a long text as it is, in a box of a few lines that arrow keys scroll."""
    st.html(f'<pre class="scrolls" role="region" tabindex="0" aria-label="{escape(label)}">{escape(text)}</pre>')


def _cell(entry: Entry) -> str:
    note = f"<small>{escape(entry.note)}</small>" if entry.note else ""
    note += f'<small class="remark">{escape(entry.remark)}</small>' if entry.remark else ""
    mark = '<span class="unseen">, the best</span>' if entry.best else ""
    kind = ' class="best"' if entry.best else ""
    return f"<td{kind}><span>{escape(entry.text)}</span>{mark}{note}</td>"
