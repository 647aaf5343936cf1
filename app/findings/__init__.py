"""What came of runs, read for people: figures, seeds, ceilings, headlines; no Streamlit here."""

__all__: list[str] = []
