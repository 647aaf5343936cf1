"""A spec to take along: as JSON to copy, and as the command line that does the same."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.backend import data
from app.form.command_line import command_line, pretty

__all__ = ["spec_view"]


def spec_view(document: dict[str, Any], *, compare: bool = True) -> None:
    """Draw both, folded away; `compare` writes the command as what differs from the demo."""
    with st.expander("Spec and command line", icon=":material/terminal:"):
        st.caption("Everything the run will do, and nothing else. Save it as `spec.json` to run it again anywhere.")
        st.code(pretty(document), language="json")
        st.caption("The same from a terminal, in the folder of the project:")
        try:
            example = data.demo_document() if compare else None
        except data.BirdError:
            example = None
        file = "assets/examples/demo.json" if example is not None else "spec.json"
        st.code(command_line(document, example, file=file), language="bash", wrap_lines=True)
