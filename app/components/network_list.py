"""The networks there are, with their sizes, and the layers of any one: the catalogue's, and others by their name."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.address.url_state import keep_valid
from app.backend.named_networks import is_network, network_words
from app.components.layer_tree import layer_tree
from app.components.network_look import network_look
from app.components.network_naming import another_network
from app.words.layers import shape_words
from bird_backend import catalog
from bird_backend.catalog import ModelFacts
from bird_backend.specs import ModelRef

__all__ = ["network_list"]

_SIDES = (32, 64, 96, 128, 224)


def network_list() -> str:
    """Draw it; returns the one that is looked into, which the session has under `network`."""
    models = catalog.models()
    if not models:
        st.info("The catalogue of networks is empty; `python -m bird_backend assets catalog` writes it.")
        return ""
    st.dataframe(
        pd.DataFrame(
            {
                "Network": facts.title,
                "Name in a spec": facts.name,
                "Parameters": facts.parameters,
                "Multiply-adds": facts.multiply_adds,
                "Layers": len(facts.layers),
                "Small": facts.small,
                "What it is": facts.caption,
            }
            for facts in models.values()
        ),
        hide_index=True,
        height="content",
        column_config={
            "What it is": st.column_config.TextColumn(width="large"),
            "Small": st.column_config.CheckboxColumn(help="Trains in seconds on a CPU."),
            "Parameters": st.column_config.NumberColumn(format="compact"),
            "Multiply-adds": st.column_config.NumberColumn(
                format="compact", help="Of one image of 32 × 32 pixels: what a step costs grows with it."
            ),
        },
        alt="Networks of the registry with their sizes",
    )
    asked = str(st.session_state["network"])
    options = [*models, *([asked] if asked not in models and is_network(asked) else [])]
    keep_valid("network", options, next(iter(models)))
    left, right = st.columns([3, 1])
    chosen = str(
        left.selectbox(
            "Look into a network",
            options,
            format_func=network_words,
            key="network",
            help="Layers that can be aligned, from input to output, with the shape of one image's activation.",
        )
    )
    with left:
        another_network("network")
    side = int(
        right.selectbox(
            "Given images of",
            _SIDES,
            format_func=lambda side: f"{side} × {side} pixels",
            key="_network_side",
            help="Below 64 pixels a network begins with a stem for small images, from there on with its own.",
        )
    )
    look = network_look("network", ModelRef(model=chosen), side)
    if look.facts is None:
        return chosen
    if look.facts.caption:
        st.caption(look.facts.caption)
    if chosen in models:
        _table(look.facts)
    else:
        layer_tree(look.facts)
    return chosen


def _table(facts: ModelFacts) -> None:
    st.dataframe(
        pd.DataFrame(
            {
                "Layer": layer.name,
                "Shape of one image": shape_words(layer.shape),
                "After mean pooling": layer.shape[0] if len(layer.shape) == 3 else layer.shape[-1],
                "Depth": (index + 1) / len(facts.layers),
            }
            for index, layer in enumerate(facts.layers)
        ),
        hide_index=True,
        column_config={
            "After mean pooling": st.column_config.NumberColumn(help="Numbers per image that CKA compares."),
            "Depth": st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent"),
        },
        alt=f"Alignable layers of {facts.title}",
    )
