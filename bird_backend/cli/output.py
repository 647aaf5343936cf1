"""What commands print: for people, or with `--json` exactly one JSON document on stdout."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Column, Table
from rich.text import Text

from bird_backend.durations import exact
from bird_backend.errors import plain
from bird_backend.experiments import KINDS

__all__ = ["ProgressBar", "describe_summary", "emit", "table"]


def emit(document: Any, text: str, *, as_json: bool) -> None:
    """Print the document, or for a person the text; what the terminal's encoding lacks is written out."""
    shown = json.dumps(document, indent=2, allow_nan=False) if as_json else text
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(shown.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def table(rows: Iterable[Sequence[object]], header: Sequence[str]) -> str:
    """Left-aligned columns under a header, as wide as they need to be whatever they are printed on."""
    columns = (Column(Text(title), no_wrap=True) for title in header)
    drawn = Table(*columns, box=None, pad_edge=False, padding=(0, 1), header_style="none")
    for row in rows:
        drawn.add_row(*(Text(plain(str(cell))) for cell in row))
    page = Console(file=io.StringIO(), width=_WIDEST, color_system=None, legacy_windows=False)
    with page.capture() as captured:
        page.print(drawn)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def describe_summary(summary: Mapping[str, Any]) -> str:
    """What a run found, as its kind says it."""
    report = KINDS[summary["kind"]].report(summary)
    drawn = [table(report.rows, report.header)] if report.rows else []
    options = ", ".join(f"--{name.replace('_', '-')}" for name in report.settings)
    return "\n".join([*drawn, *report.lines, *([f"To say otherwise: {options}."] if options else [])])


class ProgressBar:
    """One line on stderr, rewritten in a terminal; elsewhere a line for each new phase."""

    def __init__(self) -> None:
        self._phase = ""
        self._bar: Progress | None = None
        if sys.stderr.isatty():
            parts = (BarColumn(bar_width=30), TaskProgressColumn(), TextColumn("{task.description}", markup=False))
            self._bar = Progress(
                *parts,
                console=Console(stderr=True),
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._bar.add_task("", total=1.0)
            self._bar.start()

    def __call__(self, phase: str, fraction: float, eta_seconds: float | None) -> None:
        phase = plain(phase)
        if self._bar is not None:
            left = "" if eta_seconds is None else f"  about {exact(eta_seconds)} left"
            self._bar.update(self._task, completed=fraction, description=f"{phase}{left}", refresh=True)
        elif phase != self._phase:
            sys.stderr.write(f"{phase}\n")
            sys.stderr.flush()
        self._phase = phase

    def close(self) -> None:
        """Leave the line."""
        if self._bar is not None:
            self._bar.stop()


_WIDEST = 10_000
