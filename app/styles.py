"""The few rules that Streamlit's theme has no setting for, hung on our own container keys."""

from __future__ import annotations

import streamlit as st

__all__ = ["apply_styles"]

_RULES = """
<style>
.stApp .stButton button[kind="primary"]:not(:disabled) { color: light-dark(#ffffff, #0b1116); font-weight: 600; }
.stApp [data-testid="stCaptionContainer"] { color: light-dark(#575e66, #a9b2ba); opacity: 1; }
.stApp [data-testid="stCaptionContainer"] p { color: inherit; opacity: 1; }
.stApp [data-testid="stMultiSelect"] [data-tag] { color: light-dark(#ffffff, #0b1116); }
.stApp [data-testid="stMultiSelect"] [data-tag] :is(span, button) { color: inherit; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
.stMainBlockContainer { max-width: 84rem; }
.st-key-page_sentence { max-width: 46rem; margin-top: -0.6rem; margin-bottom: 0.4rem; opacity: 0.82; }
.st-key-summary_panel { position: sticky; top: 4rem; }
.st-key-hero { padding: 0.4rem 0 0.8rem; }
.st-key-hero p { max-width: 38rem; }
@media (max-width: 640px) {
  .st-key-summary_panel { position: static; }
}
@media (prefers-reduced-motion: reduce) {
  .stApp *, .stApp *::before, .stApp *::after { animation-duration: 0.01ms !important; transition: none !important; }
}
</style>
"""


def apply_styles() -> None:
    """Put the rules into the page."""
    st.html(_RULES)
