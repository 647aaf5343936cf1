"""What the cells of the atlas show: the value that is chosen, of which transfer or recipe, and how it comes about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import streamlit as st

from app.backend import data, layer_lab
from app.backend.layer_lab import Outcome, Recipe
from app.charts.layer_cells import Cells, cka_cells, gap_cells, unknown_cells
from app.charts.outcome_cells import outcome_cells, score_cells
from app.components.address_list import address_list, address_toggle
from app.components.drawing_again import draw_again
from app.components.job_wait import wait_for
from app.components.layer_map import measured_map
from app.components.pair_detail import Measured
from app.words.layers import layer_map_words
from app.words.recipes import recipe_words
from bird_backend.catalog import ModelFacts
from bird_backend.experiments import AnalyzeSpec
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.prediction import wide

__all__ = ["AtlasValues", "atlas_values"]

_SHOWS = {
    "before": "CKA before",
    "after": "CKA after",
    "difference": "Difference",
    "gain": "Outcome",
    "scores": "Scores",
}
_HELP = (
    "CKA on validation images before a transfer, after one, and how much it rose; the gain over fine-tuning that "
    "transfers through each pair had; and scores of the teacher's layers from before any transfer."
)


@dataclass(frozen=True, kw_only=True, eq=False)
class AtlasValues:
    """What is known of the pairs of two networks' layers, and the cells that show some of it."""

    cells: Cells
    caption: str
    of: str
    """What the cells are of, in a saved picture: a run, a recipe, or the two networks."""
    recipe: Recipe | None
    before: Measured | None
    after: Measured | None
    scores: pd.DataFrame | None
    layers: tuple[Sequence[str], Sequence[str]]

    @property
    def outcomes(self) -> Mapping[tuple[str, str], Outcome]:
        """By pair of layers, under the recipe that is chosen."""
        return {} if self.recipe is None else self.recipe.outcomes

    @cached_property
    def foretelling(self) -> Mapping[str, tuple[str, pd.DataFrame]]:
        """By name a title and a value of every pair that is known before any transfer."""
        found = {} if self.before is None else {"cka": ("CKA before", self.before[1])}
        if self.scores is not None:
            for name in _telling(self.scores):
                found[name] = (ATTRIBUTES[name].title, score_cells(self.scores, name, *self.layers).numbers)
        return found


def atlas_values(asked: AnalyzeSpec, facts: tuple[ModelFacts, ModelFacts]) -> AtlasValues:
    """Draw the choice of what cells show, and what there is to wait for or to press where that is not known yet."""
    teacher, student = ([layer.name for layer in side.outline] for side in facts)
    layers = (teacher, student)
    recipes = layer_lab.recipes_between(asked)
    show = st.query_params.get("show", "")
    show = show if show in _SHOWS else "before"
    left, right = st.columns([1.5, 1], vertical_alignment="bottom")
    with left:
        address_toggle("show", _SHOWS, show, label="Cells show", key="_show", help=_HELP)
    before = measured_map(
        asked, facts, primary=True, wait="The table fills in as soon as it is measured; pairs can be chosen already."
    )
    with right:
        recipe = _recipe(recipes, listed=show == "gain")
        transfer = _transfer(recipes, listed=show in ("after", "difference"))
    after = _after(asked, facts, transfer, wanted=show in ("after", "difference"))
    scores = _scores(asked, layers, wanted=show == "scores")
    with right:
        score = _score(scores) if show == "scores" and scores is not None else None
    cells, caption = _cells(show, layers, recipe=recipe, before=before, after=after, scores=scores, score=score)
    return AtlasValues(
        cells=cells,
        caption=caption,
        of=_source(show, asked, recipe=recipe, before=before, after=after),
        recipe=recipe,
        before=before,
        after=after,
        scores=scores,
        layers=layers,
    )


def _cells(
    show: str,
    layers: tuple[Sequence[str], Sequence[str]],
    *,
    recipe: Recipe | None,
    before: Measured | None,
    after: Measured | None,
    scores: pd.DataFrame | None,
    score: str | None,
) -> tuple[Cells, str]:
    """The cells of what is shown, and a caption that says of what they are."""
    if show == "gain":
        outcomes = {} if recipe is None else recipe.outcomes
        return outcome_cells(outcomes, *layers), _outcome_caption(recipe, layers)
    if show == "scores" and scores is not None and score is not None:
        entry = ATTRIBUTES[score]
        pooled = "" if entry.of_pair else " It is of the teacher's layer alone, so a row has one value."
        return score_cells(scores, score, *layers), f"{entry.caption}{pooled}"
    if show == "before" and before is not None:
        return cka_cells(before[1], title="CKA before"), layer_map_words(before[1])
    if show == "after" and after is not None:
        return cka_cells(after[1], title="CKA after"), layer_map_words(after[1], when="after the transfer")
    if show == "difference" and before is not None and after is not None:
        return gap_cells(before[1], after[1]), layer_map_words(after[1], when="after the transfer and before it")
    title = _SHOWS[show]
    return unknown_cells(*layers, title=title, words="not measured yet"), ""


