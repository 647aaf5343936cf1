"""Who a CKA comes from, as tables: every probe image at a step, and all steps for taking along."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from app.backend.attribution import Attribution
from app.backend.data import SnapshotName

__all__ = ["every_step", "images_at", "pack"]

_LEVELS = 32767


def pack(values: np.ndarray, largest: float) -> str:
    """Numbers of at most `largest` either way as base64 of little-endian 16-bit ones."""
    levels = np.clip(np.rint(_LEVELS * values / largest), -_LEVELS, _LEVELS)
    return base64.b64encode(levels.astype("<i2").tobytes()).decode("ascii")


def images_at(probes: Mapping[str, np.ndarray], now: Attribution, since: Attribution | None) -> pd.DataFrame:
    """A row an image, the least agreement first; shares times n, so that their mean is the CKA."""
    n = len(now.share)
    table = pd.DataFrame(
        {
            "image": np.arange(n),
            "class": [str(probes["classes"][label]) for label in probes["labels"]],
            "agreement": now.agreement,
            "share × n": n * now.share,
        }
    )
    if since is not None:
        table["its change"] = n * (now.share - since.share)
    table["biased share × n"] = n * now.share_biased
    return table.sort_values("agreement", kind="stable", ignore_index=True)


def every_step(probes: Mapping[str, np.ndarray], found: Iterable[tuple[SnapshotName, Attribution]]) -> pd.DataFrame:
    """A row an image and snapshot, shares as they are: those of a snapshot sum to its CKA."""
    classes = [str(probes["classes"][label]) for label in probes["labels"]]
    parts = [
        pd.DataFrame(
            {"arm": name.model, "step": name.step, "image": np.arange(len(classes)), "class": classes, **each.arrays()}
        )
        for name, each in found
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
