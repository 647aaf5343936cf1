"""A small form that asks for teachers to be scored for a student, on the student's own data and before any transfer."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.address.url_state import keep_valid
from app.backend import data
from app.backend.own_images import image_size_of
from app.backend.weights import RANDOM, Weights, offered, usable
from app.components.data_choice import TRAINING_KEYS, data_choice
from app.components.drawing_again import draw_again
from app.components.network_look import network_look
from app.form.images import OWN, narrowed_name, own_name, own_problem, parted, size_setting
from bird_backend.behaviours import BEHAVIOURS, USUAL
from bird_backend.specs import ModelRef

__all__ = ["rank_form"]

_IMAGES = 500
_STRENGTHS = (1, 3, 5)


def rank_form() -> None:
    """Draw it; its button begins the ranking, and the page shows it."""
    known = usable(data.weights_files())
    on, folder, pixels, classes = _data()
    name = narrowed_name(own_name(folder) if on == OWN else on, classes)
    left, right = st.columns(2)
    with left:
        student = _student(name, known)
        side = None if on == OWN and own_problem(name) is not None else image_size_of(name, size_setting(pixels))
        look = network_look("rank_student", _reference(student), side)
        layers = [] if look.facts is None else [layer.name for layer in look.facts.outline]
        st.session_state["_rank_layers"] = [one for one in st.session_state.get("_rank_layers", []) if one in layers]
        guided = st.multiselect(
            "Its guided layers",
            layers,
            key="_rank_layers",
            placeholder="Those that stand for it",
            help="Where the teacher's geometry is to go in. Complementary knowledge and CKA depend on it.",
        )
    with right:
        teachers = _teachers(student, known)
        keep_valid("_rank_behaviour", list(BEHAVIOURS), USUAL)
        behaviour = st.segmented_control(
            "Robust to what",
            list(BEHAVIOURS),
            format_func=lambda each: BEHAVIOURS[each].title,
            key="_rank_behaviour",
            required=True,
        )
        images = st.number_input(
            "Validation images to score on",
            min_value=50,
            max_value=50_000,
            value=_IMAGES,
            step=100,
            key="_rank_images",
            help="More make the intervals narrower and the ranking longer, in proportion.",
        )
    problem = own_problem(name) if on == OWN else None
    document: dict[str, Any] = {
        "kind": "rank",
        "data": name,
        "image_size": size_setting(pixels),
        "teachers": [_reference(weights).model_dump() for weights in teachers],
        "student": {**_reference(student).model_dump(), "layers": list(guided)},
        "behaviour": {"name": behaviour, "strengths": list(_STRENGTHS)},
        "images": int(images),
    }
    if not teachers:
        st.caption(":orange[Choose at least one teacher.]")
    if problem:
        st.error(problem, icon=":material/error:")
    if st.button(
        f"Score {len(teachers)} {'teacher' if len(teachers) == 1 else 'teachers'}",
        type="primary",
        icon=":material/leaderboard:",
        disabled=not teachers or problem is not None,
        key="start_ranking",
    ):
        try:
            run = data.submit(document, reuse=True)
        except data.BirdError as error:
            st.error(str(error), icon=":material/error:")
        else:
            st.query_params.from_dict({"run": run.id})
            draw_again()
    st.caption(
        f"Strengths {', '.join(map(str, _STRENGTHS))} of every condition. Each layer of a teacher is looked at in one "
        "pass; what was computed is kept, so that a second ranking with the same networks is quick."
    )


def _data() -> tuple[str, str, str, tuple[str, ...]]:
    fallback, path, classes = parted(str(data.demo_document()["data"]))
    for key, default in zip(TRAINING_KEYS, (fallback, path, "auto", classes), strict=True):
        st.session_state.setdefault(key, default)
    return data_choice(TRAINING_KEYS, fallback=fallback, help="The student's data: teachers are scored on its images.")


def _student(name: str, known: dict[str, Weights]) -> Weights:
    options = offered("student", name, known)
    demo = data.demo_document()
    likeliest = str(demo["student"]["weights"]) if name == demo["data"] else ""
    keep_valid("_rank_student", list(options), likeliest if likeliest in options else next(iter(options)))
    chosen = st.selectbox("Student", list(options), format_func=lambda value: options[value].label, key="_rank_student")
    return options[str(chosen)]


def _teachers(student: Weights, known: dict[str, Weights]) -> list[Weights]:
    options = {value: weights for value, weights in known.items() if value != student.value}
    made = [value for value, each in options.items() if each.provenance and each.provenance.role == "teacher"]
    if "_rank_teachers" not in st.session_state:
        st.session_state["_rank_teachers"] = made or list(options)
    st.session_state["_rank_teachers"] = [one for one in st.session_state["_rank_teachers"] if one in options]
    chosen = st.multiselect(
        "Teachers",
        list(options),
        format_func=lambda value: options[value].label,
        key="_rank_teachers",
        help="Every network here with weights. `python -m bird_backend zoo` makes two dozen small ones to choose from.",
    )
    return [options[value] for value in chosen]


def _reference(weights: Weights) -> ModelRef:
    return ModelRef(model=weights.network, weights=None if weights.value.startswith(RANDOM) else weights.value)
