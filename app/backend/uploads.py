"""Images that a person drops into the browser: kept in the home, and named as a spec names them."""

from __future__ import annotations

from typing import BinaryIO

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.runs import uploads

__all__ = ["IMAGES_TYPES", "MAX_IMAGES_BYTES", "brought_problem", "keep_images"]

IMAGES_TYPES = ("zip", "npz")
MAX_IMAGES_BYTES = settings.MAX_BROUGHT_BYTES
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")


def keep_images(content: BinaryIO, title: str) -> str:
    """Keep a zip or an `.npz` that was dropped; returns the data set's name. Anything else is an `InputError`."""
    start = content.read(4)
    if start not in _ZIP:
        raise InputError(f"{uploads.plain_title(title)} is neither a zip of images nor an .npz of arrays.")
    content.seek(0)
    return uploads.upload_name(uploads.keep_upload(content), title)


def brought_problem(path: str) -> str | None:
    """Why images that were brought can't be had, `path` being DIGEST/TITLE; none where they are there."""
    try:
        uploads.brought_images(path)
    except InputError as error:
        return str(error)
    return None
