"""The command line: thin commands over what the app uses too. Exits with 0, 2 for bad input, 1 for a failed run."""

from bird_backend.cli.main import main

__all__ = ["main"]
