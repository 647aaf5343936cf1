"""What transfers between two networks gained, by pair of layers, from runs whose right answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from bird_backend import catalog
from bird_backend.experiments import TransferSpec, load_spec
from bird_backend.measures import group_share, over_seeds
from bird_backend.measures.figures import read_figure
from bird_backend.runs.reading import read_predictions
from bird_backend.runs.store import Run, RunStore
from bird_backend.specs import ModelRef
from bird_backend.studies import Outcome, Recipe, plan_pairs, recipes_between, submit_study
from tests import synthetic

NETWORK = next(iter(catalog.models()))
BLANK = ModelRef(model=NETWORK)
LAYERS = [layer.name for layer in catalog.models()[NETWORK].layers]


def pairs(teacher: str, student: str) -> dict[str, object]:
    return {"method": {"name": "bird", "pairs": [{"teacher": teacher, "student": student}]}}


def between() -> list[Recipe]:
    return recipes_between(BLANK, BLANK, data="fashion-mnist-small", image_size="auto")


def outcome(recipe: Recipe, *pair: str) -> Outcome:
    return recipe.outcomes[pair[0], pair[1]]


def robust(run: Run, model: str) -> np.ndarray:
    predictions = read_predictions(run.directory)
    assert predictions is not None
    share = group_share(predictions, model, "robust")
    assert share is not None
    return share


def test_a_transfer_beside_its_own_fine_tuning_has_the_gain_that_its_page_shows() -> None:
    run = synthetic.write_transfer("done", **pairs(LAYERS[0], LAYERS[1]))
    [recipe] = between()
    found = outcome(recipe, LAYERS[0], LAYERS[1])
    assert found.gain == read_figure(run.summary, "bird", "gain")
    assert found.seeds == (0,) and [each.id for each in found.done] == [run.id]


def test_seeds_are_averaged_and_another_budget_is_kept_apart() -> None:
    runs = [synthetic.write_transfer("done", seed=seed, **pairs(LAYERS[0], LAYERS[1])) for seed in (0, 1, 2)]
    synthetic.write_transfer("running", fraction=0.4, seed=3, **pairs(LAYERS[0], LAYERS[1]))
    synthetic.write_transfer("failed", seed=0, reason="No.", **pairs(LAYERS[1], LAYERS[1]))
    synthetic.write_transfer("done", training={"epochs": 9}, **pairs(LAYERS[0], LAYERS[2]))
    first, other = between()
    found = outcome(first, LAYERS[0], LAYERS[1])
    values = [read_figure(run.summary, "bird", "gain") for run in runs]
    assert found.gain == over_seeds([value.value for value in values if value is not None])
    assert (found.coming, found.failed) == (1, 0)
    assert outcome(first, LAYERS[1], LAYERS[1]) == Outcome(failed=1)
    assert list(other.outcomes) == [(LAYERS[0], LAYERS[2])] and other.spec.training.epochs == 9


def test_pairs_of_a_study_are_held_against_its_fine_tuning_image_by_image(no_worker: None) -> None:
    base = load_spec(synthetic.transfer_document())
    assert isinstance(base, TransferSpec)
    study = submit_study(plan_pairs(base, layers=[(LAYERS[0], LAYERS[1]), (LAYERS[1], LAYERS[1])]), start_worker=False)
    runs = {member.variant: RunStore().get(member.run or "") for member in study.members}
    done = synthetic.fill_transfer(runs["pair-0-0"], umap=False)
    [recipe] = between()
    assert outcome(recipe, LAYERS[0], LAYERS[1]).gain is None, "nothing to hold it against yet"
    base_run = synthetic.fill_transfer(runs["fine-tuning-0"], umap=False)
    [recipe] = between()
    gain = outcome(recipe, LAYERS[0], LAYERS[1]).gain
    gaps = robust(done, "bird") - robust(base_run, "fine-tuning")
    assert gain is not None
    assert gain.value == pytest.approx(gaps.mean())
    assert gain.half == pytest.approx(1.959964 * gaps.std(ddof=1) / np.sqrt(len(gaps)))
    assert outcome(recipe, LAYERS[1], LAYERS[1]).coming == 1
    # The same-alpha control compares the same layers, and is no transfer through them.
    assert set(recipe.outcomes) == {(LAYERS[0], LAYERS[1]), (LAYERS[1], LAYERS[1])}


def test_controls_other_networks_and_several_pairs_are_left_out() -> None:
    synthetic.write_transfer("done", control="shuffled-batch", **pairs(LAYERS[0], LAYERS[0]))
    both = [{"teacher": name, "student": name} for name in LAYERS[:2]]
    synthetic.write_transfer("done", method={"name": "bird", "pairs": both})
    synthetic.write_transfer("done", method={"name": "fine-tuning"})
    assert between() == []
    assert recipes_between(ModelRef(model=NETWORK, weights="gone"), BLANK, data="digits", image_size="auto") == []
