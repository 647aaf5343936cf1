"""Words of people and of files amid Markdown."""

from __future__ import annotations

__all__ = ["plain"]


def plain(text: str) -> str:
    """Text of a person or a path, with nothing in it that Markdown would act on."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+!|~$<>:" else sign for sign in text)
