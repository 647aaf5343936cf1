"""The few rules that Streamlit's theme has no setting for, hung on our own container keys."""

from __future__ import annotations

import streamlit as st

__all__ = ["apply_styles"]

_RULES = """
<style>
.stApp .stButton button[kind="primary"]:not(:disabled) { color: light-dark(#ffffff, #0b1116); font-weight: 600; }
.stApp [data-testid="stPopoverButton"]:is(:hover, :active, [aria-expanded="true"]) {
  color: light-dark(#005a92, #7cc4f2);
}
.stApp [data-testid="stCaptionContainer"] { color: light-dark(#575e66, #a9b2ba); opacity: 1; }
.stApp [data-testid="stCaptionContainer"] p { color: inherit; opacity: 1; }
.stApp [data-testid="stMultiSelect"] [data-tag] { color: light-dark(#ffffff, #0b1116); }
.stApp [data-testid="stMultiSelect"] [data-tag] :is(span, button) { color: inherit; }
.stApp [data-testid="stHeading"] h2 { font-size: 1.1rem; font-weight: 600; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
.stMainBlockContainer { max-width: 84rem; }
.st-key-page_sentence { max-width: 46rem; margin-top: -0.6rem; margin-bottom: 0.4rem; opacity: 0.82; }
.st-key-summary_panel { position: sticky; top: 4rem; }
[data-testid="stHeader"] { background: light-dark(#fcfcfa, #12161a); }
[data-testid="stLayoutWrapper"]:has(> .st-key-scrubber) {
  position: sticky; top: 3.75rem; z-index: 20; background: light-dark(#fcfcfa, #12161a); padding: 0.4rem 0;
  border-bottom: 1px solid light-dark(#e6e8e4, #262d34);
}
[data-testid="stLayoutWrapper"]:has(> .st-key-scrubber:empty) { display: none; }
.st-key-hero { padding: 0.4rem 0 0.8rem; }
.st-key-hero p { max-width: 38rem; }
.stApp :focus-visible, .stApp label:has(input:focus-visible) {
  outline: 2px solid light-dark(#0067a6, #6cbdf0); outline-offset: 2px; border-radius: 4px;
}
:is(.st-key-teacher, .st-key-guiding) [data-testid="stWidgetLabel"]::before, .st-key-role button:first-of-type::before {
  content: "●" / ""; color: light-dark(#c77700, #f0a92b); margin-right: 0.35rem;
}
:is(.st-key-student, .st-key-guided) [data-testid="stWidgetLabel"]::before, .st-key-role button:nth-of-type(2)::before {
  content: "●" / ""; color: light-dark(#0072b2, #56b4e9); margin-right: 0.35rem;
}
.scrolls {
  max-height: 16rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere;
  margin: 0; padding: 0.8rem 1rem; border-radius: 8px;
  font-family: "JetBrains Mono", ui-monospace, monospace; font-size: 0.84rem; background: light-dark(#f1f2ef, #1a2026);
}
.figures {
  overflow-x: auto; border: 1px solid light-dark(#dcdeda, #2e363d); border-radius: 8px;
  /* A shadow at the right while there is more: the ground scrolls along and covers it at the end. */
  background:
    linear-gradient(to left, light-dark(#fcfcfa, #12161a) 40%, transparent) right / 4rem 100% no-repeat local,
    linear-gradient(to left, light-dark(#1c212640, #e6e9eb4d), transparent) right / 1.2rem 100% no-repeat scroll;
}
.figures table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.84rem; }
.figures :is(th, td) { padding: 0.42rem; text-align: right; white-space: nowrap; vertical-align: top; }
.figures thead th { font-weight: 600; white-space: normal; vertical-align: bottom; }
.figures tbody th { font-weight: 600; text-align: left; position: sticky; left: 0; padding-left: 0.7rem; }
.figures tbody th { background: light-dark(#fcfcfa, #12161a) padding-box; }
.figures tbody th { border-right: 1px solid light-dark(#e4e6e2, #2a3138); }
.figures tbody tr { border-top: 1px solid light-dark(#e4e6e2, #2a3138); }
.figures small { display: block; font-size: 0.78rem; color: light-dark(#575e66, #a9b2ba); }
.figures small.remark { white-space: normal; min-width: 4.6rem; }
.figures .best > span:first-child {
  font-weight: 700; margin: 0 -0.25rem; padding: 0.05rem 0.25rem; border-radius: 4px;
  background: light-dark(#d9efe7, #173a31);
}
.figures .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[data-testid="stPageLink"] a :is(span, p) { white-space: normal; overflow-wrap: anywhere; }
.layers details { border-top: 1px solid light-dark(#e4e6e2, #2a3138); }
.layers summary { padding: 0.42rem 0.2rem; cursor: pointer; overflow-wrap: anywhere; }
.layers summary span { color: light-dark(#575e66, #a9b2ba); font-size: 0.84rem; }
.layers .rows { overflow-x: auto; max-height: 24rem; margin-bottom: 0.6rem; }
.layers table { border-collapse: collapse; font-size: 0.84rem; font-variant-numeric: tabular-nums; }
.layers :is(th, td) { padding: 0.25rem 0.9rem 0.25rem 0.4rem; text-align: left; white-space: nowrap; }
@media (max-width: 640px) {
  .stApp [data-testid="stButtonGroup"] [role="radiogroup"] { flex-wrap: wrap; row-gap: 0.3rem; }
  .st-key-summary_panel { position: static; }
  /* Columns lie under each other here, and what parts them side by side is no distance between fields. */
  .stApp [data-testid="stHorizontalBlock"] { row-gap: 1rem; }
}
@media (prefers-reduced-motion: reduce) {
  .stApp *, .stApp *::before, .stApp *::after { animation-duration: 0.01ms !important; transition: none !important; }
}
</style>
"""


def apply_styles() -> None:
    """Put the rules into the page."""
    st.html(_RULES)
