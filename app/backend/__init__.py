"""The one door to the backend: runs, studies and weights as pages read them, and what is asked for."""

__all__: list[str] = []
