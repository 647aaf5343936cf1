"""Transfers as runs: who starts with which weights, the controls, what is measured, and what is refused beforehand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from bird_backend import runs, settings
from bird_backend.datasets import Dataset
from bird_backend.errors import InputError
from bird_backend.experiments import TransferSpec, load_spec, override
from bird_backend.experiments.augmenting import TrainingImages
from bird_backend.experiments.execute import execute
from bird_backend.experiments.networks import keep
from bird_backend.experiments.transfer.cast import Cast
from bird_backend.models import build_model, load_model
from bird_backend.runs.provenance import Provenance
from bird_backend.runs.queue import submit
from bird_backend.runs.writing import RunWriter
from bird_backend.specs import ModelRef
from bird_backend.training import Batch, Classification
from bird_backend.transfer import METHODS
from bird_backend.transfer.fine_tuning import FineTuningSettings
from tests.learnable import blobs

NAMES = ("a", "b", "c", "d")
CPU = torch.device("cpu")
LAYERED = [name for name, facts in METHODS.items() if facts.matches_layers]
STARTING = [name for name, facts in METHODS.items() if facts.may_start_from_teacher]


def data() -> Dataset:
    split = blobs()
    return Dataset(name="blobs", classes=NAMES, train=split, validation=split, test=split)


def make(name: str, model: str, classes: tuple[str, ...], *, seed: int, of: str = "blobs") -> None:
    """Weights in the test's home, with batch statistics that no new network has."""
    network = build_model(model, classes=len(classes), seed=seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean += seed  # type: ignore[operator]
    provenance = Provenance(
        model=model,
        classes=classes,
        data=of,
        recipe={},
        seed=seed,
        clean_accuracy=None,
        n_test=0,
        code_version="0",
        created="2026-01-01T00:00:00Z",
        role="teacher",
    )
    keep(name, network, provenance)


def spec_of(method: dict[str, Any] | str, **changes: Any) -> TransferSpec:
    """A transfer from `teach` (seven classes) to `learn` (four), both small CNNs."""
    method = {"name": method} if isinstance(method, str) else method
    if method["name"] in LAYERED:
        method = {"pairs": [{"teacher": "block2", "student": "block3"}]} | method
    document = {
        "kind": "transfer",
        "data": "digits",
        "teacher": {"model": "cnn-small", "weights": "teach"},
        "student": {"model": "cnn-small", "weights": "learn"},
        "method": method,
    }
    spec = load_spec(document | changes)
    assert isinstance(spec, TransferSpec)
    return spec


@pytest.fixture
def saved_weights(home: Any) -> None:
    make("teach", "cnn-small", tuple("1234567"), seed=5)
    make("learn", "cnn-small", NAMES, seed=6)


def weights(name: str) -> dict[str, Tensor]:
    network, _ = load_model(ModelRef(model="cnn-small", weights=name), classes=None, seed=0)
    return network.state_dict()


def same(network: nn.Module, tensors: dict[str, Tensor], *, but: str = "-") -> bool:
    return all(torch.equal(tensor, tensors[k]) for k, tensor in network.state_dict().items() if not k.startswith(but))


@pytest.mark.usefixtures("saved_weights")
@pytest.mark.parametrize("method", STARTING)
def test_a_start_from_the_teacher_is_its_network_with_a_new_head(method: str) -> None:
    spec = spec_of({"name": method, "start": "teacher"})
    cast = Cast(spec, data(), CPU)
    student, _ = cast.begin(spec.method)
    assert spec.start == "teacher"
    assert same(student, weights("teach"), but="classifier.")
    assert student.get_parameter("classifier.weight").shape == (4, 64)
    assert same(cast.teacher, weights("teach")) and same(cast.before, weights("learn"))
    again, _ = Cast(spec, data(), CPU).begin(spec.method)
    assert same(again, student.state_dict())
    other, _ = Cast(spec.model_copy(update={"seed": 1}), data(), CPU).begin(spec.method)
    assert not torch.equal(other.get_parameter("classifier.weight"), student.get_parameter("classifier.weight"))
    if method != "fine-tuning":
        twin, _ = cast.begin(FineTuningSettings())
        assert same(twin, weights("learn")), "fine-tuning to beat begins with the student's own"


@pytest.mark.usefixtures("saved_weights")
@pytest.mark.parametrize("method", [name for name, facts in METHODS.items() if facts.trains])
def test_every_method_but_the_probes_and_lwf_starts_from_the_student(method: str) -> None:
    spec = spec_of(method, teacher={"model": "cnn-small"})
    student, _ = Cast(spec, data(), CPU).begin(spec.method)
    expected = "teacher" if method in ("linear-probe", "lp-ft", "lwf-features", "lwf-logits") else "student"
    assert spec.start == expected
    assert same(student, weights("learn")) == (expected == "student")
    if method in STARTING:
        own = spec_of({"name": method, "start": "student"})
        assert own.start == "student"
        assert same(Cast(own, data(), CPU).begin(own.method)[0], weights("learn"))


def test_auto_starts_from_the_student_where_architectures_differ() -> None:
    for method in STARTING:
        spec = spec_of({"name": method, "start": "auto"}, teacher={"model": "vit-tiny", "weights": "teach"})
        assert spec.start == "student"


@pytest.mark.usefixtures("saved_weights")
def test_what_an_lwf_student_began_as_is_what_it_is_held_against() -> None:
    batch = blobs().images[:8].float() / 64 - 2
    for start, name in (("teacher", "teach"), ("student", "learn")):
        spec = spec_of({"name": "lwf-logits", "start": start})
        student, built = Cast(spec, data(), CPU).begin(spec.method)
        head = weights(name)
        assert torch.equal(built.get_parameter("old_head.weight"), head["classifier.weight"])
        before, _ = load_model(ModelRef(model="cnn-small", weights=name), classes=None, seed=0)
        expected = before.eval()(batch)
        student.eval().classifier = built.get_submodule("old_head")
        torch.testing.assert_close(student(batch), expected)


@pytest.mark.usefixtures("saved_weights")
def test_a_random_teacher_is_of_its_kind_and_knows_nothing_of_the_weights() -> None:
    spec = spec_of("bird", control="random-weights")
    teachers = [Cast(spec.model_copy(update={"seed": seed}), data(), CPU).teacher for seed in (0, 0, 1)]
    assert same(teachers[0], teachers[1].state_dict())
    key = "classifier.weight"
    assert teachers[0].get_parameter(key).shape == (4, 64)
    assert not torch.equal(teachers[0].get_parameter(key), teachers[2].get_parameter(key))
    assert not same(teachers[0], weights("teach"), but="classifier.")


@pytest.mark.usefixtures("saved_weights")
def test_at_the_same_alpha_the_task_s_loss_is_left_alone_and_as_small() -> None:
    split, gradients = blobs(20), []
    batch = Batch(inputs=split.images.float(), targets=split.labels)
    for method, control in (({"name": "bird", "alpha": 0.25}, "same-alpha"), ({"name": "fine-tuning"}, "none")):
        spec = spec_of(method, control=control)
        student, built = Cast(spec, data(), CPU).begin(spec.method)
        assert same(student, weights("learn"))
        built.losses(student.eval(), batch, Classification())["loss"].backward()
        gradients.append([parameter.grad for parameter in student.parameters()])
    for ours, theirs in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, 0.25 * theirs)
    with pytest.raises(InputError, match="here alpha is 0"):
        spec_of({"name": "bird", "alpha": 0.0}, control="same-alpha")


