"""Which layers? Every teacher layer with every student layer, before and after a transfer, and what it gained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app.address.kept import keep, recall
from app.address.url_state import adopt, publish
from app.backend import data, layer_lab
from app.backend.own_images import image_size_of
from app.backend.weights import Weights, usable
from app.components.atlas_values import AtlasValues, atlas_values
from app.components.data_choice import LAUNCH_KEYS, data_choice
from app.components.drawing_again import draw_again
from app.components.layer_matrix import layer_matrix
from app.components.live_chart import show_numbers
from app.components.network_look import network_look
from app.components.outcome_scatter import scatter_section
from app.components.page_head import page_head
from app.components.pair_detail import pair_detail
from app.components.pair_sweep import launch_pair, sweep
from app.components.relaunch import demo_draft, pair_query
from app.components.weights_choice import weights_choice
from app.form.drafts import OWN, Draft
from app.form.images import narrowed_name, own_name, own_problem, size_setting
from app.words.markdown import plain
from app.words.recipes import recipe_words
from bird_backend.catalog import ModelFacts, title_of
from bird_backend.experiments import AnalyzeSpec, TransferSpec, load_spec
from bird_backend.specs import ModelRef

__all__ = ["render"]

_FORM = ("data", "path", "classes", "size", "teacher", "student")
_VIEW = ("show", "guiding", "guided", "fold", "after", "recipe", "x", "image", "score")
_LOOK_AGAIN_SECONDS = 5.0
_BETWEEN = ":"
_BESIDE = 7
"""So many of the student's layers leave room beside the table for what is known of one pair."""
Pair = tuple[str, str]


def render() -> None:
    """Draw the page."""
    page_head(
        "atlas",
        "Each cell is a layer of the teacher with a layer of the student. How alike are they before a transfer, what "
        "does it change, and does it help? Choose a cell to look into it, and transfer through it.",
    )
    demo = demo_draft().choices()
    defaults = {name: demo[name] for name in _FORM}
    adopt("atlas", defaults)
    recall("atlas_view", _VIEW)
    found = _networks(defaults)
    if found is not None:
        _lab(*found)
    keep("atlas_view", {name: st.query_params[name] for name in _VIEW if name in st.query_params})


def _networks(defaults: Mapping[str, Any]) -> tuple[AnalyzeSpec, tuple[ModelFacts, ModelFacts], Draft] | None:
    """Draw the choice of images and networks, and write it into the address; none while something isn't known."""
    known = usable(data.weights_files())
    demo = demo_draft()
    head = st.container(horizontal=True, vertical_alignment="center")
    one, two, three = st.expander("Other images or networks", icon=":material/tune:").columns(3)
    with one:
        chosen, path, size, classes = data_choice(
            LAUNCH_KEYS, fallback=demo.data, help="The student's images: both networks are looked at on them."
        )
    name = narrowed_name(own_name(path) if chosen == OWN else chosen, classes)
    problem = own_problem(name) if chosen == OWN else None
    side = None if problem else image_size_of(name, size_setting(size))
    with two:
        teacher = weights_choice("teacher", name, known, fallback=demo.teacher)
    with three:
        student = weights_choice("student", name, known, fallback=demo.student)
    theirs, own = (
        network_look(role, _reference(each), side) for role, each in (("teacher", teacher), ("student", student))
    )
    draft = replace(
        demo, data=chosen, path=path, size=size, classes=classes, teacher=teacher.value, student=student.value
    )
    publish("atlas", {each: draft.choices()[each] for each in _FORM}, defaults)
    with head:
        st.markdown(f"**{plain(teacher.label)}** → **{plain(student.label)}** on {plain(title_of(name))}")
    if problem or theirs.facts is None or own.facts is None:
        if problem:
            st.info(problem, icon=":material/info:")
        return None
    try:
        asked = load_spec(
            {
                "kind": "analyze",
                "data": name,
                "image_size": size_setting(size),
                "teacher": _reference(teacher).model_dump(),
                "student": _reference(student).model_dump(),
                "seed": demo.seed,
            }
        )
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")
        return None
    assert isinstance(asked, AnalyzeSpec)  # noqa: S101 - for the type
    return asked, (theirs.facts, own.facts), draft


def _reference(weights: Weights) -> ModelRef:
    return ModelRef(model=weights.network, weights=None if weights.provenance is None else weights.value)


