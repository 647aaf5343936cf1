"""Every page of the app by name, and links between them. Identity (`run=ID`) travels in the URL and nowhere else."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app.address.kept import view_of

__all__ = ["ROUTES", "Route", "go", "link", "page"]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A page: its name is its module in `app.views`, which has a `render()`."""

    name: str
    label: str
    question: str
    icon: str
    default: bool = False


ROUTES: Mapping[str, Route] = {
    route.name: route
    for route in (
        Route(
            name="overview",
            label="Overview",
            question="What is moving here?",
            icon=":material/home:",
            default=True,
        ),
        Route(
            name="launch",
            label="Launch",
            question="What will I transfer?",
            icon=":material/rocket_launch:",
        ),
        Route(
            name="live",
            label="Live run",
            question="Is the geometry moving?",
            icon=":material/timeline:",
        ),
        Route(
            name="compare",
            label="Compare",
            question="Which run did better?",
            icon=":material/stacked_line_chart:",
        ),
        Route(
            name="runs",
            label="All runs",
            question="What was run?",
            icon=":material/list:",
        ),
        Route(
            name="embeddings",
            label="Embeddings",
            question="Where do the images sit?",
            icon=":material/scatter_plot:",
        ),
        Route(
            name="robustness",
            label="Robustness",
            question="Did it help?",
            icon=":material/shield:",
        ),
        Route(
            name="teachers",
            label="Teachers",
            question="Which teacher, which layer?",
            icon=":material/leaderboard:",
        ),
        Route(
            name="atlas",
            label="Atlas",
            question="Which layers to align?",
            icon=":material/grid_on:",
        ),
        Route(
            name="images",
            label="Images",
            question="What is in my images?",
            icon=":material/photo_album:",
        ),
        Route(
            name="gallery",
            label="Gallery",
            question="What happens to the images?",
            icon=":material/photo_library:",
        ),
        Route(
            name="models",
            label="Models",
            question="What is there to transfer?",
            icon=":material/deployed_code:",
        ),
    )
}


def page(name: str, *, default: bool | None = None) -> StreamlitPage:
    """Streamlit's page of that name; its module is imported when it is first shown."""
    route = ROUTES[name]
    default = route.default if default is None else default
    return st.Page(
        _renderer(name),
        title=route.label,
        icon=route.icon,
        url_path="" if default else name,
        default=default,
        help=route.question,
    )


def link(name: str, label: str, /, *, icon: str | None = None, help: str | None = None, **query: str) -> None:
    """A link to a page, `link("live", "Watch it", run=run.id)`; what is looked at in that run goes along."""
    if "run" in query:
        query = view_of(query["run"]) | query
    st.page_link(page(name), label=label, icon=icon, help=help, query_params=query or None)


def go(name: str, /, **query: str) -> None:
    """Leave for a page at once, `go("live", run=run.id)`."""
    st.switch_page(page(name), query_params=query or None)


def _renderer(name: str) -> Callable[[], None]:
    def render() -> None:
        importlib.import_module(f"app.views.{name}").render()

    return render