def test_a_teacher_and_a_student_without_weights_are_two_networks() -> None:
    cast = Cast(spec_of("bird", teacher={"model": "cnn-small"}, student={"model": "cnn-small"}), data(), CPU)
    assert not torch.equal(
        cast.teacher.get_parameter("classifier.weight"), cast.before.get_parameter("classifier.weight")
    )


@pytest.mark.usefixtures("saved_weights")
def test_a_shuffled_teacher_is_the_teacher_in_another_order() -> None:
    values = []
    split = blobs(20)
    batch = Batch(inputs=split.images.float(), targets=split.labels)
    for control in ("none", "shuffled-batch"):
        spec = spec_of("bird", control=control, student={"model": "cnn-small", "weights": "learn"})
        cast = Cast(spec, data(), CPU)
        assert same(cast.teacher, weights("teach"))
        _, built = cast.begin(spec.method)
        torch.manual_seed(0)
        values.append(built._teacher.outputs(batch))  # type: ignore[union-attr, operator]
    torch.testing.assert_close(values[0].sort(dim=0).values, values[1].sort(dim=0).values)
    assert not torch.allclose(values[0], values[1])


@pytest.mark.parametrize("method", ["none", "lwf-logits", "oracle"])
def test_a_run_says_how_it_started_and_what_it_trained(transfer_document: dict[str, Any], method: str) -> None:
    document = transfer_document | {"method": {"name": method}}
    document["training"] = document["training"] | {"epochs": 1}
    document["drawn"] = {"teacher": "block1", "student": "block2"}
    run = runs.RunStore().create(load_spec(document))
    summary = execute(run.spec, RunWriter(run.directory))
    assert (summary["method"], summary["control"]) == (method, "none")
    assert summary["start"] == ("teacher" if method == "lwf-logits" else "student")
    trained = [] if method == "none" else [method, "fine-tuning"]
    frame = runs.read_metrics(run.directory)
    assert list(dict.fromkeys(frame["arm"] if not frame.empty else [])) == trained
    kept = {path.stem for path in run.directory.artifacts.glob("student-*.safetensors")}
    assert kept == {f"student-{name}" for name in trained}
    figures = summary["figures"]
    assert (list(figures), summary["after"]) == (["before", *trained[::-1]], method if trained else "before")
    assert "gain" in figures[summary["after"]] or method == "none"
    # What a run began as is its own step 0, whoever's weights those are.
    drawn = frame[(frame["type"] == "snapshot") & (frame["step"] == 0)].set_index("arm")["cka"] if trained else {}
    for name in trained:
        assert figures[name]["cka_before"]["value"] == pytest.approx(drawn[name], abs=1e-6)
        rows = frame[(frame["arm"] == name) & (frame["type"] == "epoch")]
        assert figures[name]["validation"]["value"] == pytest.approx(rows["validation_accuracy"].iloc[-1])
        assert figures[name]["validation_best"]["value"] == pytest.approx(rows["validation_accuracy"].max())
        assert figures[name]["validation_robust"]["value"] == pytest.approx(rows["robust_accuracy"].iloc[-1])
    untouched = figures["before"]["cka_before"]["value"]
    assert figures["before"]["cka_after"]["value"] == untouched
    if summary["start"] == "teacher":
        assert figures[method]["cka_before"]["value"] != pytest.approx(untouched, abs=1e-3)


