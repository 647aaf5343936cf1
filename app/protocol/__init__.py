"""What the robustness protocol says of a run: its figures, the way to a ceiling, and other seeds; no Streamlit here."""
