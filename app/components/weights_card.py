"""Weights as a card: what they are of, how good they are on test images, where they come from, and what to do next."""

from __future__ import annotations

import streamlit as st

from app.address.routes import link
from app.backend.named_networks import is_network, network_words
from app.backend.weights import Provenance, WeightsFile, trained_for, under
from app.words.intervals import explained, percent
from bird_backend import catalog
from bird_backend.catalog import title_of
from bird_backend.measures import wilson

__all__ = ["weights_card"]


def weights_card(file: WeightsFile) -> None:
    """Draw it."""
    made = file.provenance
    if made is None:
        return
    facts = catalog.models().get(made.model)
    with st.container(border=True):
        said, figures = st.columns([1.2, 1], vertical_alignment="center")
        with said:
            st.markdown(f"**{made.title or file.name}**")
            size = f" · {facts.parameters:,} parameters" if facts else ""
            behaviour = trained_for(made)
            against = "" if behaviour is None else f" to withstand {behaviour.title.lower()}"
            network = network_words(made.model) if is_network(made.model) else made.model
            st.caption(f"`{file.name}` · {network}{size} · trained on {title_of(made.data)}{against}")
        with figures:
            clean, robust = st.columns(2)
            _accuracy(clean, "Clean", made.clean_accuracy, made.n_test)
            _accuracy(robust, f"{under(made)[0].upper()}{under(made)[1:]}", made.robust_accuracy, made.n_test)
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            converted = made.recipe.get("kind") == "convert"  # of which nobody here knows what it is good for
            if made.role == "teacher" or converted:
                link("launch", "Teach with it", icon=":material/rocket_launch:", teacher=file.name)
            if made.role == "student" or converted:
                link("launch", "Let it learn", icon=":material/rocket_launch:", student=file.name)
            with st.popover("Where it comes from", type="tertiary", icon=":material/history_edu:"):
                _provenance(file, made)


def _accuracy(place: st.delta_generator.DeltaGenerator, label: str, share: float | None, n: int) -> None:
    if share is None:
        place.metric(label, "–", help="Not measured.")
        return
    place.metric(label, percent(share), help=f"{explained(wilson(share * n, n))}, test images.")


def _provenance(file: WeightsFile, made: Provenance) -> None:
    here = "converted from a file here" if made.recipe.get("kind") == "convert" else "made by a run here"
    origin = "with the project" if file.origin == "assets" else here
    st.markdown(
        f"Came {origin}, made {made.created[:10]} by version `{made.code_version}` of the code, seed {made.seed}, "
        f"{len(made.classes)} classes."
    )
    st.caption(f"Test images behind the accuracies: {made.n_test:,}. Its recipe, to run again:")
    st.json(made.recipe, expanded=1)
