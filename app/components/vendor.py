"""Scripts served to the browser from this server: plotly.js, copied out of the Plotly package once per version."""

from __future__ import annotations

import importlib.metadata
import importlib.resources
import secrets
from functools import cache
from pathlib import Path

import streamlit as st

__all__ = ["plotly_url"]

STATIC = Path(__file__).resolve().parent.parent / "static"


def plotly_url() -> str:
    """Where the browser finds plotly.js, below whatever path the app is served from."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"{'/' + base if base else ''}/app/static/vendor/{_copy(STATIC / 'vendor')}"


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
