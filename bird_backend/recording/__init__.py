"""A training of one's own as a run like any other: `with record("my run", student=…, teacher=…, …) as run:`."""

from bird_backend.recording.asking import record
from bird_backend.recording.recording import Recording

__all__ = ["Recording", "record"]
