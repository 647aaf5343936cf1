"""Studies as plans: every variant checked whole, and refused in one sentence before anything is queued."""

from __future__ import annotations

from typing import Any

import pytest

from bird_backend import studies
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec, load_spec, spec_hash
from bird_backend.runs.store import RunStore
from bird_backend.studies import plan_ablation, plan_methods, submit_study
from bird_backend.transfer import METHODS
from tests.study_runs import demo

pytestmark = pytest.mark.usefixtures("no_worker")


def test_every_method_at_every_seed_with_one_budget() -> None:
    base = demo(seed=5, save_as="mine")
    plan = plan_methods(base, seeds=3)
    assert plan.seeds == (5, 6, 7)
    keys = [variant.key for variant in plan.variants]
    wanted = [name for name in studies.entrants() if name != "soft-labels"]
    wanted[wanted.index("bird") + 1 : wanted.index("bird") + 1] = ["bird-random-weights", "bird-same-alpha"]
    assert keys == wanted
    assert {variant.method for variant in plan.variants} == set(METHODS) - {"soft-labels"}
    assert len(plan.asked) == 3 * (len(keys) - 1), "the untouched student needs no run of its own"
    specs = [plan.spec(variant, seed) for variant, seed in plan.asked]
    assert len({spec_hash(spec) for spec in specs}) == len(specs)
    for spec in specs:
        assert (spec.training, spec.evaluation, spec.data) == (base.training, base.evaluation, base.data)
        assert (spec.teacher, spec.student, spec.baseline, spec.save_as) == (base.teacher, base.student, False, None)
        assert spec.drawn_pair == base.drawn_pair, "CKA is at the same layers for all"
    starts = {variant.key: variant.start for variant in plan.variants}
    assert starts["fine-tuning"] == "student"
    assert starts["fine-tuning-teacher"] == starts["linear-probe"] == starts["lp-ft"] == "teacher"
    assert plan.controls == ("random-weights", "same-alpha")
    assert any("Soft labels is left out" in note for note in plan.notes)


def test_the_bases_own_method_stays_and_others_take_its_layers() -> None:
    plan = plan_methods(demo(), methods=["bird", "sp", "hints"], controls=["shuffled-batch", "random-weights"])
    specs = {variant.key: plan.spec(variant, 0).method for variant in plan.variants}
    assert list(specs) == ["none", "hints", "sp", "bird", "bird-shuffled-batch", "bird-random-weights"]
    assert specs["bird"] == demo().method
    assert specs["sp"].pairs == specs["hints"].pairs == demo().method.pairs
    assert specs["sp"].beta == 3000, "each method measures on a scale of its own"
    assert {variant.over for variant in plan.variants} == {None}, "there is no fine-tuning to be over"


def test_alpha_alone_is_a_control_where_there_is_an_alpha_below_one() -> None:
    for alpha, expected in ((0.3, ["bird-same-alpha"]), (1.0, []), (0.0, [])):
        base = demo(method={"name": "bird", "alpha": alpha, "pairs": [{"teacher": "block1", "student": "block2"}]})
        plan = plan_methods(base, methods=["bird"], controls=["same-alpha"])
        assert [variant.key for variant in plan.variants if variant.role == "control"] == expected
        assert plan.controls == (("same-alpha",) if expected else ())


def test_architectures_that_differ_start_from_the_student() -> None:
    plan = plan_methods(
        demo(
            teacher={"model": "cnn-small"},
            method={"name": "bird", "pairs": [{"teacher": "block1", "student": "block2"}]},
        )
    )
    assert "fine-tuning-teacher" not in [variant.key for variant in plan.variants]
    assert {variant.start for variant in plan.variants} == {"student"}
    assert any(note.startswith("Fine-tuning the teacher is left out") for note in plan.notes)


def test_soft_labels_where_the_classes_agree() -> None:
    base = demo(teacher={"model": "resnet-narrow", "weights": "fashion-student"}, student={"model": "cnn-small"})
    assert "soft-labels" in [variant.key for variant in plan_methods(base).variants]


