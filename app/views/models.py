"""What is there to transfer? Weights with where they come from, the networks there are, and training more of both."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.address.routes import link
from app.address.url_state import adopt, keep_valid, publish
from app.backend import data
from app.backend.weights import Provenance, WeightsFile, trained_for, under
from app.components.layer_choice import shape_words
from app.components.page_head import page_head
from app.components.training_form import training_form
from app.words.intervals import explained, percent
from bird_backend import catalog
from bird_backend.catalog import title_of
from bird_backend.measures import wilson

__all__ = ["render"]

_PARTS = {"weights": "Weights", "networks": "Networks", "train": "Train a new one"}


def render() -> None:
    """Draw the page."""
    page_head(
        "models",
        "A teacher is worth what it has learned: see where each one's weights come from and how robust they are, look "
        "into the networks there are, or train a new one.",
    )
    defaults = {"part": "weights", "network": next(iter(catalog.models()), "")}
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
        network = _networks()
    publish("models", {"part": part, "network": network}, defaults)
    if part == "weights":
        _weights()
    elif part == "train":
        training_form()


def _weights() -> None:
    found = data.weights_files()
    good = [file for file in found if file.problem is None and file.provenance is not None]
    broken = [file for file in found if file.problem is not None]
    if not good:
        st.info(
            "There are no weights yet. Train a teacher under *Train a new one*, or make those of the demo with "
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
        words, figures = st.columns([1.2, 1], vertical_alignment="center")
        with words:
            st.markdown(f"**{made.title or file.name}**")
            size = f" · {facts.parameters:,} parameters" if facts else ""
            behaviour = trained_for(made)
            against = "" if behaviour is None else f" to withstand {behaviour.title.lower()}"
            network = facts.title if facts else made.model
            st.caption(f"`{file.name}` · {network}{size} · trained on {title_of(made.data)}{against}")
        with figures:
            clean, robust = st.columns(2)
            _accuracy(clean, "Clean", made.clean_accuracy, made.n_test)
            _accuracy(robust, f"{under(made)[0].upper()}{under(made)[1:]}", made.robust_accuracy, made.n_test)
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            if made.role == "teacher":
                link("launch", "Teach with it", icon=":material/rocket_launch:", teacher=file.name)
            else:
                link("launch", "Let it learn", icon=":material/rocket_launch:", student=file.name)
            with st.popover("Where it comes from", type="tertiary", icon=":material/history_edu:"):
                _provenance(file, made)


def _accuracy(place: st.delta_generator.DeltaGenerator, label: str, share: float | None, n: int) -> None:
    if share is None:
        place.metric(label, "–", help="Not measured.")
        return
    place.metric(label, percent(share), help=f"{explained(wilson(share * n, n))}, test images.")


def _provenance(file: WeightsFile, made: Provenance) -> None:
    origin = "with the project" if file.origin == "assets" else "made by a run here"
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


def _networks() -> str:
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
    keep_valid("network", list(models), next(iter(models)))
    chosen = str(
        st.selectbox(
            "Look into a network",
            list(models),
            format_func=lambda name: models[name].title,
            key="network",
            help="Layers that can be aligned, from input to output, with the shape of one image's activation.",
        )
    )
    facts = models[chosen]
    st.caption(facts.caption)
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
    return chosen
