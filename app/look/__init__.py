"""Colours, and what the theme has no setting for."""

__all__: list[str] = []
