"""What is in the URL: pages and links between them, and forms whose choices live there."""

__all__: list[str] = []
