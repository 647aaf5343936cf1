"""Doing what is queued: one process a run, a supervisor that starts them, a projector that draws their embeddings."""
