"""Choosing the layer pair from two lists with shapes, and further pairs that are matched beside it."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.address.url_state import keep_valid
from app.form.drafts import apart, between
from app.form.layer_levels import level_of, levels, stand_in
from app.words.layers import layer_words
from bird_backend.catalog import LayerFacts, ModelFacts

__all__ = ["further_pairs", "layer_lists"]

_MOST_PAIRS = 16
_MOST_OFFERED = 1500


def layer_lists(
    teacher: ModelFacts | None, student: ModelFacts | None, *, fallback: tuple[str, str]
) -> tuple[str, str]:
    """Draw the two lists; returns the guiding and the guided layer.

    Of a network that nobody has looked at yet there is no list, and its layer stays as it is.
    """
    left, right = st.columns(2)
    with left:
        guiding = _list(
            "guiding",
            teacher,
            fallback[0],
            "Guiding layer, of the teacher",
            "The teacher's layer whose geometry is copied: which images it finds alike, and which not.",
        )
    with right:
        guided = _list(
            "guided",
            student,
            fallback[1],
            "Guided layer, of the student",
            "The student's layer that is drawn towards it. Layers before it learn from both losses, layers after it "
            "from the task alone.",
        )
    return guiding, guided


def further_pairs(teacher: ModelFacts, student: ModelFacts, *, chosen: tuple[str, str]) -> tuple[str, ...]:
    """Draw the list of pairs that are matched beside the `chosen` one, all with equal weight."""
    options = [pair for pair in _offered_pairs(teacher, student) if pair != between(*chosen)]
    asked = [pair for pair in st.session_state["more"] if pair != between(*chosen)]
    every = [{layer.name for layer in facts.layers} for facts in (teacher, student)]
    kept = [pair for pair in asked if all(name in names for name, names in zip(apart(pair), every, strict=True))]
    st.session_state["more"] = kept[: _MOST_PAIRS - 1]
    picked = st.multiselect(
        "Further pairs",
        list(dict.fromkeys((*options, *kept))),
        key="more",
        max_selections=_MOST_PAIRS - 1,
        placeholder="none: one pair of layers is matched",
        help="Several pairs are matched at once, each with the same weight. What the two lists above show can be "
        "paired.",
    )
    return tuple(str(pair) for pair in picked)


def _offered_pairs(teacher: ModelFacts, student: ModelFacts) -> list[str]:
    """Of the layers that the two lists show, or of coarser ones where that would be thousands."""
    lists = [levels(teacher), levels(student)]
    shown = [str(st.session_state.get(f"_{key}_level", "")) for key in ("guiding", "guided")]
    now = [each.get(level) or next(iter(each.values())) for each, level in zip(lists, shown, strict=True)]
    if len(now[0]) * len(now[1]) > _MOST_OFFERED:
        now = [next(iter(each.values())) for each in lists]
    return [between(guiding.name, guided.name) for guiding in now[0] for guided in now[1]]


def _list(key: str, facts: ModelFacts | None, fallback: str, label: str, help: str) -> str:
    if facts is None:
        st.caption(f"**{label}**: its layers are listed here once the network was looked at.")
        return str(st.session_state[key])
    lists, place = levels(facts), st.container()
    offered = _level(key, facts, lists)
    layers = {layer.name: layer for layer in offered}
    names = list(layers)
    asked = str(st.session_state.get(key, ""))
    missing = keep_valid(key, names, fallback if fallback in names else stand_in(asked, facts, offered))
    same = facts.same_pooled if st.session_state.get("pooling", "mean") == "mean" else {}

    def words(name: str) -> str:
        return layer_words(layers[name]) + (f", the mean of {same[name]}" if name in same else "")

    chosen: str = place.selectbox(label, names, format_func=words, key=key, help=help)
    if missing and missing != fallback:
        st.caption(f":orange[{facts.title} has no layer {missing}, so this one stands in.]")
    return chosen


def _level(key: str, facts: ModelFacts, lists: Mapping[str, tuple[LayerFacts, ...]]) -> tuple[LayerFacts, ...]:
    """How finely the layers are listed: coarsely, until the layer that is chosen, or the reader, asks for more."""
    level, names = f"_{key}_level", list(lists)
    coarsest = level_of(str(st.session_state.get(key, "")), lists) or names[0]
    now = str(st.session_state.get(level, ""))
    if st.session_state.get(f"{level}_of") != facts.name:  # how finely another network was listed says nothing of it
        st.session_state[f"{level}_of"], now = facts.name, ""
    if now not in lists or names.index(now) < names.index(coarsest):
        st.session_state[level] = coarsest
    if len(lists) == 1:
        return lists[names[0]]
    shown = st.segmented_control(
        f"How finely the {key} layers are listed",
        names,
        format_func=lambda name: name.format(len(lists[name])),
        key=level,
        required=True,
        on_change=_regroup,
        args=(key, facts),
        label_visibility="collapsed",
        help="By its stages, each by its last layer; by its blocks; or every module inside them.",
    )
    return lists[str(shown)]


def _regroup(key: str, facts: ModelFacts) -> None:
    """A coarser list may not have the layer that is chosen: the last one of its stage stands in."""
    offered = levels(facts)[str(st.session_state[f"_{key}_level"])]
    if st.session_state[key] not in [layer.name for layer in offered]:
        st.session_state[key] = stand_in(str(st.session_state[key]), facts, offered)
