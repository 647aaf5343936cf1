"""What is there to transfer? Weights with where they come from, the networks there are, and training more of both."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.address.url_state import adopt, keep_valid, publish
from app.backend import data
from app.backend.named_networks import is_network, network_words
from app.backend.weights import Provenance, WeightsFile, trained_for, under
from app.components.brought_weights import BROUGHT, brought_weights
from app.components.kept_files import kept_files_section
from app.components.network_list import network_list
from app.components.page_head import page_head
from app.components.training_form import training_form
from app.words.intervals import explained, percent
from bird_backend import catalog
from bird_backend.catalog import title_of
from bird_backend.measures import wilson

__all__ = ["render"]

_PARTS = {"weights": "Weights", "bring": "Bring your own", "networks": "Networks", "train": "Train a new one"}


def render() -> None:
    """Draw the page."""
    page_head(
        "models",
        "A teacher is worth what it has learned: see where each one's weights come from and how robust they are, bring "
        "your own, look into the networks there are, or train a new one.",
    )
    defaults = {"part": "weights", "network": next(iter(catalog.models()), ""), **BROUGHT}
    adopt("models", defaults)
    keep_valid("part", list(_PARTS), "weights")
    part = str(
        st.segmented_control(
            "Part",
            list(_PARTS),
            format_func=_PARTS.__getitem__,
            key="part",
            required=True,
            label_visibility="collapsed",
        )
    )
    network = str(st.session_state["network"])
    if part == "networks":
        network = network_list()
    brought = {name: st.session_state[name] if part == "bring" else usual for name, usual in BROUGHT.items()}
    publish("models", {"part": part, "network": network, **brought}, defaults)
    if part == "weights":
        _weights()
    elif part == "bring":
        brought_weights()
        kept_files_section()
    elif part == "train":
        training_form()


def _weights() -> None:
    found = data.weights_files()
    good = [file for file in found if file.problem is None and file.provenance is not None]
    broken = [file for file in found if file.problem is not None]
    if not good:
        st.info(
            "There are no weights yet. Bring a file, train a teacher under *Train a new one*, or make the demo's with "
            "`python -m bird_backend assets`.",
            icon=":material/deployed_code:",
        )
    for role, heading in (("teacher", ":orange[●] Teachers"), ("student", ":blue[●] Students")):
        mine = [file for file in good if file.provenance and file.provenance.role == role]
        if mine:
            st.header(heading, anchor=False)
            for file in mine:
                _card(file)
    if broken:
        st.header("Files that can't be used", anchor=False)
        for file in broken:
            st.warning(str(file.problem), icon=":material/broken_image:")
    if good:
        with st.expander("Show the numbers"):
            st.dataframe(_table(good), hide_index=True, alt="All weights with their provenance and accuracies")


def _card(file: WeightsFile) -> None:
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


def _table(files: list[WeightsFile]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": file.name,
            "role": made.role,
            "network": made.model,
            "data": made.data,
            "clean accuracy": made.clean_accuracy,
            "robust accuracy": made.robust_accuracy,
            "test images": made.n_test,
            "seed": made.seed,
            "classes": len(made.classes),
            "created": made.created,
            "code": made.code_version,
            "origin": file.origin,
        }
        for file in files
        if (made := file.provenance) is not None
    )
