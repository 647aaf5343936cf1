"""A study of pairs as it fills: its time, and a table with a row a pair that can be sorted by any column."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.backend.studies import Pairs
from bird_backend.durations import exact
from bird_backend.measures import rounded

__all__ = ["pairs_table"]

_HEIGHT = 460
_SHARES = {
    "robust_after": ("Robust, %", "Robust accuracy of the student after the transfer: all conditions and strengths."),
    "robust_fine_tuning": ("Fine-tuned, %", "Robust accuracy of the same student, fine-tuned with the same budget."),
    "robust_before": ("Before, %", "Robust accuracy of the untouched student."),
    "held_out_after": ("Held out, %", "Accuracy after the transfer under conditions that no model ever trains on."),
    "clean_after": ("Clean, %", "Accuracy after the transfer on images as they are."),
}


def pairs_table(found: Pairs) -> None:
    """Draw it; a row that is chosen leads to its run."""
    _time(found)
    table = found.summary()
    if table.empty:
        st.caption("The first pair is yet to be done; each comes into a table here as it is.")
        return
    shown = pd.DataFrame(
        {
            "Teacher": table["teacher"],
            "Guiding layer": table["teacher_layer"],
            "Student": table["student"],
            "Guided layer": table["student_layer"],
            "Gain": 100 * table["gain"].astype(float),
            "±": 100 * table["gain_half"].astype(float),
            **{label: 100 * table[name].astype(float) for name, (label, _) in _SHARES.items()},
            "CKA before": table["cka_before"].astype(float),
            "CKA after": table["cka_after"].astype(float),
            "Seeds": table["seeds"],
        }
    )
    signed: dict[Any, Any] = {"Gain": partial(rounded, digits=1, sign="+")}
    picked = st.dataframe(
        # The styled text is shown, a real minus in it, and the number beneath it is sorted by.
        shown.style.format(signed, na_rep="–"),
        key="pairs",
        height=_HEIGHT if len(shown) > 12 else "content",
        hide_index=True,
        column_config=_columns(len(found.study.seeds)),
        on_select="rerun",
        selection_mode="single-row",
        alt="Each pair of layers with what its transfer gained, the largest gain first",
    )
    rows = picked["selection"]["rows"]
    if rows and rows[0] < len(table):
        row = table.iloc[rows[0]]
        name = f"{row['teacher']} {row['teacher_layer']} → {row['student']} {row['student_layer']}"
        link("live", f"**{name}**: its run", icon=":material/timeline:", run=str(row["run"]))
    else:
        st.caption("Press a column's name to sort by it, and the box before a row to open its run.")
    st.caption("\n".join(f"- {note}" for note in found.study.notes).replace("~", r"\~"))
    st.download_button(
        "Download as CSV",
        lambda: found.done.to_csv(index=False, lineterminator="\n").encode(),
        file_name=f"{found.study.id}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="pairs_download",
        help="A row a pair and seed, with every figure; `python -m bird_backend study` writes Parquet too.",
    )


def _columns(seeds: int) -> dict[str, Any]:
    number = st.column_config.NumberColumn
    return {
        "Gain": number(help="Robust accuracy over the same student's fine-tuning, in points; mean over seeds."),
        "±": number(
            format="%.1f", help="Half of the gain's 95 % interval, Student's t over seeds; none with a single seed."
        ),
        **{label: number(format="%.1f", help=said) for label, said in _SHARES.values()},
        "CKA before": number(format="%.2f", help="Debiased CKA of the two layers before the transfer."),
        "CKA after": number(format="%.2f", help="Debiased CKA of the two layers after the transfer."),
        "Seeds": number(help=f"Done of {seeds}."),
    }


def _time(found: Pairs) -> None:
    budget, spent = found.study.budget_seconds, found.progress.spent_seconds
    if budget is not None:
        st.caption(f"Time: {exact(spent)} of {exact(budget)} spent.")
