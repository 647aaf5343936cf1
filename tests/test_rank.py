"""Ranking teachers: what layers are scored by, against loops over the images; the table, the cache, what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression

from bird_backend import runs, settings
from bird_backend.activations import capture_activations
from bird_backend.attributes import ChangedImages, Sample, profile_network
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.behaviours.trial import Trial
from bird_backend.cli import main
from bird_backend.datasets import Dataset, load_dataset, normalise
from bird_backend.errors import InputError, RunError
from bird_backend.experiments import RankSpec, load_spec
from bird_backend.experiments.rank.words import rank
from bird_backend.jobs.process import perform
from bird_backend.measures import rounded
from bird_backend.measures.attributes import ATTRIBUTES
from bird_backend.models import build_model
from bird_backend.runs.feature_cache import FeatureCache, free_features, list_features
from bird_backend.runs.scores import PAIR, SCORE_COLUMNS, read_answers, read_ranking, read_scores, widen
from bird_backend.similarity import cka
from tests.conftest import ROOT
from tests.pages import show, words

CONDITIONS = ["contrast", "gaussian_noise"]


@pytest.fixture
def document() -> dict[str, Any]:
    """Two teachers on the digits, two cells, in a second."""
    return {
        "kind": "rank",
        "data": "digits",
        "teachers": [
            {"model": "resnet-narrow", "weights": "digits-robust-teacher", "layers": ["block1", "stem"]},
            {"model": "cnn-small", "layers": ["block3"]},
        ],
        "student": {"model": "cnn-small", "layers": ["block1"]},
        "behaviour": {"name": "corruptions", "conditions": CONDITIONS, "strengths": [4]},
        "images": 60,
        "training_images": 100,
        "device": "cpu",
    }


def done(document: dict[str, Any]) -> runs.Run:
    """A run done in this process."""
    run = runs.RunStore().create(load_spec(document), state="running", device="cpu")
    perform(run.id, device="cpu")
    return runs.RunStore().get(run.id)


def named(weights: Path, layer: str) -> dict[str, Any]:
    return {"model": "resnet-narrow", "weights": str(weights), "layers": [layer]}


def table(run: runs.Run) -> pd.DataFrame:
    found = read_scores(run.directory)
    assert found is not None
    return found


def changed_images(
    data: Dataset, held_out: Sample, behaviour: str = "corruptions", **given: Any
) -> tuple[Trial, ChangedImages]:
    asked = {"name": behaviour, "conditions": CONDITIONS, "strengths": [2, 5], **given}
    trial = Trial(settings=BEHAVIOURS.find(behaviour).settings.model_validate(asked), seed=3)
    about = {"name": data.name, "network": "", "images": len(held_out)}
    return trial, ChangedImages(held_out, trial, FeatureCache().open("changed", "k", about))


def test_one_pass_gives_what_loops_over_images_and_cells_give() -> None:
    data = load_dataset("digits")
    train, held_out = Sample.of(data.train, 10, 150), Sample.of(data.validation, 10, 40)
    network = build_model("cnn-small", classes=4, seed=1)
    network.train()
    trial, changed = changed_images(data, held_out)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = profile_network(network, ["block1", "pool"], train=train, held_out=held_out, changed=changed, classes=10)[
        "block1"
    ]
    assert network.training, "left in the mode that it was in"
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    network.eval()

    def features(image: torch.Tensor) -> np.ndarray:
        with torch.no_grad(), capture_activations(network, ["block1"]) as captured:
            network(normalise(image[None]))
        return captured["block1"].mean((2, 3))[0].numpy()

    clean = np.stack([features(data.validation.images[row]) for row in held_out.rows])
    images = data.validation.images[held_out.rows]
    cells = [np.stack([features(image) for image in trial.batch(images, cell, 0)]) for cell in trial.cells[1:]]
    assert len(cells) == 4
    for name, expected in (
        ("clean", clean),
        ("least", np.min(cells, axis=0)),
        ("largest", np.max(cells, axis=0)),
        ("mean", np.mean(cells, axis=0)),
    ):
        np.testing.assert_allclose(getattr(found.responses, name).numpy(), expected, atol=1e-4)
    alike = [float(cka(torch.from_numpy(clean), torch.from_numpy(cell))) for cell in cells]
    assert found.stability == pytest.approx(np.mean(alike), abs=1e-4)
    assert found.parameters == sum(value.numel() for value in network.parameters())

    fitted = np.stack([features(data.train.images[row]) for row in train.rows])
    theirs = LogisticRegression(C=found.probe.C, tol=1e-8, max_iter=10_000)
    deviation = np.where(fitted.std(0) > 1e-6, fitted.std(0), 1)
    theirs.fit((fitted - fitted.mean(0)) / deviation, train.labels.numpy())
    assert (found.predicted.numpy() == theirs.predict((clean - fitted.mean(0)) / deviation)).mean() > 0.97


def test_a_sample_begins_evenly_and_attacks_need_no_head_for_its_classes() -> None:
    data = load_dataset("digits")
    held_out = Sample.of(data.validation, 10, 20)
    assert torch.bincount(held_out.labels).tolist() == [2] * 10
    _, changed = changed_images(data, held_out, "adversarial", conditions=["fgsm"], strengths=[5])
    networks = [build_model("cnn-small", classes=3, seed=seed).eval() for seed in (0, 1)]
    one, other = (torch.cat(list(changed.batches(("fgsm", 5), network))) for network in networks)
    assert one.shape == other.shape == (20, 3, 32, 32)
    assert not torch.equal(one, other), "each is attacked itself"
    assert list_features() == [], "and what only one network is shown isn't kept"


def test_the_table_has_every_score_with_its_interval_and_random_weights_beside_it(document: dict[str, Any]) -> None:
    run = done(document)
    scores = table(run)
    assert list(scores.columns) == list(SCORE_COLUMNS)
    wide, random = widen(scores), widen(scores, part="random")
    assert wide[list(PAIR)].to_numpy().tolist() == [
        ["digits-robust-teacher", "block1", "random Small CNN", "block1"],
        ["digits-robust-teacher", "stem", "random Small CNN", "block1"],
        ["random Small CNN", "block3", "random Small CNN", "block1"],
    ]
    stated = wide["teacher_robust_accuracy"]
    assert stated.notna().tolist() == [True, True, False], "random weights have no head that was measured"
    for name in ATTRIBUTES:
        assert wide[name].notna().sum() == (2 if name == "teacher_robust_accuracy" else 3), name
    assert (wide["usefulness"] == wide["usefulness_min_mean"]).all()
    assert (wide["usefulness_min_mean"] <= wide["usefulness_mean_mean"]).all()
    shares = scores[scores["attribute"].isin(["probe_accuracy", "complementary_knowledge"])]
    assert set(shares["interval"]) == {"Wilson, over images"} and set(shares["n"]) == {60}
    known = scores[~scores["interval"].str.startswith("no interval")]
    assert ((known["low"] <= known["value"]) & (known["value"] <= known["high"])).all()
    assert random["probe_accuracy"][2] == wide["probe_accuracy"][2], "a random teacher is its own control"
    assert random["probe_accuracy"][0] != wide["probe_accuracy"][0]

    assert run.summary is not None
    ranking = run.summary["ranking"]
    assert [entry["rank"] for entry in ranking] == [1, 2, 3]
    assert [entry["scores"]["usefulness"]["value"] for entry in ranking] == sorted(wide["usefulness"], reverse=True)
    assert ranking[0]["why"].startswith("High: ") and ranking[-1]["why"].startswith("Low: ")
    assert read_ranking(run.directory) == ranking
    order = np.argsort(np.argsort(wide["usefulness"]))
    others = {
        option: spearmanr(order, wide[f"usefulness_{option}"]).statistic
        for option in ("min_max", "min_probe_weighted", "mean_mean", "mean_max", "mean_probe_weighted")
    }
    said = " ".join(run.summary["remarks"])
    assert f"rank correlations are from {rounded(min(others.values()), 2)}" in said
    assert f"to {rounded(max(others.values()), 2)}" in said
    page = show("live", run=run.id)
    assert not page.exception
    assert "High: its features say" in words(page)
    assert page.dataframe[0].value["teacher"].tolist() == [entry["teacher"] for entry in ranking]

    answers = read_answers(run.directory)
    assert answers is not None and answers.predicted.shape == (4, 60)
    data = load_dataset("digits")
    assert (answers.labels == data.validation.labels[answers.images].numpy()).all()
    taught = answers.known_to("digits-robust-teacher", "block1", "random Small CNN", "block1")
    assert len(taught) == round(60 * wide["complementary_knowledge"][0])
    alone = answers.known_to("digits-robust-teacher", "block1", "random Small CNN", "block1", alone=True)
    assert set(alone) <= set(taught)
    assert len(answers.pictures) == len(answers.shown) > 0
    with pytest.raises(InputError, match="no probe on layer block3"):
        answers.of("digits-robust-teacher", "block3")


def test_what_is_kept_gives_the_same_table_and_is_listed_and_freed(
    document: dict[str, Any], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = table(done(document))
    kept = list_features()
    assert {(entry.part, entry.network) for entry in kept} == {
        ("changed", ""),
        ("features", "random Small CNN"),
        ("features", "random Narrow ResNet"),
        ("features", "digits-robust-teacher"),
    }
    with monkeypatch.context() as patch:
        patch.setattr("bird_backend.experiments.profiles.profile_network", lambda *_, **__: pytest.fail("again"))
        pd.testing.assert_frame_equal(table(done(document)), first)
    for file in settings.cache_dir().rglob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:100])
    for file in settings.cache_dir().rglob("*.npy"):
        file.write_bytes(b"half")
    pd.testing.assert_frame_equal(table(done(document)), first)

    assert main(["cache", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert sorted(entry["part"] for entry in listed) == ["changed", *["features"] * (len(listed) - 1)]
    assert main(["cache"]) == 0
    assert "changed images" in capsys.readouterr().out
    assert main(["cache", "--free", listed[0]["key"]]) == 0
    assert len(list_features()) == len(kept) - 1
    assert main(["cache", "--free", "digits"]) == 0
    assert list_features() == free_features("all") == []


def test_the_longest_unused_makes_room_for_what_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_FEATURE_CACHE", "1")

    def keep(cache: FeatureCache, key: str, size: int, name: str = "a") -> None:
        about = {"name": "digits", "network": key, "images": 1}
        cache.open("features", key, about).keep(name, size, lambda file: file.write(bytes(size)), "Keeping it")  # type: ignore[arg-type, return-value]

    for age, key in ((30, "middle"), (90, "oldest"), (10, "newest")):
        keep(FeatureCache(), key, 300_000)
        about = settings.cache_dir() / "features" / key / "about.json"
        os.utime(about, (time.time() - age, time.time() - age))
    cache = FeatureCache()
    cache.open("features", "oldest", {})  # used, so it is the newest now
    keep(cache, "next", 300_000)
    assert {entry.key for entry in list_features()} == {"oldest", "newest", "next"}
    with pytest.raises(InputError, match=r"Keeping it would take 2\.0 MB, more than the 1\.0 MB"):
        keep(cache, "huge", 2_000_000)
    for name in "bc":
        keep(cache, "next", 200_000, name)
    assert {entry.key for entry in list_features()} == {"oldest", "next"}
    with pytest.raises(InputError, match=r"Keeping it and what else is computed here would take"):
        keep(cache, "next", 400_000, "d")
    monkeypatch.setattr("bird_backend.runs.feature_cache._MARGIN", 10**18)
    with pytest.raises(RunError, match=r"the disk of .* has .* left; free some room"):
        keep(cache, "next", 100)


def test_images_that_do_not_fit_are_a_sentence_before_anything_is_done(
    document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BIRD_FEATURE_CACHE", "0.1")
    with pytest.raises(InputError, match=r"Keeping the changed images would take 0\.4 MB, more than the 0\.1 MB"):
        done(document)
    monkeypatch.setenv("BIRD_FEATURE_CACHE", "much")
    with pytest.raises(InputError, match="number of MiB, not 'much'"):
        done(document)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"student": {"model": "resnet-narrow", "weights": "digits-robust-teacher"}},
            "digits-robust-teacher is the student",
        ),
        ({"teachers": []}, "teachers"),
        ({"teachers": [{"model": "cnn-small"}, {"model": "cnn-small"}]}, "two teachers are called random Small CNN"),
        ({"behaviour": {"name": "corruptions", "conditions": []}}, "needs at least one corruption"),
        ({"behaviour": {"name": "corruptions", "corrupted_dir": "there"}}, "a corrupted_dir holds test images"),
        ({"images": 3}, "images"),
    ],
)
def test_what_a_spec_can_not_ask_for_is_a_sentence(
    document: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        load_spec(document | change)


def test_an_unknown_layer_and_a_student_by_another_name_are_sentences(document: dict[str, Any], home: Path) -> None:
    wrong = [{"model": "cnn-small", "layers": ["blok1"]}]
    with pytest.raises(InputError, match=r"random Small CNN: Unknown layer of cnn-small 'blok1': did you mean block1"):
        done(document | {"teachers": wrong})
    source = ROOT / "assets/checkpoints/digits-robust-teacher.safetensors"
    (home / "checkpoints").mkdir()
    (home / "checkpoints/copy.safetensors").write_bytes(source.read_bytes())
    student = {"model": "resnet-narrow", "weights": "copy"}
    with pytest.raises(InputError, match="digits-robust-teacher is the student: it has the weights of copy"):
        done(document | {"student": student})


def test_classes_without_a_held_out_image_and_constant_features_are_said(document: dict[str, Any], home: Path) -> None:
    source = load_file(ROOT / "assets/checkpoints/digits-robust-teacher.safetensors")
    (home / "checkpoints").mkdir(parents=True)
    dead = {name: value.clone() for name, value in source.items()}
    for name, value in dead.items():
        if name.startswith("stem") and name.endswith(("weight", "bias")) and value.ndim == 1:
            value[:3] = -100.0 if name.endswith("bias") else 0.0
    save_file(dead, home / "checkpoints/dead.safetensors")
    teachers = [named(home / "checkpoints/dead.safetensors", "stem")]
    run = done(document | {"teachers": teachers, "images": 8})
    assert run.summary is not None
    said = " ".join(run.summary["remarks"])
    assert "constant on training images count as useless: 3 of 16 in stem of dead" in said
    assert "No held-out image is of" in said and "usefulness goes by the other 8 classes" in said


def test_the_command_prints_a_table_or_one_document(
    document: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "rank.json"
    spec.write_text(json.dumps({key: value for key, value in document.items() if key != "kind"}))
    assert main(["rank", str(spec), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert {row["attribute"] for row in printed["scores"]} == set(ATTRIBUTES)
    assert any(row["low"] is None for row in printed["scores"])
    assert main(["rank", str(spec)]) == 0
    said = capsys.readouterr().out
    assert "Complementary knowledge" in said and "Last, " not in said
    asked: list[RankSpec] = []
    monkeypatch.setattr("bird_backend.cli.rank_commands.perform_here", lambda spec, **_: asked.append(spec))
    assert main(["rank", str(spec), "--every", "--set", "student.weights=fashion-student"]) == 0
    assert {"digits-robust-teacher", "digits-geometric-teacher"} <= {teacher.title for teacher in asked[0].teachers}
    assert "fashion-student" not in {teacher.title for teacher in asked[0].teachers}
    spec.write_text(json.dumps({"kind": "examine", "model": {"model": "cnn-small"}}))
    assert main(["rank", str(spec)]) == 2
    assert "not for a ranking" in capsys.readouterr().err


def test_a_killed_ranking_goes_on_with_the_networks_that_it_has_seen(document: dict[str, Any]) -> None:
    """Killed for real, while it works on the third of four networks; the first two are never looked at again."""
    expected = table(done(document))
    free_features("all")
    run = runs.RunStore().create(load_spec(document), state="running", device="cpu")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    code = f"""