@pytest.mark.parametrize(
    ("preset", "runs"),
    [("batch-size", 8), ("kernel", 3), ("estimator", 3), ("beta", 7), ("layers", 10), ("every-layer", 17)],
)
def test_ablations_vary_one_thing(preset: str, runs: int) -> None:
    base = demo()
    plan = plan_ablation(base, preset, seeds=2)
    assert len(plan.asked) == 2 * runs
    contenders = [variant for variant in plan.variants if variant.role == "contender"]
    assert len({variant.value for variant in contenders}) == len(contenders)
    for variant in contenders:
        spec = plan.spec(variant, 0)
        reference = plan.spec(plan.variant(variant.over or ""), 0)
        assert reference.method.name == "fine-tuning"
        assert spec.training == reference.training
        assert spec.training.epochs == base.training.epochs
        if preset == "batch-size":
            assert (spec.training.batch_size, spec.method) == (variant.value, base.method)
        else:
            assert spec.training == base.training
            varied = {
                name for name, value in spec.method.model_dump().items() if value != base.method.model_dump()[name]
            }
            assert varied <= {"beta": {"alpha", "beta"}, "layers": {"pairs"}, "every-layer": {"pairs"}}.get(
                preset, {preset}
            )
        if preset == "beta":
            assert spec.method.alpha + spec.method.beta == pytest.approx(1)


@pytest.mark.parametrize(
    ("method", "values"),
    [
        ("rkd", [2.5, 7.5, 25, 75, 250]),
        ("sp", [300, 900, 3000, 9000, 30000]),
        ("pkt", [50, 150, 500, 1500, 5000]),
        ("lwf-features", [0.01, 0.03, 0.1, 0.3, 1]),
        ("lwf-logits", [0.1, 0.3, 1, 3, 10]),
    ],
)
def test_beta_varies_around_what_is_usual_for_the_method(method: str, values: list[float]) -> None:
    layered = METHODS[method].matches_layers
    pairs = {"pairs": [{"teacher": "block1", "student": "block1"}]} if layered else {}
    plan = plan_ablation(demo(method={"name": method, **pairs}), "beta", seeds=1)
    contenders = [variant for variant in plan.variants if variant.role == "contender"]
    assert [variant.value for variant in contenders] == pytest.approx(values)
    specs = [plan.spec(variant, 0).method for variant in contenders]
    assert [spec.beta for spec in specs] == pytest.approx(values)  # type: ignore[attr-defined]
    assert {getattr(spec, "alpha", None) for spec in specs} == {1.0 if layered else None}
    usual = f"{METHODS[method].choices['beta'].default:g}"
    assert plan.axis == f"beta, usually {usual}"
    assert f"{METHODS[method].title}'s usual {usual}" in plan.notes[0]


@pytest.mark.parametrize("method", ["bird", "hints"])
def test_where_the_weights_add_up_to_one_beta_varies_between_none_and_all(method: str) -> None:
    plan = plan_ablation(demo(method={"name": method, "pairs": [{"teacher": "block1", "student": "block1"}]}), "beta")
    specs = [plan.spec(variant, 0).method for variant in plan.variants if variant.role == "contender"]
    assert [spec.beta for spec in specs] == [0.1, 0.3, 0.5, 0.7, 0.9, 0.99]  # type: ignore[attr-defined]
    assert all(spec.alpha + spec.beta == pytest.approx(1) for spec in specs)  # type: ignore[attr-defined]
    assert plan.axis == "beta, with alpha = 1 − beta"


def test_the_teacher_ablation_finds_the_counterpart_of_a_layer() -> None:
    base = demo(student={"model": "cnn-small"})
    plan = plan_ablation(base, "teacher", seeds=1, teachers=["digits-robust-teacher", "fashion-student"])
    assert [variant.value for variant in plan.variants] == [None, "digits-robust-teacher", "fashion-student"]
    assert plan.spec(plan.variants[2], 0).teacher.weights == "fashion-student"


