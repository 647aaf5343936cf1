"""What a run wrote, in the forms that other programs read: an export is declared in a file of this folder."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from bird_backend.errors import InputError
from bird_backend.exports.declaration import Export
from bird_backend.registry import Registry
from bird_backend.runs.store import Run

__all__ = ["EXPORTS", "Export", "export_file", "export_run"]

EXPORTS: Registry[Export] = Registry("export", "bird_backend.exports", files=True)


def export_run(run: Run, to: str, folder: Path) -> list[str]:
    """Write a run into a folder, which is made, in the form of that name; returns what was written, by path or address.

    An unknown form is an `UnknownNameError`; what is not there to be written, or can't be, is an `InputError`.
    """
    export = EXPORTS.find(to)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return export.write(run, folder.resolve())
    except OSError as error:
        raise InputError(f"Run {run.id} can't be written to {folder}: {error.strerror or error}.") from error
    except ModuleNotFoundError as error:
        if export.package is None or (error.name or "").partition(".")[0] != export.package:
            raise
        raise InputError(export.needs) from None


def export_file(run: Run, to: str) -> bytes:
    """A run in a form that has a `download`, as that one file; errors are those of `export_run`."""
    name = EXPORTS.find(to).download
    with TemporaryDirectory(prefix="bird-export-") as folder:
        written = [Path(each) for each in export_run(run, to, Path(folder))]
        if name is None or not name.endswith(".zip"):
            return written[0].read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # of numbers, that hardly get smaller
            for path in sorted(Path(folder).resolve().rglob("*")):
                archive.write(path, path.relative_to(Path(folder).resolve()))
        return packed.getvalue()
