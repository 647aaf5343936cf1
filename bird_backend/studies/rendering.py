"""A study's table as Markdown, CSV and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd

from bird_backend.errors import InputError
from bird_backend.measures import Interval, ends, spread
from bird_backend.measures.figures import FIGURES, Unit
from bird_backend.studies.entries import Entry, Row
from bird_backend.studies.notes import AHEAD_MARK, BEHIND_MARK

__all__ = ["csv_text", "latex", "markdown", "say"]

_REMARKS = {
    "": "",
    "smaller than the control's": BEHIND_MARK,
    "within noise of the control's": AHEAD_MARK,
}
_BLANK = "–"
_LABEL = re.compile(r"[A-Za-z0-9:._-]{1,80}")


def say(entry: Entry, name: str) -> str:
    """An entry as the table says it, such as `68.6 ± 0.8`; a dash where there is no value."""
    if entry.value is None:
        return _BLANK
    unit = FIGURES[name].unit
    return f"{unit.text(entry.value)}{_spread(entry.interval, unit)}{_REMARKS[entry.remark]}"


def markdown(title: str, rows: Sequence[Row], names: Sequence[str], notes: Sequence[str]) -> str:
    """A heading, a table with columns aligned, and its notes as a list."""
    lines = [
        [
            _escape_markdown(row.variant.label),
            _seeds(row),
            *(f"**{say(entry, name)}**" if entry.best else say(entry, name) for name, entry in _entries(row, names)),
        ]
        for row in rows
    ]
    header = ["", "Seeds", *(FIGURES[name].heading for name in names)]
    widths = [max(len(line[column]) for line in (header, *lines)) for column in range(len(header))]
    rule = [f"{'-' * (width - 1)}:" if column else "-" * max(width, 3) for column, width in enumerate(widths)]
    widths[0] = len(rule[0])
    text = [
        f"| {' | '.join(_pad(cell, width, right=column > 0) for column, (cell, width) in cells)} |"
        for cells in (enumerate(zip(line, widths, strict=True)) for line in (header, rule, *lines))
    ]
    body = [f"- {_escape_markdown(note)}" for note in notes]
    return "\n".join([f"### {_escape_markdown(title)}", "", *text, "", *body]) + "\n"


def csv_text(rows: Sequence[Row], names: Sequence[str]) -> str:
    """One line a variant. Values are fractions, CKA and seconds; an end without bound is blank."""
    frame = pd.DataFrame([_record(row, names) for row in rows])
    return frame.to_csv(index=False, lineterminator="\n")


def latex(title: str, rows: Sequence[Row], names: Sequence[str], notes: Sequence[str], *, label: str = "") -> str:
    """A table for the packages `booktabs` and `adjustbox`, with its notes beneath."""
    if label and not _LABEL.fullmatch(label):
        raise InputError(f"A label is of letters, digits and :._-, such as tab:methods, not {label!r}.")
    header = ["", "Seeds", *(FIGURES[name].heading for name in names)]
    cells = [
        [
            _escape_latex(row.variant.label),
            _seeds(row),
            *(
                rf"\textbf{{{_escape_latex(say(entry, name))}}}" if entry.best else _escape_latex(say(entry, name))
                for name, entry in _entries(row, names)
            ),
        ]
        for row in rows
    ]
    frame = pd.DataFrame(cells, columns=[_escape_latex(heading) for heading in header])
    # By Styler, which wants jinja2: Streamlit's altair brings it.
    tabular = frame.to_latex(index=False, escape=False, column_format=f"l{'r' * (len(header) - 1)}").rstrip()
    return "\n".join(
        [
            r"% Needs \usepackage{booktabs} and \usepackage{adjustbox}.",
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escape_latex(title)}}}",
            *([rf"\label{{{label}}}"] if label else []),
            r"\begin{adjustbox}{max width=\linewidth}",
            tabular,
            r"\end{adjustbox}",
            r"\par\smallskip\raggedright\footnotesize",
            *(_escape_latex(note) for note in notes),
            r"\end{table}",
            "",
        ]
    )


def _entries(row: Row, names: Sequence[str]) -> list[tuple[str, Entry]]:
    return [(name, row.entries[name]) for name in names]


def _record(row: Row, names: Sequence[str]) -> dict[str, object]:
    variant = row.variant
    record: dict[str, object] = {
        "variant": variant.label,
        "method": variant.method,
        "role": variant.role,
        "start": variant.start,
        "control": variant.control,
        "value": variant.value,
        "seeds_done": len(row.done),
        "seeds_asked": len(row.asked),
    }
    for name, entry in _entries(row, names):
        known = entry.interval.as_dict() if entry.interval is not None and entry.value is not None else {}
        record |= {
            name: entry.value,
            f"{name}_low": known.get("low"),
            f"{name}_high": known.get("high"),
            f"{name}_n": known.get("n"),
            f"{name}_interval": known.get("kind"),
        }
    return record | {
        "best_in": " ".join(name for name, entry in _entries(row, names) if entry.best),
        "gain_remark": row.entries["gain"].remark,
        "problems": " ".join(row.problems),
    }


def _seeds(row: Row) -> str:
    return f"{len(row.done)}/{len(row.asked)}"


def _spread(interval: Interval | None, unit: Unit) -> str:
    if interval is None:
        return ""
    if interval.bounded and interval.kind.startswith(("Wilson", "bootstrap")):
        return f" ({ends(interval, unit.digits, factor=unit.scale, sign=unit.sign)})"
    return spread(interval, unit.digits, factor=unit.scale)


def _pad(cell: str, width: int, *, right: bool) -> str:
    return cell.rjust(width) if right else cell.ljust(width)


def _escape_markdown(text: str) -> str:
    return re.sub(r"([\\`*_|<\[\]])", r"\\\1", " ".join(text.split()))


_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "∞": r"$\infty$",
    "−": r"$-$",
    "×": r"$\times$",
    "→": r"$\to$",
    "–": "--",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "²": r"$^2$",
    "³": r"$^3$",
}


def _escape_latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