@pytest.mark.parametrize(
    ("changes", "arguments", "message"),
    [
        ({}, {"seeds": 0}, "from 1 to 100 seeds, not 0"),
        ({}, {"seeds": 101}, "not 101"),
        ({"seed": 2**31 - 1}, {"seeds": 2}, "Seeds end at"),
        ({}, {"methods": ["brid"]}, "Unknown method 'brid'"),
        ({}, {"methods": []}, "at least one method"),
        ({}, {"methods": ["soft-labels"]}, "classes"),
        ({"teacher": {"model": "cnn-small"}}, {"methods": ["fine-tuning-teacher"]}, "one architecture"),
        ({}, {"controls": ["random"]}, "Unknown control 'random'"),
        ({"data": "zip:/nowhere/at-all.zip"}, {}, "nothing at /nowhere"),
        ({"teacher": {"model": "resnet-narrow", "weights": "digits-teacher"}}, {}, "Unknown weights"),
        ({"training": {"batch_size": 8000}, "data": "digits"}, {"methods": ["bird"]}, "batch of 8,000"),
    ],
)
def test_a_comparison_that_can_not_be_is_refused_before_anything_is_queued(
    changes: dict[str, Any], arguments: dict[str, Any], message: str
) -> None:
    document = demo().model_dump(mode="json") | changes
    with pytest.raises(InputError) as error:
        submit_study(plan_methods(_spec(document), **arguments))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert RunStore().list() == []
    assert studies.list_studies() == []


@pytest.mark.parametrize(
    ("changes", "preset", "arguments", "message"),
    [
        ({}, "betta", {}, "Unknown ablation 'betta'"),
        ({}, "beta", {"seeds": 0}, "not 0"),
        ({}, "beta", {"teachers": ["x"]}, "Teachers are for"),
        ({}, "teacher", {"teachers": ["digits-robust-teacher"]}, "two teachers"),
        ({}, "teacher", {"teachers": ["digits-robust-teacher", "fashion-student"]}, "the same network"),
        ({"method": {"name": "oracle"}}, "layers", {}, "compare layers"),
        ({"method": {"name": "oracle"}}, "beta", {}, "weight of a method's own loss, and Oracle has none"),
        ({"method": {"name": "oracle"}}, "kernel", {}, "BIRD's kernel"),
        ({"method": {"name": "oracle"}}, "teacher", {}, "look at a teacher"),
        ({"method": {"name": "fine-tuning"}}, "batch-size", {}, "another method"),
    ],
)
def test_an_ablation_that_can_not_be_is_refused(
    changes: dict[str, Any], preset: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as error:
        plan_ablation(demo(**changes), preset, **arguments)
    assert message in str(error.value)


def _spec(document: dict[str, Any]) -> TransferSpec:
    if document["teacher"]["model"] == "cnn-small":
        document["method"] = {"name": "fine-tuning"}
    spec = load_spec(document)
    assert isinstance(spec, TransferSpec)
    return spec


def test_a_study_of_layers_says_which_pairs_it_leaves_out() -> None:
    [note] = plan_ablation(demo(), "layers").notes
    assert "9 of 25 pairs" in note
    [note] = plan_ablation(demo(), "every-layer").notes
    assert "all 16 pairs" in note
    assert "the teacher's pool, which is its block3 and the student's pool, which is its block3" in note
    flat = demo().method.model_dump(mode="json") | {"pooling": "flatten"}
    plan = plan_ablation(demo(method=flat), "every-layer")
    assert len([variant for variant in plan.variants if variant.role == "contender"]) == 25
    deep = {"model": "resnet101"}, {"model": "resnet152"}
    pairs = [{"teacher": "conv1", "student": "conv1"}]
    with pytest.raises(InputError, match="1,734 pairs of layers, more than the 400"):
        plan_ablation(demo(teacher=deep[0], student=deep[1], method={"name": "bird", "pairs": pairs}), "every-layer")
