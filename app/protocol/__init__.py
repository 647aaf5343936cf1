"""What the app reads out of runs and studies: figures, the way to a ceiling, seeds, words; no Streamlit here."""
