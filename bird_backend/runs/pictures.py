"""Image files that a person brought, kept as they came: each is named by its SHA-256, so the same one is kept once."""

from __future__ import annotations

import hashlib

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.runs.directory import write_atomic

__all__ = ["keep_picture", "read_picture"]


def keep_picture(content: bytes) -> str:
    """Keep an image file under the home, undecoded; returns the name by which a gallery finds it, 64 hex digits."""
    limit = settings.MAX_PICTURE_BYTES
    if not content:
        raise InputError("The picture is an empty file.")
    if len(content) > limit:
        raise InputError(f"The picture has {len(content) / 1e6:.1f} MB; at most {limit / 1e6:.0f} MB are read.")
    name = hashlib.sha256(content).hexdigest()
    path = settings.pictures_dir() / name
    if not path.exists():
        settings.make_home()
        try:
            path.parent.mkdir(exist_ok=True)
            write_atomic(path, content)
        except OSError as error:
            raise InputError(f"The picture can't be kept in {path.parent}: {error.strerror}.") from error
    return name


def read_picture(name: str) -> bytes:
    """The image file that `keep_picture` gave this name; one that is not there is an `InputError`."""
    path = settings.pictures_dir() / name
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"The picture {name[:12]}… is not in {path.parent}; bring it again.") from error
