"""A table of images: a CSV or TSV file with a line for each, its path, its label and perhaps its split."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from bird_backend.datasets.sources import ImageFile
from bird_backend.errors import InputError

__all__ = ["Line", "Lines", "read_table"]

_PATH = ("path", "file", "filename", "file_name", "filepath", "image", "image_path")
_LABEL = ("label", "class", "class_name", "category", "target")
_SPLIT = ("split", "set", "subset", "fold")


@dataclass(frozen=True, kw_only=True)
class Line:
    """An image's path, by its parts, relative to the table; its label, and its split or nothing."""

    number: int
    parts: tuple[str, ...]
    label: str
    split: str


Lines = Sequence[Line]


def read_table(name: str, table: ImageFile, *, optional: bool = False) -> Lines | None:
    """The lines of `table`; none where it has no columns for a path and a label and is `optional`.

    Whatever else is wrong with it is an `InputError`.
    """
    where = f"{name}: {table.name}"
    try:
        text = table.read().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if optional:
            return None
        raise InputError(f"{where} is not text in UTF-8: {error.reason}.") from error
    head = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        header = [cell.strip().lower() for cell in next(rows, [])]
        columns = [_column(header, names) for names in (_PATH, _LABEL, _SPLIT)]
        path, label, split = columns
        if path is None or label is None:
            if optional:
                return None
            raise InputError(f"{where} has no columns path and label in its first line, only {', '.join(header)}.")
        lines: dict[tuple[str, ...], Line] = {}
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            number = rows.line_num
            if len(row) <= max(column for column in columns if column is not None):
                raise InputError(f"{where} has too few cells in line {number}.")
            parts = _parts(row[path].strip(), f"{where} in line {number}")
            if not row[label].strip():
                raise InputError(f"{where} has no label in line {number}.")
            if parts in lines:
                raise InputError(f"{where} names {row[path]!r} in lines {lines[parts].number} and {number}.")
            lines[parts] = Line(
                number=number,
                parts=parts,
                label=row[label].strip(),
                split="" if split is None else row[split].strip(),
            )
    except csv.Error as error:
        raise InputError(f"{where} can't be read in line {rows.line_num}: {error}.") from error
    return list(lines.values())


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _parts(path: str, where: str) -> tuple[str, ...]:
    unified = path.replace("\\", "/")
    parts = tuple(part for part in unified.split("/") if part not in ("", "."))
    if unified.startswith("/") or ".." in parts or not parts:
        raise InputError(f"{where} has the path {path!r}; paths are relative, and stay below the table.")
    return parts
