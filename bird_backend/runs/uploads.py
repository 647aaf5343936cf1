"""Files that a person brought, weights or images, kept as they came: named by their SHA-256, so each is kept once.

A client's name for a file is never a path here: it is given to a run as a name to be made plain.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from bird_backend import settings
from bird_backend.errors import InputError, is_plain

__all__ = [
    "UPLOAD",
    "brought_images",
    "find_upload",
    "forget_upload",
    "keep_upload",
    "list_uploads",
    "plain_title",
    "upload_name",
]

UPLOAD = re.compile(r"[0-9a-f]{64}")
_PIECE = 2**20
_LONGEST_TITLE = 80


def keep_upload(content: BinaryIO) -> str:
    """Keep a file under the home, unread; returns the name by which a conversion finds it, 64 hex digits.

    `content` is read in pieces, and no further than `MAX_WEIGHTS_BYTES`; an empty or larger one is an `InputError`.
    """
    folder, digest, size = settings.uploads_dir(), hashlib.sha256(), 0
    settings.make_home()
    partial = folder / f".{secrets.token_hex(8)}.partial"
    try:
        folder.mkdir(exist_ok=True)
        with partial.open("xb") as file:
            while piece := content.read(_PIECE):
                size += len(piece)
                if size > settings.MAX_WEIGHTS_BYTES:
                    raise InputError(f"The file is larger than the {settings.MAX_WEIGHTS_BYTES / 2**30:.1f} GiB kept.")
                digest.update(piece)
                file.write(piece)
        if not size:
            raise InputError("The file is empty.")
        partial.replace(folder / digest.hexdigest())
    except OSError as error:
        raise InputError(f"The file can't be kept in {folder}: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return digest.hexdigest()


def find_upload(name: str) -> Path:
    """Where the file lies that `keep_upload` gave this name; one that is not there is an `InputError`."""
    path = settings.uploads_dir() / name
    if not UPLOAD.fullmatch(name) or not path.is_file():
        raise InputError(f"The file {name[:12]}… is not among those brought here; bring it again.")
    return path


def list_uploads() -> list[Path]:
    """The files that are kept, weights, images and single pictures alike, the largest first."""
    folders = (settings.uploads_dir(), settings.pictures_dir())
    found = [path for folder in folders if folder.is_dir() for path in folder.iterdir() if UPLOAD.fullmatch(path.name)]
    return sorted(found, key=lambda path: (-path.stat().st_size, path.name))


def forget_upload(name: str) -> int:
    """Take back the space of a file that is converted, or no longer wanted; returns the bytes that were freed."""
    freed = 0
    for path in list_uploads():
        if path.name == name:
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def upload_name(name: str, title: str) -> str:
    """What a spec's data is called that `keep_upload` gave this name: `upload:DIGEST/TITLE`.

    `title` is what the file was called where it came from; nothing is ever found by it.
    """
    return f"upload:{name}/{plain_title(title)}"


def plain_title(title: str) -> str:
    """What a file was called where it came from, without folders and without what is no text."""
    last = PurePosixPath(title.replace("\\", "/")).name
    return "".join(letter for letter in last if is_plain(letter)).strip()[:_LONGEST_TITLE] or "images"


def brought_images(path: str) -> Path:
    """Where images lie that were brought: `path` is a name in `upload_name`'s way, without its `upload:`.

    What is not there is an `InputError`.
    """
    return find_upload(path.partition("/")[0])