def _source(
    show: str, asked: AnalyzeSpec, *, recipe: Recipe | None, before: Measured | None, after: Measured | None
) -> str:
    measured = after if show in ("after", "difference") else before if show == "before" else None
    if measured is not None:
        return measured[0].id
    named = f"{asked.teacher.title}-{asked.student.title}"
    return f"{named}-{recipe.key}" if show == "gain" and recipe is not None else named


def _outcome_caption(recipe: Recipe | None, layers: tuple[Sequence[str], Sequence[str]]) -> str:
    if recipe is None:
        return "No transfer between these two through one pair of layers has run yet: launch one, or sweep several."
    outcomes = recipe.outcomes
    known = sum(outcome.gain is not None for outcome in outcomes.values())
    beyond = sum(outcome.gain is not None and outcome.gain.beyond_noise for outcome in outcomes.values())
    coming = sum(outcome.coming for outcome in outcomes.values())
    inside = sum(row not in layers[0] or column not in layers[1] for row, column in outcomes)
    said = (
        f"{recipe_words(recipe.spec)}: {known} of {len(layers[0]) * len(layers[1])} pairs known, {beyond} beyond noise "
        "(bold), each judged by its own 95 % interval."
    )
    said += f" {coming} run{'s' if coming > 1 else ''} on the way." if coming else ""
    return said + (f" {inside} more with layers inside a block have no cell here." if inside else "")


def _recipe(recipes: Sequence[Recipe], *, listed: bool) -> Recipe | None:
    if not recipes:
        return None
    known = {recipe.key: recipe for recipe in recipes}
    asked = st.query_params.get("recipe", "")
    chosen = known.get(asked, recipes[0])
    if listed and len(recipes) > 1:
        words = {recipe.key: f"{recipe_words(recipe.spec)} · {_count(recipe)}" for recipe in recipes}
        address_list("recipe", words, chosen.key, label="Transfers by", key="_recipe")
    return chosen


def _count(recipe: Recipe) -> str:
    pairs = len(recipe.outcomes)
    return f"{pairs} pair{'s' if pairs > 1 else ''}"


def _transfer(recipes: Sequence[Recipe], *, listed: bool) -> data.Run | None:
    """The finished transfer after which CKA is looked at: the address's, else that of the chosen pair, else any."""
    found = {
        run.id: (f"{row} → {column}, {recipe_words(recipe.spec)}, seed {data.spec_of(run).seed}", run)
        for recipe in recipes
        for (row, column), outcome in recipe.outcomes.items()
        for run in outcome.done
    }
    if not found:
        if listed:
            st.caption("No transfer between these two has finished yet: launch one below, and look again.")
        return None
    pair = (st.query_params.get("guiding", ""), st.query_params.get("guided", ""))
    own = next((run.id for recipe in recipes if pair in recipe.outcomes for run in recipe.outcomes[pair].done), None)
    asked = st.query_params.get("after", "")
    chosen = asked if asked in found else own or max(found)
    if listed:
        address_list("after", {run: words for run, (words, _) in found.items()}, chosen, label="After", key="_after")
    return found[chosen][1]


def _after(
    asked: AnalyzeSpec, facts: tuple[ModelFacts, ModelFacts], run: data.Run | None, *, wanted: bool
) -> Measured | None:
    spec = None if run is None else layer_lab.after_spec(asked, run)
    if spec is None:
        if wanted and run is not None:
            st.caption("That transfer's weights are no longer there, so nothing can be measured after it.")
        return None
    if wanted:
        return measured_map(spec, facts, key="measure_after", lacking="Not measured yet after this transfer.")
    known = data.find_layer_map(spec)
    frame = data.layer_table(known) if known is not None else None
    return None if known is None or frame is None else (known, frame)


def _scores(asked: AnalyzeSpec, layers: tuple[Sequence[str], Sequence[str]], *, wanted: bool) -> pd.DataFrame | None:
    run = layer_lab.find_ranking(asked)
    if run is not None and run.state == "done":
        found = layer_lab.scored(run, asked)
        return None if found is None or found.empty else wide(found)
    if not wanted:
        return None
    if run is not None:
        wait_for(run, "Scoring the teacher's layers")
    else:
        st.caption("These layers were not scored yet: probes, knowledge the student lacks, robustness of features.")
        if st.button("Score the teacher's layers", icon=":material/leaderboard:", key="lab_score"):
            data.submit(dict(layer_lab.rank_document(asked, (tuple(layers[0]), tuple(layers[1])))), reuse=True)
            draw_again()
    return None


def _telling(scores: pd.DataFrame) -> list[str]:
    """The scores in which layers differ; CKA is shown as measured on the page itself."""
    return [name for name in ATTRIBUTES if name in scores and name != "cka" and scores[name].nunique() > 1]


def _score(scores: pd.DataFrame) -> str | None:
    names = _telling(scores)
    if not names:
        return None
    asked = st.query_params.get("score", "")
    chosen = asked if asked in names else names[0]
    address_list("score", {name: ATTRIBUTES[name].title for name in names}, chosen, label="Score", key="_score")
    return chosen
