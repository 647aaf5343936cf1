"""How many members a zip has, from its last few bytes: listing them takes memory for each."""

from __future__ import annotations

import struct
from pathlib import Path

__all__ = ["members_in"]

_END = struct.Struct("<4s4H2LH")
"""Signature, disks (2), members (2), bytes and place of the directory, length of a comment (APPNOTE.TXT, 4.3.16)."""
_MARK, _MARK_64 = b"PK\x05\x06", b"PK\x06\x06"
_LONGEST_COMMENT = 0xFFFF
_SMALLEST_ENTRY = 46
"""Bytes of a directory's entry without its name."""


def members_in(path: Path) -> int:
    """As many as the directory says it has, or has room for where it says fewer; 0 where no directory is found."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LONGEST_COMMENT - 200))
        tail = file.read()
    at = tail.rfind(_MARK)
    if at < 0 or len(tail) - at < _END.size:
        return 0
    _, _, _, _, members, length, _, _ = _END.unpack_from(tail, at)
    wide = tail.rfind(_MARK_64, 0, at)
    if wide >= 0 and at - wide >= 56 and (members == 0xFFFF or length == 0xFFFFFFFF):
        members, length = struct.unpack_from("<2Q", tail, wide + 32)
    # A name of a hundred bytes is a long one: what declares few members in a huge directory is not believed.
    return max(int(members), int(length) // (_SMALLEST_ENTRY + 100) - 1)
