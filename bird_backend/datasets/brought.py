"""`upload:DIGEST/TITLE`: images that were brought, read where they are kept and told by their title."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

from bird_backend import settings
from bird_backend.datasets.array_files import load_arrays
from bird_backend.datasets.dataset import Dataset, Progress
from bird_backend.datasets.own import load_zip
from bird_backend.errors import InputError
from bird_backend.runs.uploads import brought_images
from bird_backend.runs.zip_directory import members_in
from bird_backend.specs import ImageSize

__all__ = ["load_upload"]


def load_upload(path: Path, size: ImageSize, progress: Progress) -> Dataset:
    """The data set in the zip or `.npz` of that digest and title. What makes it unusable is an `InputError`."""
    name, file = f"upload:{path}", brought_images(str(path))
    load = load_arrays if _holds_arrays(file) else load_zip
    try:
        return load(file, size, progress, name=name)
    except InputError as error:
        raise InputError(str(error).replace(name, path.name).replace(str(file), path.name)) from error


def _holds_arrays(file: Path) -> bool:
    """An `.npz` is a zip of nothing but arrays; how a file was called when it was brought says nothing of it."""
    try:
        if members_in(file) > settings.MAX_FILES:
            return False
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
    return bool(names) and all(PurePosixPath(name).suffix == ".npy" for name in names)