import bird_backend.experiments.profiles as profiles
seen, profile = [], profiles.profile_network
def slow(*args, **kwargs):
    seen.append(1)
    if len(seen) == 3:
        print("third", flush=True)
        import time; time.sleep(60)
    return profile(*args, **kwargs)
profiles.profile_network = slow
from bird_backend.jobs.process import perform
perform({run.id!r}, device="cpu")
"""
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stderr=subprocess.PIPE)
    assert child.stderr is not None
    until(lambda: b"third" in child.stderr.readline())
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stderr.close()
    seen = len([entry for entry in list_features() if entry.part == "features"])
    assert seen == 2
    perform(run.id, device="cpu")
    pd.testing.assert_frame_equal(table(runs.RunStore().get(run.id)), expected)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline


def test_a_spec_is_about_the_networks_it_names(document: dict[str, Any]) -> None:
    spec = load_spec(document)
    assert isinstance(spec, RankSpec)
    assert dict(runs.identity.identify(spec).weights).keys() == {"digits-robust-teacher"}
    assert runs.RunStore().create(spec, state="queued").title == "2 teachers for random Small CNN on Digits"


def test_a_layer_worse_than_random_weights_is_said_to_be() -> None:
    rows = [
        (
            "t",
            layer,
            "s",
            "g",
            name,
            option,
            value,
            value - 0.1,
            value + 0.1,
            50,
            "bootstrap, over images",
            0.0,
            -0.1,
            0.1,
        )
        for layer, value in (("a", 0.5), ("b", 0.05), ("c", -0.5))
        for name, option in (
            ("complementary_knowledge", ""),
            *(("usefulness", option) for option in ("min_mean", "clean_mean")),
        )
    ]
    entries = rank(pd.DataFrame(rows, columns=list(SCORE_COLUMNS)), "min_mean", BEHAVIOURS["corruptions"].words)
    assert ["(random weights 0.000)" in entries[0]["why"], "no difference beyond noise" in entries[1]["why"]] == [
        True
    ] * 2
    assert "to −0.500 (random weights 0.000, which is more)" in entries[2]["why"]
