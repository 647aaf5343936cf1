"""Paths and limits, read from the environment when asked for, never at import."""

from __future__ import annotations

import os
from pathlib import Path

from bird_backend.errors import InputError

__all__ = [
    "APP",
    "ASSETS",
    "CANCEL_GRACE_SECONDS",
    "CODE",
    "IDLE_EXIT_SECONDS",
    "MAX_BROKEN_SHARE",
    "MAX_BROUGHT_BYTES",
    "MAX_FILES",
    "MAX_IMAGES",
    "MAX_IMAGE_PIXELS",
    "MAX_PICTURE_BYTES",
    "MAX_UNPACKED_BYTES",
    "MAX_WEIGHTS_BYTES",
    "NETWORK_SECONDS",
    "READING_BYTES",
    "READING_SECONDS",
    "SHARED_BYTES",
    "TABLE_WAIT_SECONDS",
    "cache_dir",
    "checkpoints_dir",
    "data_dir",
    "expanded",
    "feature_cache",
    "found",
    "home",
    "image_memory",
    "kept_checkpoints",
    "make_home",
    "networks_allowed",
    "pictures_dir",
    "runs_dir",
    "uploads_dir",
]

_PACKAGE = Path(__file__).resolve().parent
CODE = _PACKAGE.parent
"""The folder that holds the package: a process of ours is begun there, so that it runs this very code."""
_INSTALLED = (_PACKAGE / "assets").is_dir()
ASSETS = (_PACKAGE if _INSTALLED else CODE) / "assets"
APP = (_PACKAGE / "explorer" if _INSTALLED else CODE) / "app" / "main.py"
"""What Streamlit is to run."""

CANCEL_GRACE_SECONDS = 10.0
"""Between asking a run to stop (TERM) and ending it (KILL)."""
IDLE_EXIT_SECONDS = 1800
"""A supervisor that the app or `submit` started leaves after so long with nothing to do."""
NETWORK_SECONDS = 60.0
"""What a person's own code has to make its network, and to look at three images."""
SHARED_BYTES = 2**29
"""What a process keeps in memory, or on its device, for the next run of the same study."""
TABLE_WAIT_SECONDS = 5.0
"""How long to wait for a process that holds the run table."""
MAX_UNPACKED_BYTES = 4 * 2**30
"""A zip that unpacks to more than this is refused before anything is read."""
MAX_FILES = 2_500_000
"""Of all kinds in a folder or zip; one with more is refused, and not listed to its end."""
MAX_IMAGES = 2_000_000
MAX_BROKEN_SHARE = 0.1
"""Of a data set's images: fewer that can't be read are left out and counted, more are a refusal."""
MAX_IMAGE_PIXELS = 64_000_000
MAX_BROUGHT_BYTES = 10**9
"""Images dropped into the browser, which holds all of them at once; more are named by their path."""
MAX_PICTURE_BYTES = 20_000_000
"""An image file brought to the gallery."""
MAX_WEIGHTS_BYTES = 4 * 2**30
READING_BYTES = 3 * 2**28
"""Memory for opening a foreign weights file, beside five times its size."""
READING_SECONDS = 120.0
"""For opening it."""


def home() -> Path:
    """Where runs, data and weights live: `BIRD_HOME`, else `~/.bird-explorer`; nowhere is an `InputError`."""
    asked = os.environ.get("BIRD_HOME") or "~/.bird-explorer"
    try:
        return Path(asked).expanduser().resolve()
    except RuntimeError as error:  # ~ of a user there isn't, or a link to itself
        raise InputError(f"The home {asked} can't be found ({error}); set BIRD_HOME to another folder.") from error


def image_memory() -> int | None:
    """Bytes of images that may lie on a device, from `BIRD_IMAGE_MEMORY` in MiB; none where it is left to us."""
    asked = os.environ.get("BIRD_IMAGE_MEMORY", "")
    try:
        return max(0, int(float(asked) * 2**20)) if asked else None
    except (ValueError, OverflowError) as error:
        raise InputError(f"BIRD_IMAGE_MEMORY is a number of MiB, not {asked!r}.") from error


def feature_cache() -> int:
    """Bytes that features and changed images may take in the cache: `BIRD_FEATURE_CACHE` in MiB, else 8 GiB."""
    asked = os.environ.get("BIRD_FEATURE_CACHE", "")
    try:
        return max(0, int(float(asked) * 2**20)) if asked else 8 * 2**30
    except (ValueError, OverflowError) as error:
        raise InputError(f"BIRD_FEATURE_CACHE is a number of MiB, not {asked!r}.") from error


def kept_checkpoints() -> int:
    """Bytes that checkpoints kept to fork runs from may take in all: `BIRD_KEPT_CHECKPOINTS` in MiB, else 4 GiB."""
    asked = os.environ.get("BIRD_KEPT_CHECKPOINTS", "")
    try:
        return max(0, int(float(asked) * 2**20)) if asked else 4 * 2**30
    except (ValueError, OverflowError) as error:
        raise InputError(f"BIRD_KEPT_CHECKPOINTS is a number of MiB, not {asked!r}.") from error


def expanded(path: str | Path) -> Path:
    """The path with `~` at its beginning put in; that of a user there isn't stays, and leads nowhere."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def found(path: str | Path) -> Path | None:
    """Where a path leads; none where nothing is, for a name that is too long and for a link to itself."""
    try:
        return expanded(path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None


def networks_allowed() -> tuple[Path | str, ...] | None:
    """Folders and packages whose code may be executed as a network, from `BIRD_NETWORKS`.

    None where it isn't set: any may. Nothing where it is empty: none may.
    """
    asked = os.environ.get("BIRD_NETWORKS")
    if asked is None:
        return None
    entries = [entry.strip() for entry in asked.split(os.pathsep)]
    return tuple(
        expanded(entry).resolve() if os.sep in entry or entry[0] in "~." else entry for entry in entries if entry
    )


def make_home() -> Path:
    """The home, made if it was not there; an `InputError` where it can't be."""
    path = home()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"The home {path} can't be made ({error.strerror}); set BIRD_HOME to a folder that can."
        ) from error
    return path


def runs_dir() -> Path:
    """One directory per run, named by the run."""
    return home() / "runs"


def data_dir() -> Path:
    """Downloaded data sets."""
    return home() / "data"


def cache_dir() -> Path:
    """Decoded and changed images and features, which can be had again from where they came: free to be removed."""
    return home() / "cache"


def checkpoints_dir() -> Path:
    """Weights made by runs, `NAME.safetensors`; the folder has the name under which homes and assets know it."""
    return home() / "checkpoints"


def pictures_dir() -> Path:
    """Image files brought to the gallery, named by their SHA-256."""
    return home() / "pictures"


def uploads_dir() -> Path:
    """Files that were brought, weights to be converted and images, named by their SHA-256."""
    return home() / "uploads"
