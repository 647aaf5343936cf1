"""One's own images: what they may come as, and the size that they get."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bird_backend.catalog.narrowing import apart

__all__ = ["OWN_IMAGE_SIZE", "OWN_KINDS", "own_image_size", "own_path"]

OWN_IMAGE_SIZE = 64
"""The side in pixels that one's own images get where they have no common one that is small."""
OWN_KINDS: Mapping[str, str] = {
    "folder": "a folder of images, by class, by split and class, or with a table of them",
    "zip": "the same in a zip",
    "csv": "a table of path, label and perhaps split, beside or above its images",
    "arrays": "an .npz, or a folder with images.npy and labels.npy",
    "upload": "a zip or an .npz that was brought here: DIGEST/TITLE, as `runs.uploads.upload_name` has it",
}
"""What one's own images may come as, named KIND:PATH."""
_SIDES = (16, 64)
"""Own images that are all squares of one side keep it where it is a multiple of 8 from and to these."""


def own_path(name: str) -> tuple[str, str] | None:
    """Kind and path of one's own images, such as `folder` and `/home/me/photos`; none of a data set with a name.

    Of a data set that is narrowed to some classes it is the path of the whole.
    """
    kind, _, path = apart(name)[0].partition(":")
    return (kind, path) if kind in OWN_KINDS and path else None


def own_image_size(sizes: Collection[tuple[int, int]]) -> int:
    """The side that images of these widths and heights get where nobody says one.

    Their own where all are squares of one side that is a multiple of 8 from 16 to 64, else `OWN_IMAGE_SIZE`.
    """
    smallest, largest = _SIDES
    sides = {side for size in sizes for side in size}
    own = sides.pop() if len(sides) == 1 else 0
    return own if own % 8 == 0 and smallest <= own <= largest else OWN_IMAGE_SIZE
