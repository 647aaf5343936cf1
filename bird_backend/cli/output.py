"""What commands print: for people, or with `--json` exactly one JSON document on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bird_backend.experiments import KINDS

__all__ = ["ProgressBar", "describe_summary", "emit", "table"]


def emit(document: Any, text: str, *, as_json: bool) -> None:
    """Print the document, or for a person the text."""
    sys.stdout.write((json.dumps(document, indent=2, allow_nan=False) if as_json else text) + "\n")


def table(rows: Iterable[Sequence[object]], header: Sequence[str]) -> str:
    """Left-aligned columns under a header."""
    cells = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def describe_summary(summary: Mapping[str, Any]) -> str:
    """What a run found, as its kind says it."""
    report = KINDS[summary["kind"]].report(summary)
    return "\n".join([*([table(report.rows, report.header)] if report.rows else []), *report.lines])


class ProgressBar:
    """One line on stderr, rewritten in a terminal; elsewhere a line for each new phase."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._phase = ""

    def __call__(self, phase: str, fraction: float, eta_seconds: float | None) -> None:
        left = "" if eta_seconds is None else f"  about {eta_seconds:.0f} s left"
        if self._terminal:
            filled = round(30 * fraction)
            sys.stderr.write(f"\r\x1b[K{'━' * filled}{'─' * (30 - filled)} {fraction:4.0%}  {phase}{left}")
        elif phase != self._phase:
            sys.stderr.write(f"{phase}\n")
        self._phase = phase
        sys.stderr.flush()

    def close(self) -> None:
        """Leave the line."""
        if self._terminal and self._phase:
            sys.stderr.write("\n")
