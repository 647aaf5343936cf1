"""The server: `streamlit run app/main.py`. Every answer forbids the browser to ask or tell another server anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

__all__ = ["POLICY", "OnlyHere", "app"]

POLICY = "; ".join(
    (
        "default-src 'self'",
        # Streamlit sends components as text that becomes a script of the page.
        "script-src 'self' 'unsafe-inline' blob:",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "media-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'self'",
        "frame-ancestors 'self'",
        "object-src 'none'",
    )
)
"""What pages may load and whom they may talk to: this server."""


class OnlyHere:
    """Sends `POLICY` along with everything."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As ASGI asks."""

        async def with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                header = (b"content-security-policy", POLICY.encode())
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        await self._app(scope, receive, with_policy)


app = st.App(Path(__file__).with_name("router.py"), middleware=[Middleware(OnlyHere)])
