"""One entry in the browser's history for each page and each run on it, none for a step, a class or a form's field."""

from __future__ import annotations

from app.components.live_chart import mount

__all__ = ["quiet_history"]


def quiet_history() -> None:
    """Mount the component that sees to it; it draws nothing."""
    mount("bird_history", html="<span></span>", scripts=("history.js",), styles=(), key="history", data=None)
