"""Condition × strength as one table in the browser, and the kept pictures of the chosen cell beneath it.

Model, what is shown, grouping, order and cell live in the URL, so that a link shows the same thing.
"""

from __future__ import annotations

import streamlit as st

from app.backend import data
from app.charts.accuracy import baseline_of, models_in
from app.charts.examples import cell_examples
from app.charts.severity_grid import cell_of, severity_grid
from app.components.live_chart import mount, palettes
from bird_backend.measures import FALSE_DISCOVERIES

__all__ = ["grid_component"]

_OWN_SCRIPTS = ("saved_examples.js", "examples.js", "saved_grid.js", "grid_controls.js", "severity_grid.js")
_GROUPS = ("part", "kind")
_SORTS = ("published", "name", "accuracy", "difference")


def grid_component(run: data.Run, predictions: data.Predictions) -> None:
    """Draw both."""
    key = f"severity_grid_{run.id}"
    defaults = _defaults(predictions)
    asked = {name: st.query_params.get(name, default) for name, default in defaults.items()}
    cell = cell_of(str(asked["cell"] or ""), predictions)
    examples = data.examples(run)
    payload = {
        "run": run.id,
        **severity_grid(predictions),
        **palettes(),
        "asked": {
            "model": asked["model"] if asked["model"] in predictions.models else defaults["model"],
            "show": asked["show"] if asked["show"] in ("accuracy", *predictions.models) else defaults["show"],
            "group": asked["group"] if asked["group"] in _GROUPS else defaults["group"],
            "sort": asked["sort"] if asked["sort"] in _SORTS else defaults["sort"],
            "cell": asked["cell"] if cell else None,
        },
        "pictures": examples is not None,
        "examples": None
        if examples is None or cell is None
        else {"cell": asked["cell"], **cell_examples(predictions, examples, cell)},
    }
    mount(
        "bird_severity_grid",
        html='<section class="player" aria-label="Every condition and strength"></section>',
        scripts=("theme.js", "sketch.js", "saving.js", "pictures.js", *_OWN_SCRIPTS),
        styles=("player.css", "severity_grid.css", "tools.css"),
        key=key,
        data=payload,
        on_at_change=lambda: _remember(key, defaults),
    )
    if any(payload["difference"].values()):
        st.caption(
            "A difference has a colour where it is beyond noise among all those of the table, which are tested at "
            f"once: on average at most {100 * FALSE_DISCOVERIES:.0f} % of the coloured are there by luck "
            "(Benjamini–Hochberg). Clean images and the means over whole groups are judged by themselves."
        )


def _defaults(predictions: data.Predictions) -> dict[str, str | None]:
    model = models_in(predictions)[-1]
    over = baseline_of(predictions)
    show = over if over is not None and over != model else "accuracy"
    return {"model": model, "show": show, "group": "part", "sort": "published", "cell": None}


def _remember(key: str, defaults: dict[str, str | None]) -> None:
    at = st.session_state[key].get("at") or {}
    for name, default in defaults.items():
        value = at.get(name)
        if value is None or value == default:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = str(value)
