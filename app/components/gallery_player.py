"""A gallery in the browser: pick an image, slide the strength, enlarge one condition; nothing waits for the server.

Only the chosen image's pictures are sent, once; image, strength, grouping and what is enlarged live in the URL.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backend import data
from app.charts.gallery import gallery_facts, gallery_sheet
from app.components.live_chart import mount, palettes
from bird_backend.behaviours import STRENGTHS

__all__ = ["GALLERY_KEYS", "gallery_player"]

_DEFAULTS: dict[str, Any] = {"image": 0, "strength": 3, "zoom": None, "group": "part"}
GALLERY_KEYS = tuple(_DEFAULTS)
"""What of the player is in the address."""


def gallery_player(run: data.Run, gallery: data.Gallery) -> None:
    """Draw it."""
    key = f"gallery_{run.id}"
    asked = _asked(gallery)
    state = st.session_state.get(key)
    have = (state.get("at") or {}).get("have", []) if state else []
    mount(
        "bird_gallery",
        html='<section class="player" aria-label="Every condition"></section>',
        scripts=("theme.js", "sketch.js", "saving.js", "pictures.js", "gallery.js"),
        styles=("player.css", "gallery.css", "tools.css"),
        key=key,
        data={
            "gallery": run.id,
            **gallery_facts(gallery),
            "asked": asked,
            **palettes(),
            "sheet": None if asked["image"] in have else dict(gallery_sheet(gallery, asked["image"])),
        },
        on_at_change=lambda: _remember(key),
    )


def _asked(gallery: data.Gallery) -> dict[str, Any]:
    query = st.query_params
    image, strength = (_number(query.get(name), _DEFAULTS[name]) for name in ("image", "strength"))
    zoom = query.get("zoom")
    return {
        "image": image if 0 <= image < len(gallery.images) else 0,
        "strength": strength if strength in (0, *STRENGTHS) else _DEFAULTS["strength"],
        "zoom": zoom if zoom in gallery.conditions.tolist() else None,
        "group": "kind" if query.get("group") == "kind" else "part",
    }


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() and len(text) < 6 else default


def _remember(key: str) -> None:
    at = st.session_state[key].get("at") or {}
    for name, default in _DEFAULTS.items():
        value = at.get(name, default)
        if value == default:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = str(value)
