"""What an expert may want to set and a newcomer need not see: similarity, optimiser, evaluation, records."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.components.behaviour_choice import condition_choice
from app.components.setting_field import one_of, setting_field
from app.form.drafts import Draft, settings_of

__all__ = ["MIRRORING", "expert_options"]

_OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
MIRRORING = {"auto": "Automatic", "yes": "Yes", "no": "No"}
_PRECISIONS = {"auto": "auto", "float32": "float32", "bfloat16": "bfloat16"}


def expert_options(draft: Draft) -> Draft:
    """Draw them folded away; returns the draft with them put in."""
    with st.expander("Expert options", icon=":material/tune:"):
        draft = _evaluation(_optimiser(_method(draft)))
        left, right = st.columns(2)
        title = left.text_input("Title of the run", key="title", max_chars=120, placeholder="made from the choices")
        save = right.text_input(
            "Save the student as",
            key="save",
            placeholder="not saved",
            help="A name for the student's weights; it then stands among the models.",
        )
        further = st.text_area(
            "Further settings",
            key="further",
            height="content",
            placeholder="snapshots.gram_images=64",
            help="Whatever a spec can say and this form has no field for, a line each: its place and its value, as "
            "`--set` takes them.",
        )
        return replace(draft, title=title, save=save, further=further)


def _method(draft: Draft) -> Draft:
    """What an expert may set of the method. One setting can decide whether a later one is asked for."""
    columns, drawn = st.columns(3), 0
    for name, setting in settings_of(draft.method).items():
        if setting.form.expert and name in draft.asked:
            draft = draft.with_settings(**{name: setting_field(name, setting, columns[drawn % len(columns)])})
            drawn += 1
    return draft


def _optimiser(draft: Draft) -> Draft:
    first, second, third, fourth = st.columns(4)
    optimizer = one_of(_OPTIMISERS, first, "Optimiser", key="optimizer")
    momentum = second.number_input("Momentum", step=0.05, key="momentum")
    decay = third.number_input("Weight decay", step=0.0001, format="%.5g", key="decay")
    precision = one_of(
        _PRECISIONS, fourth, "Precision", key="precision", help="CKA itself is always computed in float32."
    )
    left, right, _, _ = st.columns(4, vertical_alignment="bottom")
    shift = left.toggle(
        "Shift the images", key="shift", help="By up to an eighth of their side, drawn anew at each step."
    )
    mirror = one_of(
        MIRRORING,
        right,
        "Mirror the images",
        key="mirror",
        help="Every second one, drawn anew at each step. A mirrored digit is no digit, so digits and house numbers are "
        "left as they are unless you say otherwise.",
    )
    return replace(
        draft,
        optimizer=optimizer,
        momentum=float(momentum),
        decay=float(decay),
        precision=precision,
        shift=shift,
        mirror=mirror,
    )


def _evaluation(draft: Draft) -> Draft:
    draft = condition_choice(draft)
    left, right = st.columns(2)
    limit = left.number_input("Test images at most", step=500, key="limit", help="0 tests on all of them.")
    points = right.number_input(
        "Snapshots of the geometry",
        step=1,
        key="points",
        help="Points of the run at which Gram matrices and embeddings are kept.",
    )
    return replace(
        draft,
        limit=int(limit),
        points=int(points),
    )
