"""Weights that another program wrote: opened in a child process, unwrapped, recognised, and kept with provenance."""

__all__: list[str] = []
