"""Doing what is queued: processes that do runs, a supervisor that starts them, a projector of their embeddings."""
