"""What is there to transfer? Weights with where they come from, the networks there are, and training more of both."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app.address.url_state import adopt, keep_valid, publish
from app.backend import data
from app.backend.weights import Validated, WeightsFile
from app.components.brought_weights import BROUGHT, brought_weights
from app.components.kept_files import kept_files_section
from app.components.network_list import network_list
from app.components.page_head import page_head
from app.components.training_form import training_form
from app.components.weights_list import weights_list
from bird_backend import catalog

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
            weights_list(role, mine)
    if broken:
        st.header("Files that can't be used", anchor=False)
        for file in broken:
            st.warning(str(file.problem), icon=":material/broken_image:")
    if good:
        with st.expander("Show the numbers"):
            st.dataframe(_table(good), hide_index=True, alt="All weights with their provenance and accuracies")


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
            **_validated(made.validated),
            "seed": made.seed,
            "classes": len(made.classes),
            "created": made.created,
            "code": made.code_version,
            "origin": file.origin,
        }
        for file in files
        if (made := file.provenance) is not None
    )


def _validated(found: Validated | None) -> dict[str, float | int | None]:
    if found is None:
        return {"validation clean": None, "validation robust": None, "validation images": None}
    return {
        "validation clean": found.clean_accuracy,
        "validation robust": found.robust_accuracy,
        "validation images": found.n,
    }
