"""A page of the app opened at an address, and what it says and draws."""

from __future__ import annotations

import json

from streamlit.testing.v1 import AppTest

__all__ = ["again", "components", "show", "words"]


def show(name: str, /, **query: str) -> AppTest:
    """The page of that name at an address."""

    def script(start: str) -> None:
        from app.router import main  # noqa: PLC0415 - the script has its own namespace

        main(start)

    app = AppTest.from_function(script, kwargs={"start": name}, default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    return again(app)


def again(app: AppTest) -> AppTest:
    app.run()
    assert not app.exception, app.exception[0].message
    return app


def words(app: AppTest) -> str:
    """Everything the page says, its sidebar aside."""
    parts = [
        element.value
        for kind in ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "code")
        for element in app.main.get(kind)
    ]
    parts += [f"{metric.label} {metric.value} {metric.delta}" for metric in app.metric]
    parts += [badge.value for badge in app.get("badge") if hasattr(badge, "value")]
    return "\n".join(str(part) for part in parts)


def components(app: AppTest) -> dict[str, dict[str, object]]:
    """The browser components of the page by name, with the data they were given."""
    found = {}
    for element in app.main.get("bidi_component"):
        proto = element.proto
        found[proto.component_name if proto.component_name != "bird_live_chart" else json.loads(proto.json)["name"]] = (
            json.loads(proto.json)
        )
    return found
