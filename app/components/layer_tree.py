"""Every layer of a network with its type and shape, stage by stage; a stage is opened by a press."""

from __future__ import annotations

from html import escape

import streamlit as st

from app.form.layer_levels import stage_of
from app.words.layers import shape_words
from bird_backend.catalog import LayerFacts, ModelFacts

__all__ = ["layer_tree"]


def layer_tree(facts: ModelFacts) -> None:
    """Draw it, in order of execution."""
    stages: dict[str, list[LayerFacts]] = {}
    for layer in facts.layers:
        stages.setdefault(stage_of(layer), []).append(layer)
    st.html(f'<div class="layers">{"".join(_stage(name, layers) for name, layers in stages.items())}</div>')


def _stage(name: str, layers: list[LayerFacts]) -> str:
    last = next((layer for layer in reversed(layers) if layer.outline), layers[-1])
    count = f"{len(layers)} layer{'s' if len(layers) > 1 else ''}"
    rows = "".join(
        f"<tr><td>{escape(layer.name)}</td><td>{escape(layer.kind)}</td><td>{escape(_shape(layer))}</td></tr>"
        for layer in layers
    )
    head = "<thead><tr><th>Layer</th><th>Type</th><th>Shape of one image</th></tr></thead>"
    return (
        f"<details><summary><b>{escape(name)}</b> <span>{count}, the last {escape(shape_words(last.shape))}</span>"
        f'</summary><div class="rows" role="region" tabindex="0" aria-label="Layers of {escape(name)}">'
        f"<table>{head}<tbody>{rows}</tbody></table></div></details>"
    )


def _shape(layer: LayerFacts) -> str:
    remark = ", the classifier" if layer.classifier else f", runs {layer.times} times" if layer.times > 1 else ""
    return f"{shape_words(layer.shape)}{remark}"
