"""A study's table as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

from bird_backend.measures import Interval, ends, rounded, spread
from bird_backend.studies.figures import FIGURES, Entry, Row
from bird_backend.studies.notes import AHEAD_MARK, BEHIND_MARK

__all__ = ["csv_text", "latex", "markdown", "say"]

_REMARKS = {
    "": "",
    "smaller than the control's": BEHIND_MARK,
    "within noise of the control's": AHEAD_MARK,
}
_BLANK = "–"


def say(entry: Entry, name: str) -> str:
    """An entry as the table says it, such as `68.6 ± 0.8`; a dash where there is no value."""
    if entry.value is None:
        return _BLANK
    unit = FIGURES[name].unit
    scale, digits = {"share": (100, 1), "points": (100, 1), "cka": (1, 3), "seconds": (1, 1)}[unit]
    sign = "+" if unit == "points" else ""
    text = rounded(scale * entry.value, digits, sign=sign)
    return f"{text}{_spread(entry.interval, scale, digits)}{_REMARKS[entry.remark]}"


def markdown(title: str, rows: Sequence[Row], notes: Sequence[str]) -> str:
    """A heading, a table with columns aligned, and its notes as a list."""
    lines = [
        [
            _escape_markdown(row.variant.label),
            _seeds(row),
            *(f"**{say(entry, name)}**" if entry.best else say(entry, name) for name, entry in row.entries.items()),
        ]
        for row in rows
    ]
    header = ["", "Seeds", *(_heading(name) for name in FIGURES)]
    widths = [max(len(line[column]) for line in (header, *lines)) for column in range(len(header))]
    rule = [f"{'-' * (width - 1)}:" if column else "-" * max(width, 3) for column, width in enumerate(widths)]
    widths[0] = len(rule[0])
    text = [
        f"| {' | '.join(_pad(cell, width, right=column > 0) for column, (cell, width) in cells)} |"
        for cells in (enumerate(zip(line, widths, strict=True)) for line in (header, rule, *lines))
    ]
    body = [f"- {_escape_markdown(note)}" for note in notes]
    return "\n".join([f"### {_escape_markdown(title)}", "", *text, "", *body]) + "\n"


def csv_text(rows: Sequence[Row]) -> str:
    """One line a variant. Values are fractions, CKA and seconds; an end without bound is blank."""
    names = ["variant", "method", "role", "start", "control", "value", "seeds_done", "seeds_asked"]
    for name in FIGURES:
        names += [name, f"{name}_low", f"{name}_high", f"{name}_n", f"{name}_interval"]
    names += ["best_in", "gain_remark", "problems"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        variant = row.variant
        cells: list[object] = [variant.label, variant.method, variant.role, variant.start, variant.control]
        cells += ["" if variant.value is None else variant.value, len(row.done), len(row.asked)]
        for name in FIGURES:
            cells += _numbers(row.entries[name])
        best = " ".join(name for name, entry in row.entries.items() if entry.best)
        cells += [best, row.entries["gain"].remark, " ".join(row.problems)]
        writer.writerow(cells)
    return text.getvalue()


def latex(title: str, rows: Sequence[Row], notes: Sequence[str]) -> str:
    """A table for the packages `booktabs` and `graphicx`, with its notes beneath."""
    lines = []
    for row in rows:
        cells = [_escape_latex(row.variant.label), _seeds(row)]
        for name, entry in row.entries.items():
            text = _escape_latex(say(entry, name))
            cells.append(rf"\textbf{{{text}}}" if entry.best else text)
        lines.append(f"{' & '.join(cells)} \\\\")
    header = " & ".join(["", "Seeds", *(_escape_latex(_heading(name)) for name in FIGURES)])
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_escape_latex(title)}}}",
            r"\resizebox{\linewidth}{!}{%",
            rf"\begin{{tabular}}{{l{'r' * (len(FIGURES) + 1)}}}",
            r"\toprule",
            f"{header} \\\\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}}",
            r"\par\smallskip\raggedright\footnotesize",
            *(_escape_latex(note) for note in notes),
            r"\end{table}",
            "",
        ]
    )


def _heading(name: str) -> str:
    figure = FIGURES[name]
    return f"{figure.title}, %" if figure.unit == "share" else figure.title


def _seeds(row: Row) -> str:
    return f"{len(row.done)}/{len(row.asked)}"


def _spread(interval: Interval | None, scale: float, digits: int) -> str:
    if interval is None:
        return ""
    if interval.bounded and interval.kind.startswith(("Wilson", "bootstrap")):
        return f" ({ends(interval, digits, factor=scale)})"
    return spread(interval, digits, factor=scale)


def _numbers(entry: Entry) -> list[object]:
    if entry.value is None:
        return ["", "", "", "", ""]
    if entry.interval is None:
        return [entry.value, "", "", len(entry.by_seed), ""]
    described = entry.interval.as_dict()
    ends = ["" if described[end] is None else described[end] for end in ("low", "high")]
    return [entry.value, *ends, described["n"], described["kind"]]


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
