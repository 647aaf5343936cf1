"""What every behaviour keeps: its declaration, its settings in a spec, and how batches are changed for training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bird_backend.behaviours import BEHAVIOURS, STRENGTHS
from bird_backend.behaviours.drawing import SHARED_BY, change_for_training, draw
from bird_backend.behaviours.trial import Attacked, Given, Trial
from bird_backend.corruptions.applying import corrupt
from bird_backend.errors import BirdError, InputError
from bird_backend.experiments import load_spec
from bird_backend.measures import CLEAN, Predictions, by_group, group_names
from bird_backend.models import build_model
from bird_backend.runs.checks import check_held_out

NAMES = list(BEHAVIOURS)
TEACHER = {"kind": "robustify", "data": "digits", "model": {"model": "resnet-narrow"}}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(n: int = 12) -> Tensor:
    return torch.randint(0, 256, (n, 3, 32, 32), generator=generator(1), dtype=torch.uint8)


def settings(name: str, **options: Any) -> Any:
    return BEHAVIOURS[name].settings.model_validate({"name": name, **options})


def given(name: str, n: int = 12, seed: int = 0, **options: Any) -> Given:
    network = Attacked(model=build_model("cnn-small", classes=3, seed=0), labels=torch.arange(n) % 3)
    return Given(
        generator=generator(seed),
        cpu_generator=generator(seed + 50),
        settings=settings(name, **options),
        network=network,
    )


def test_there_are_three_and_each_has_something_held_out() -> None:
    assert NAMES == ["corruptions", "geometric", "adversarial"]
    for behaviour in BEHAVIOURS.values():
        assert behaviour.seen and behaviour.held_out
        assert set(behaviour.seen) | set(behaviour.held_out) == set(behaviour.conditions)
        assert not {CLEAN[0]} & set(behaviour.conditions)
        words = vars(behaviour.words)
        assert behaviour.name == "corruptions" or not any(
            "corrupt" in word or "severit" in word for word in words.values()
        )


@pytest.mark.parametrize("name", NAMES)
def test_every_cell_is_of_the_same_kind_and_decided_by_its_generator(name: str) -> None:
    images = pictures()
    before = images.clone()
    for condition in BEHAVIOURS[name].conditions:
        for strength in (1, 5):
            first, again, other = (
                BEHAVIOURS[name].apply(images, condition, strength, given(name, seed=seed)) for seed in (3, 3, 4)
            )
            assert (first.shape, first.dtype) == (images.shape, torch.uint8)
            assert torch.equal(first, again)
            assert not torch.equal(first, images)
            assert other.shape == images.shape
    assert torch.equal(images, before)


@pytest.mark.parametrize("name", NAMES)
def test_a_trial_depends_on_seed_cell_and_place_alone(name: str) -> None:
    images, network = pictures(), given(name).network
    trial = Trial(settings=settings(name, strengths=[2]), seed=5)
    condition = trial.settings.conditions[0]
    assert trial.cells == (CLEAN, *((each, 2) for each in BEHAVIOURS[name].conditions))
    assert torch.equal(trial.batch(images, CLEAN, 0), images)
    once = trial.batch(images, (condition, 2), 0, network)
    assert torch.equal(once, Trial(settings=trial.settings, seed=5).batch(images, (condition, 2), 0, network))
    if name != "adversarial":
        assert not torch.equal(once, trial.batch(images, (condition, 2), 500, network))


@pytest.mark.parametrize("name", NAMES)
def test_training_draws_every_pair_and_leaves_a_sixth_alone(name: str) -> None:
    images = pictures(1).expand(240, -1, -1, -1)
    with_network = given(name, 240)
    changed = change_for_training(images, BEHAVIOURS[name].seen[:2], with_network)
    assert (changed.shape, changed.dtype) == (images.shape, torch.uint8)
    untouched = (changed == images).flatten(1).all(dim=1).float().mean()
    assert 0 < untouched < 0.5
    assert with_network.network is not None and with_network.network.model.training


def test_a_batch_of_128_has_sixteen_draws_of_corruptions() -> None:
    assert 128 // SHARED_BY >= 16
    images = pictures(128)
    changed = change_for_training(images, ["contrast", "pixelate"], given("corruptions", 128))
    options = [
        corrupt(images, name, strength, generator=generator())
        for name in ("contrast", "pixelate")
        for strength in range(6)
    ]
    which = set()
    for start in range(0, 128, SHARED_BY):
        rows = slice(start, start + SHARED_BY)
        fits = [place for place, option in enumerate(options) if torch.equal(option[rows], changed[rows])]
        assert fits, "neighbours share one condition and strength"
        which.add(fits[0])
    assert len(which) > 5


def test_draws_are_even() -> None:
    which, strengths = draw(30_000, 3, given("geometric"))
    counts = np.bincount((which * 6 + strengths).numpy(), minlength=18)
    assert counts.min() > 0.9 * 30_000 / 18 and counts.max() < 1.1 * 30_000 / 18


def test_training_refuses_what_it_cannot_draw_from() -> None:
    with pytest.raises(InputError, match="no change to train on"):
        change_for_training(pictures(), [], given("geometric"))
    with pytest.raises(InputError, match="did you mean rotation"):
        change_for_training(pictures(), ["rotate"], given("geometric"))


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("geometrik", "Unknown behaviour 'geometrik': did you mean geometric"),
        ({"strengths": [0]}, r"behaviour\.strengths: strengths are whole numbers from 1 to 5, at least one"),
        ({"strengths": []}, "at least one"),
        ({"name": "geometric", "conditions": ["fog"]}, "Unknown change 'fog'"),
        ({"name": "geometric", "faithful": True}, r"unknown field behaviour\.faithful"),
        ({"name": "adversarial", "steps": 0}, r"behaviour\.steps: input should be greater than or equal to 1"),
        ({"name": 3}, "behaviour: says by its name"),
        (3, "behaviour: "),
    ],
)
def test_what_is_wrong_with_a_behaviour_is_one_sentence(behaviour: object, message: str) -> None:
    with pytest.raises(BirdError, match=message) as error:
        load_spec({**TEACHER, "behaviour": behaviour})
    assert "\n" not in str(error.value)


def test_a_bare_name_is_all_of_it_and_no_name_the_usual_one() -> None:
    spec: Any = load_spec({**TEACHER, "behaviour": "geometric"})
    assert spec.behaviour.conditions == tuple(BEHAVIOURS["geometric"].conditions)
    assert spec.behaviour.strengths == STRENGTHS and spec.train_conditions == ("rotation", "shift")
    assert load_spec(spec.model_dump(mode="json")) == spec
    usual: Any = load_spec({**TEACHER, "behaviour": {"strengths": [3]}})
    assert (usual.behaviour.name, usual.behaviour.strengths) == ("corruptions", (3,))
    assert load_spec(TEACHER) == load_spec({**TEACHER, "behaviour": "corruptions"})


@pytest.mark.parametrize("name", NAMES)
def test_nothing_may_train_on_what_is_held_out(name: str) -> None:
    behaviour = BEHAVIOURS[name]
    document = {**TEACHER, "behaviour": name, "train_conditions": [behaviour.seen[0], behaviour.held_out[0]]}
    with pytest.raises(InputError, match=f"{behaviour.find(behaviour.held_out[0]).title} is held out"):
        load_spec(document)
    with pytest.raises(InputError, match="at least one"):
        load_spec({**document, "train_conditions": []})


def test_weights_that_were_trained_on_what_is_held_out_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Origin:
        recipe: Mapping[str, Any] = {"behaviour": {"name": "geometric"}, "train_conditions": ["rotation", "shear"]}

    monkeypatch.setattr("bird_backend.runs.checks.find_weights", lambda name: name)
    monkeypatch.setattr("bird_backend.runs.checks.read_provenance", lambda _: Origin)
    with pytest.raises(InputError, match="foreign was trained on shear, which is held out"):
        check_held_out("foreign", settings("geometric"))
    check_held_out("foreign", settings("geometric", conditions=["rotation", "scale"]))
    check_held_out("foreign", settings("corruptions"))
    check_held_out(None, settings("geometric"))


def test_groups_come_from_the_behaviour() -> None:
    cells = (CLEAN, ("rotation", 1), ("shift", 1), ("shear", 1))
    predicted = np.zeros((4, 5), np.int16)
    predictions = Predictions(
        behaviour="geometric",
        cells=cells,
        images=np.arange(5),
        labels=np.zeros(5, np.int64),
        predicted={"m": predicted},
        confidence={"m": np.ones((4, 5), np.float16)},
    )
    assert group_names(predictions, "seen") == ("rotation", "shift")
    assert group_names(predictions, "held_out") == ("shear",)
    assert by_group(predictions, "m", "pooled") is None
    assert Predictions.from_arrays(predictions.arrays()).behaviour == "geometric"
