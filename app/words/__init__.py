"""Numbers and settings in words."""

__all__: list[str] = []
