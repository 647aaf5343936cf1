"""A study's table, to read, to copy and to take along; and an ablation's figures as small panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app.backend.data import BirdError
from app.backend.studies import Entry as Estimated
from app.backend.studies import Results, Row, say
from app.charts.study import ablation_panel
from app.components.html_table import Entry, html_table
from app.components.live_chart import chart
from bird_backend.measures.figures import FIGURES

__all__ = ["ablation_panels", "study_table"]

_PANELS = ("validation_robust", "validation", "cka_after", "gain", "robust", "held_out", "clean", "seconds")
_REMARKS = {
    "": "",
    "smaller than the control's": "below the control's",
    "within noise of the control's": "as the control's",
}
"""Short, for a cell; the notes beneath say it in full."""
_FORMATS = {
    "Markdown": ("md", "text/markdown"),
    "CSV": ("csv", "text/csv"),
    "LaTeX": ("tex", "application/x-tex"),
}


def study_table(found: Results) -> None:
    """Draw it, its notes beneath, and the three formats to copy or download."""
    names = found.columns
    html_table(
        label="Figures of each variant with 95 % intervals",
        columns=["Seeds", *(FIGURES[name].heading for name in names)],
        rows=[
            (row.variant.label, [_seeds(row), *(_entry(row.entries[name], name) for name in names)])
            for row in found.rows
        ],
    )
    st.caption("\n".join(f"- {note}" for note in found.notes).replace("~", r"\~"))
    with st.expander("What each figure means", icon=":material/help:"):
        st.markdown("\n".join(f"- **{FIGURES[name].title}**: {FIGURES[name].explained}" for name in names))
    _formats(found)


def ablation_panels(found: Results) -> None:
    """One small panel a figure: what is varied on x, the mean with its interval, fine-tuning's as a dashed line."""
    axis = found.study.axis or "variant"
    st.caption(
        f"On each horizontal axis: {axis}. Settings are chosen by validation: the first panel, where it was measured."
    )
    # A row of columns each, so that a narrow window, which stacks them, keeps their order.
    panels = [name for name in _PANELS if FIGURES[name].group not in found.study.not_asked]
    columns = [column for _ in range(0, len(panels), 3) for column in st.columns(3, gap="small")]
    for column, name in zip(columns, panels, strict=False):
        with column:
            chart(
                ablation_panel(found.rows, name),
                of=found.study.id,
                key=f"panel_{name}",
                label=f"{FIGURES[name].title} against {axis}, means with 95 % intervals",
            )
    st.caption(
        "Points are means with their 95 % intervals, where there are any; the dashed grey line is fine-tuning with the "
        "same budget. The table beneath has the numbers."
    )


def _formats(found: Results) -> None:
    with st.expander("Copy or download the table", icon=":material/content_copy:"):
        form, choice = st.columns([1, 2.4], vertical_alignment="bottom")
        name = form.segmented_control("Format", list(_FORMATS), default="Markdown", required=True, key="table_format")
        names = choice.multiselect(
            "Columns",
            list(FIGURES),
            default=found.columns,
            format_func=lambda figure: FIGURES[figure].title,
            key="table_columns",
        )
        label = st.text_input("Label", "", key="table_label", placeholder="tab:methods") if name == "LaTeX" else ""
        try:
            text = _text(found, name, names, label)
        except BirdError as error:
            st.error(str(error))
            return
        suffix, mime = _FORMATS[name]
        # Plain and wrapped: highlighting is too pale to read, and a box that scrolls can't be reached by keyboard.
        st.code(text, language=None, wrap_lines=True)
        st.download_button(
            f"Download as {name}",
            text.encode(),
            file_name=f"{found.study.id}.{suffix}",
            mime=mime,
            icon=":material/download:",
            on_click="ignore",
            key="table_download",
        )


def _text(found: Results, form: str, names: Sequence[str], label: str) -> str:
    if form == "LaTeX":
        return found.as_latex(names, label=label.strip())
    return found.as_markdown(names) if form == "Markdown" else found.as_csv(names)


def _seeds(row: Row) -> Entry:
    return Entry(text=f"{len(row.done)}/{len(row.asked)}")


def _entry(entry: Estimated, name: str) -> Entry:
    marked = say(replace(entry, interval=None), name)
    value = say(replace(entry, interval=None, remark=""), name)
    spread = say(replace(entry, remark=""), name).removeprefix(value).strip()
    return Entry(text=marked, note=spread, remark=_REMARKS[entry.remark], best=entry.best)
