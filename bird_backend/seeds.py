"""Seeds that depend on what they are for, so that no draw ever depends on how many were made before it.

Every step draws from a generator seeded by (run seed, purpose, step). A resumed run therefore repeats an uninterrupted
one without any generator state in the checkpoint.
"""

from __future__ import annotations

import hashlib

__all__ = ["derive_seed"]


def derive_seed(seed: int, purpose: str, index: int = 0) -> int:
    """A seed in [0, 2⁶³) for the `index`-th use of `purpose` in a run with `seed`."""
    digest = hashlib.blake2b(f"{seed}/{purpose}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