def _lab(asked: AnalyzeSpec, facts: tuple[ModelFacts, ModelFacts], draft: Draft) -> None:
    values = atlas_values(asked, facts)
    pair = _pair(values, draft)
    if any(outcome.coming for outcome in values.outcomes.values()):
        st.fragment(_watch, run_every=_LOOK_AGAIN_SECONDS)(asked, _states(values.outcomes))
    base = _base(values, draft, pair)
    wide = len(values.layers[1]) > _BESIDE
    if wide:
        _matrix(values, facts, pair)
    left, right = st.columns([1, 1] if wide else [1.2, 1], gap="large")
    with left:
        if not wide:
            _matrix(values, facts, pair)
        if base is not None:
            query = pair_query(
                asked.data, teacher=draft.teacher, teacher_layer=pair[0], student=draft.student, student_layer=pair[1]
            )
            with st.container(border=True):
                _transfer(base, pair, values, facts, query)
    with right, st.container(border=True):
        st.header(f"{pair[0]} → {pair[1]}", anchor=False)
        if values.before is None:
            st.caption("Its geometry is shown here once the layers are measured.")
        else:
            pair_detail(
                pair,
                before=values.before,
                after=values.after,
                outcome=values.outcomes.get(pair),
                scores=values.scores,
            )
    st.header("What did it foretell?", anchor=False, help="Known before a transfer, against what transfers gained.")
    scatter_section(values.foretelling, values.outcomes, pair, of=f"{asked.teacher.title} {asked.student.title}")


def _transfer(
    base: TransferSpec, pair: Pair, values: AtlasValues, facts: tuple[ModelFacts, ModelFacts], query: Mapping[str, str]
) -> None:
    """One transfer through the pair, or a study of several pairs."""
    st.header("Transfer through it", anchor=False, help=f"With the settings of the others here: {recipe_words(base)}.")
    launch_pair(base, pair, query)
    pooled = getattr(base.method, "pooling", "") == "mean"
    same = [side.same_pooled if pooled else {} for side in facts]
    teacher, student = (
        [name for name in names if name not in twice] for names, twice in zip(values.layers, same, strict=True)
    )
    rules = {
        f"{title}, highest first": (table.reindex(index=teacher, columns=student), True)
        for title, table in values.foretelling.values()
    }
    if values.before is not None:
        rules["CKA before, lowest first"] = (values.before[1].reindex(index=teacher, columns=student), False)
    sweep(base, pair, layers=(teacher, student), rules=rules)
    twice = [f"the {role}'s {name}" for role, found in zip(("teacher", "student"), same, strict=True) for name in found]
    if twice:
        st.caption(f"Left out, as the same under mean pooling as a layer before: {' and '.join(twice)}.")


def _matrix(values: AtlasValues, facts: tuple[ModelFacts, ModelFacts], pair: Pair) -> None:
    layer_matrix(
        values.cells,
        facts,
        pair,
        of=values.of,
        key="atlas",
        pick=lambda guiding, guided: st.query_params.update({"guiding": guiding, "guided": guided}),
        fold=_fold,
        folded=_folded(),
        follows=True,
        invites="Press to look into this pair.",
    )
    st.caption(
        f"{values.caption} Beside each layer: its shape for one image, and the parameters that came in since the layer "
        "before."
    )
    table = values.cells.numbers.rename_axis("teacher's layer").reset_index()
    show_numbers(table, key="atlas_numbers", label=f"{values.cells.title} of each pair of layers")


def _pair(values: AtlasValues, draft: Draft) -> Pair:
    """The address's, else the demo's, else the middle of both networks; a layer that isn't there is not asked for."""
    guiding, guided = (
        next((name for name in (st.query_params.get(key, ""), usual) if name in layers), layers[(len(layers) - 1) // 2])
        for key, usual, layers in zip(("guiding", "guided"), (draft.guiding, draft.guided), values.layers, strict=True)
    )
    return guiding, guided


def _base(values: AtlasValues, draft: Draft, pair: Pair) -> TransferSpec | None:
    """What transfers from here do: as those that are shown did, else as the demo does."""
    if values.recipe is not None:
        return values.recipe.spec
    networks = {name: weights.network for name, weights in usable(data.weights_files()).items()}
    try:
        spec = load_spec(replace(draft, guiding=pair[0], guided=pair[1]).document(networks))
    except (data.BirdError, ValueError) as error:
        st.caption(f":orange[No transfer can be launched: {error}]")
        return None
    return spec if isinstance(spec, TransferSpec) else None


def _states(outcomes: Mapping[Pair, layer_lab.Outcome]) -> tuple[tuple[int, int, int], ...]:
    return tuple((len(outcome.seeds), outcome.coming, outcome.failed) for outcome in outcomes.values())


def _watch(asked: AnalyzeSpec, states: tuple[tuple[int, int, int], ...]) -> None:
    """Draw the page anew once one of its transfers has ended."""
    known = {recipe.key: recipe for recipe in layer_lab.recipes_between(asked)}
    now = [_states(recipe.outcomes) for recipe in known.values()]
    if states not in now:
        draw_again()


def _folded() -> dict[str, tuple[str, ...]]:
    """As the address has them, `teacher:layer1,student:layer3`."""
    parts = [part.partition(_BETWEEN) for part in st.query_params.get("fold", "").split(",")]
    return {role: tuple(name for side, _, name in parts if side == role and name) for role in ("teacher", "student")}


def _fold(folded: Mapping[str, tuple[str, ...]]) -> None:
    said = [f"{role}{_BETWEEN}{name}" for role, names in folded.items() for name in names]
    if said:
        st.query_params["fold"] = ",".join(said)
    else:
        st.query_params.pop("fold", None)