def test_an_oracle_trains_on_corrupted_images_and_its_twin_on_clean_ones(
    transfer_document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Tensor] = {}

    def look(student: nn.Module, _method: Any, source: TrainingImages, _training: Any, **how: Any) -> None:
        generators = {name: torch.Generator().manual_seed(0) for name in ("generator", "cpu_generator")}
        seen[how["observer"].name] = source.batch(torch.arange(64), **generators, student=student, progress=0.0).inputs
        seen["clean"] = source.sample(student, 64).inputs

    monkeypatch.setattr("bird_backend.experiments.transfer.execute.train", look)
    document = transfer_document | {"method": {"name": "oracle"}}
    document["training"] = document["training"] | {"shift": False, "mirror": False}
    run = runs.RunStore().create(load_spec(document))
    execute(run.spec, RunWriter(run.directory))
    assert torch.equal(seen["fine-tuning"], seen["clean"])
    changed = (seen["oracle"] != seen["clean"]).flatten(1).any(1)
    assert 0.6 < float(changed.float().mean()) < 1, "a sixth are at severity 0"


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        (
            ['method={"name":"lp-ft","start":"teacher"}', "teacher.model=vit-tiny"],
            "Starting from the teacher needs",
        ),
        (['method={"name":"fine-tuning"}', "control=shuffled-batch"], "The control shuffled-batch is for methods that"),
        (['method={"name":"oracle"}', "control=random-weights"], "which Oracle does not"),
        (["control=shufled"], "control: input should be 'none', 'random-weights', 'shuffled-batch' or 'same-alpha'"),
        (
            ["teacher.weights=x", "student.weights=x"],
            "Teacher and student are the same network",
        ),
        (["method.name=hints", "method.pooling=flatten", "method.pairs.0.student=pool"], "A projection between block1"),
        (
            [
                "teacher.model=resnet18",
                "student.model=resnet18",
                'method={"name":"hints","pooling":"flatten","pairs":[{"teacher":"conv1","student":"conv1"}]}',
            ],
            "would have 4,294,967,296 weights",
        ),
        (["method.name=rkd", "training.batch_size=513"], "make the batch 512 or less"),
        (['method={"name":"soft-labels","alpha":0,"beta":0}'], "nothing to minimise"),
        (['method={"name":"soft-labels","temperature":0}'], "method.temperature"),
        (['method={"name":"lp-ft","share":1}'], "method.share"),
        (['method={"name":"none","start":"teacher"}'], "unknown field method.start"),
        (['method={"name":"pkt"}'], "The spec lacks method.pairs"),
        (["method.name=rkd", "method.pairs.0.teacher=blok1"], "did you mean block1"),
        (["method.weighting=lerned"], "method.weighting"),
        (["drawn.teacher=block1", "drawn.student=x"], "Unknown layer of cnn-small 'x'"),
    ],
)
def test_what_can_not_be_is_one_sentence(transfer_document: dict[str, Any], settings_: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        load_spec(override(transfer_document, settings_))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_flattened_maps_of_one_rank_and_pooled_ones_of_two_can_be_projected() -> None:
    for pooling, student in (("flatten", "block3"), ("mean", "pool")):
        pairs = [{"teacher": "block2", "student": student}]
        random = {"model": "cnn-small"}
        spec = spec_of({"name": "hints", "pooling": pooling, "pairs": pairs}, teacher=random, student=random)
        built = Cast(spec, data(), CPU).begin(spec.method)[1]
        shape = (64 * 16, 64 * 4) if pooling == "flatten" else (64, 64)
        assert built.get_parameter("regressors.0.weight").shape == shape


def test_one_network_under_two_names_is_still_one() -> None:
    asset = settings.ASSETS / "checkpoints" / "fashion-student.safetensors"
    spec = spec_of(
        "fine-tuning",
        data="fashion-mnist-small",
        teacher={"model": "resnet-narrow", "weights": str(asset)},
        student={"model": "resnet-narrow", "weights": "fashion-student"},
    )
    with pytest.raises(InputError, match="same network with the same weights"):
        submit(spec)
    assert not runs.RunStore().list()


def test_soft_labels_of_other_classes_are_refused_before_they_are_queued() -> None:
    spec = spec_of(
        "soft-labels",
        data="fashion-mnist-small",
        teacher={"model": "resnet-narrow", "weights": "digits-robust-teacher"},
        student={"model": "resnet-narrow", "weights": "fashion-student"},
    )
    with pytest.raises(InputError, match="knows the 10 classes of Digits, not those of Fashion-MNIST, small"):
        submit(spec)
    assert not runs.RunStore().list()
    submit(spec.model_copy(update={"control": "random-weights"}))


@pytest.mark.usefixtures("saved_weights")
def test_soft_labels_of_another_number_of_classes_end_the_run_at_its_start(home: Any) -> None:
    with pytest.raises(InputError, match="knows the 7 classes of blobs"):
        Cast(spec_of("soft-labels"), data(), CPU)
    nameless = home / "checkpoints" / "nameless.safetensors"
    save_file(build_model("cnn-small", classes=7, seed=0).state_dict(), nameless)
    spec = spec_of("soft-labels", teacher={"model": "cnn-small", "weights": str(nameless)})
    with pytest.raises(InputError, match=r"knows 7 and digits has 4, so choose another teacher"):
        Cast(spec, data(), CPU)
