"""Served to the browser from this server: the font, and plotly.js, copied out of its package once per version."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import secrets
from functools import cache
from pathlib import Path

import streamlit as st

__all__ = ["font_url", "plotly_url"]

STATIC = Path(__file__).resolve().parent.parent / "static"


def plotly_url() -> str:
    """Where the browser finds plotly.js, below whatever path the app is served from."""
    return _served(f"vendor/{_copy(STATIC / 'vendor')}")


def font_url() -> str:
    """Where the browser finds the page's font."""
    return _served("fonts/inter-latin-wght-normal.woff2")


def _served(path: str) -> str:
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/app/static/{path}"


@cache
def _copy(folder: Path) -> str:
    name = f"plotly-{importlib.metadata.version('plotly')}.min.js"
    if not (folder / name).exists():
        folder.mkdir(parents=True, exist_ok=True)
        content = importlib.resources.files("plotly").joinpath("package_data", "plotly.min.js").read_bytes()
        temporary = folder / f".{name}.{secrets.token_hex(4)}"
        try:
            temporary.write_bytes(content)
            # Another server may do the same at this moment; each replaces the file whole.
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
    return name
