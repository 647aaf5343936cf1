"""The command line's contract: one JSON document on stdout, one sentence on stderr, exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bird_backend.cli import main
from bird_backend.runs.reading import read_predictions
from bird_backend.runs.store import RunStore
from tests.conftest import command, write_spec


def call(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    """The command in this process: exit code, stdout, stderr."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one sentence of a refusal."""
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, ""), err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("what", ["models", "datasets", "methods", "behaviours", "corruptions", "weights", "runs"])
def test_every_listing_is_one_json_array_and_a_table(capsys: pytest.CaptureFixture[str], what: str) -> None:
    code, out, err = call(capsys, "list", what, "--json")
    assert (code, err) == (0, "")
    assert isinstance(json.loads(out), list)
    assert call(capsys, "list", what)[0] == 0


def test_layers_are_named_in_order_with_shapes(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = call(capsys, "list", "layers", "resnet-narrow", "--json")
    layers = json.loads(out)
    assert (layers[0]["name"], layers[0]["shape"]) == ("stem", [16, 16, 16])
    assert [layer["name"] for layer in layers] == ["stem", "block1", "block2", "block3", "pool"]


def test_unknown_names_offer_the_closest(capsys: pytest.CaptureFixture[str]) -> None:
    assert "did you mean models" in refused(capsys, "list", "model")
    assert "did you mean" in refused(capsys, "list", "layers", "resnet-narow")
    assert "wants a model" in refused(capsys, "list", "layers")
    assert "No such command" in refused(capsys, "lst")
    assert "Unknown run" in refused(capsys, "status", "../../etc/passwd")
    assert "No such option" in refused(capsys, "list", "models", "--jsn")


def test_run_prints_the_summary_and_nothing_else(home: Path, tmp_path: Path, transfer_document: dict[str, Any]) -> None:
    spec = write_spec(tmp_path, transfer_document)
    result = command("run", str(spec), "--json", "--set", "title=From the shell", home=home)
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert (summary["state"], summary["method"], summary["kind"]) == ("done", "bird", "transfer")
    assert summary["after"] == "bird"
    figures = summary["figures"]
    assert list(figures) == ["before", "fine-tuning", "bird"]
    for model, found in figures.items():
        assert {"clean", "robust", "seen", "mce", "ece_clean", "ece_robust", "cka_before", "cka_after"} <= found.keys()
        assert not {"held_out", "pooled"} & found.keys(), "nothing held out was measured"
        for name, interval in found.items():
            assert interval.keys() == {"value", "low", "high", "n", "kind"}
            if name.startswith(("cka", "validation")):
                continue
            assert (interval["n"], "over images" in interval["kind"]) == (50, True)
        cells = summary["cells"][model]
        assert {name: list(row) for name, row in cells.items()} == {"contrast": ["1", "5"]}
        assert found["robust"]["value"] == pytest.approx(sum(cells["contrast"].values()) / 2)
    assert figures["before"]["mce"]["value"] == 1
    gain = figures["bird"]["gain"]
    assert gain["kind"] == "normal, over images"
    assert gain["value"] == pytest.approx(
        figures["bird"]["robust"]["value"] - figures["fine-tuning"]["robust"]["value"]
    )
    assert gain["low"] <= gain["value"] <= gain["high"]

    listed = json.loads(command("list", "runs", "--json", home=home).stdout)
    assert [run["title"] for run in listed] == ["From the shell"]
    status = json.loads(command("status", summary["run"], "--json", home=home).stdout)
    assert status["summary"] == summary


def test_a_run_that_breaks_exits_with_1_and_says_why(
    home: Path, tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    training = {"epochs": 300, "lr": 10.0, "weight_decay": 1.0, "momentum": 0.99}
    spec = write_spec(tmp_path, transfer_document | {"training": training})
    result = command("run", str(spec), "--json", home=home)
    assert result.returncode == 1
    document = json.loads(result.stdout)
    assert document["state"] == "failed"
    assert document["reason"].startswith("Training broke at step")
    assert "Traceback" not in result.stderr


def test_bad_specs_are_refused_before_a_run_exists(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    spec = write_spec(tmp_path, transfer_document)
    assert "no spec file" in refused(capsys, "run", tmp_path / "none.json")
    (tmp_path / "bad.json").write_text("{", "utf-8")
    assert "not valid JSON" in refused(capsys, "run", tmp_path / "bad.json")
    assert "method.beta" in refused(capsys, "run", spec, "--set", "method.beta=-0.5")
    assert "did you mean digits" in refused(capsys, "submit", spec, "--set", "data=digitz")
    assert "key=value" in refused(capsys, "run", spec, "--set", "seed")
    assert RunStore().list() == []


def test_a_batch_larger_than_the_data_fails_the_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    spec = write_spec(tmp_path, transfer_document)
    code, _, err = call(capsys, "run", spec, "--set", "training.batch_size=2000")
    assert code == 2
    assert "larger than the 1294 training images" in err
    run = RunStore().list()[0]
    assert run.state == "failed" and run.reason is not None and "1294" in run.reason


TEACHER = ("--weights", "digits-robust-teacher", "--data", "digits")


def test_evaluate_reads_weights_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = ("--conditions", "contrast,speckle_noise", "--strengths", "1,5", "--limit", "40")
    code, out, err = call(capsys, "evaluate", *TEACHER, *kinds, "--json")
    assert code == 0, err
    summary = json.loads(out)
    assert (summary["n_test"], summary["strengths"]) == (40, "Severities have CIFAR-C's constants.")
    found = {name: interval["value"] for name, interval in summary["figures"]["model"].items()}
    assert found["clean"] > 0.9
    cells = summary["cells"]["model"]
    assert {name: list(row) for name, row in cells.items()} == {"contrast": ["1", "5"], "speckle_noise": ["1", "5"]}
    assert found["seen"] == pytest.approx(sum(cells["contrast"].values()) / 2)
    assert found["held_out"] == pytest.approx(sum(cells["speckle_noise"].values()) / 2)
    assert summary["figures"]["model"]["ece_clean"]["n"] == 40
    code, out, _ = call(capsys, "status", summary["run"])
    assert code == 0 and "Held out, %" in out and "Pooled" not in out


def test_the_pooled_figure_is_named_as_the_references(capsys: pytest.CaptureFixture[str]) -> None:
    kinds = "speckle_noise,gaussian_blur,spatter,saturate"
    code, out, _ = call(capsys, "evaluate", *TEACHER, "--limit", "20", "--conditions", kinds)
    assert code == 0
    assert "Pooled, %" in out and "reference's pooled" in out and "a sixth of it clean" in out


def test_a_single_test_image_has_a_summary_too(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "evaluate", *TEACHER, "--limit", "1", "--conditions", "contrast", "--json")
    assert code == 0, err
    interval = json.loads(out)["figures"]["model"]["robust"]
    assert (interval["low"], interval["high"], interval["n"]) == (None, None, 1)


def test_corrupt_and_evaluate_agree_with_evaluating_on_the_fly(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder, kinds = tmp_path / "digits-c", ("--corruptions", "gaussian_noise,saturate", "--seed", "3")
    code, out, err = call(capsys, "corrupt", "digits", folder, *kinds, "--json")
    assert code == 0, err
    written = json.loads(out)
    assert written["files"] == ["gaussian_noise.npy", "saturate.npy", "labels.npy"]
    assert (written["images"], written["labels"]) == (359, True)
    assert np.load(folder / "saturate.npy").shape == (5 * 359, 32, 32, 3)
    assert np.load(folder / "labels.npy").shape == (5 * 359,)
    found = []
    for source in ((), ("--corrupted-dir", folder)):
        same = ("--conditions", *kinds[1:], *source)
        code, out, err = call(capsys, "evaluate", *TEACHER, *same, "--json")
        assert code == 0, err
        found.append(read_predictions(RunStore().get(json.loads(out)["run"]).directory))
    fly, read = found
    assert fly is not None and read is not None and fly.cells == read.cells
    np.testing.assert_array_equal(fly.predicted["model"], read.predicted["model"])
    np.testing.assert_array_equal(fly.confidence["model"], read.confidence["model"])
    assert "already; --overwrite" in refused_last(capsys, "corrupt", "digits", folder, *kinds)
    assert call(capsys, "corrupt", "digits", folder, *kinds, "--overwrite")[0] == 0

    code, _, err = call(capsys, "evaluate", *TEACHER, "--corrupted-dir", folder)
    assert code == 2 and "--conditions gaussian_noise,saturate." in err
    assert "not with a corrupted_dir" in refused(capsys, "evaluate", *TEACHER, "--corrupted-dir", folder, "--faithful")


def test_corrupt_takes_an_array_of_any_size(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 24, 40, 3), dtype=np.uint8)
    np.save(tmp_path / "x.npy", images)
    code, out, _ = call(
        capsys, "corrupt", tmp_path / "x.npy", tmp_path / "out", "--corruptions", "contrast", "--severities", "2-3"
    )
    assert code == 0 and "1 corruptions × 2 severities × 4 images" in out
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["contrast.npy"]
    found = np.load(tmp_path / "out" / "contrast.npy")
    assert found.shape == (8, 24, 40, 3)
    assert found[:4].std() > found[4:].std()


def test_corrupt_refuses_what_it_can_not_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path, out = tmp_path / "x.npy", tmp_path / "out"
    for array, message in (
        (np.zeros((2, 32, 32, 3)), "holds float64; images to corrupt are uint8"),
        (np.full((2, 32, 32, 3), np.nan, np.float32), "holds float32; images to corrupt are uint8"),
        (np.zeros((2, 3, 32, 32), np.uint8), "has the shape [2, 3, 32, 32]; images to corrupt are [N,H,W,3]"),
        (np.zeros((2, 32, 32), np.uint8), "[N,H,W,3]"),
        (np.zeros((0, 32, 32, 3), np.uint8), "nothing to corrupt"),
    ):
        np.save(path, array)
        assert message in refused(capsys, "corrupt", path, out)
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    assert "Python objects" in refused(capsys, "corrupt", path, out)
    path.write_text("hello", "utf-8")
    assert "is not a .npy file" in refused(capsys, "corrupt", path, out)
    assert "There is no file" in refused(capsys, "corrupt", tmp_path / "none.npy", out)
    np.save(path, np.zeros((2, 32, 32, 3), np.uint8))
    assert "did you mean contrast" in refused(capsys, "corrupt", path, out, "--corruptions", "contrst")
    assert "takes all, or names" in refused(capsys, "corrupt", path, out, "--corruptions", ",")
    for levels in ("0", "6", "1-6", "3-2", "x", "", "1,,2", "1.5"):
        assert "whole numbers from 1 to 5" in refused(capsys, "corrupt", path, out, "--severities", levels)
    assert "Unknown device 'gpu'" in refused(capsys, "corrupt", path, out, "--device", "gpu")
    assert "did you mean digits" in refused_last(capsys, "corrupt", "digit", out)
    assert not out.exists()


def refused_last(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The last line of a refusal after progress was told."""
    code, out, err = call(capsys, *arguments)
    assert (code, out) == (2, ""), err
    return err.splitlines()[-1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_bytes(b"\x80\x04" + b"." * 100), "pickle"),
        (lambda path: path.write_bytes(b"\x10"), "safetensors"),
        (lambda path: None, "no weights file"),
    ],
)
def test_weights_that_are_not(capsys: pytest.CaptureFixture[str], tmp_path: Path, make: Any, message: str) -> None:
    path = tmp_path / "w.safetensors"
    make(path)
    assert message in refused(capsys, "evaluate", "--weights", path, "--data", "digits")


def test_weights_of_another_architecture(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(
        capsys, "evaluate", "--weights", "digits-robust-teacher", "--model", "cnn-small", "--data", "digits"
    )
    assert code == 2
    assert "resnet-narrow" in err


def test_similarity(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(40, 6))
    np.save(tmp_path / "a.npy", x)
    np.save(tmp_path / "b.npy", (x * 3 + 1)[:, ::-1].reshape(40, 2, 3).astype(np.float32))
    code, out, _ = call(capsys, "similarity", tmp_path / "a.npy", tmp_path / "b.npy", "--json")
    document = json.loads(out)
    assert code == 0
    assert document["cka"] == pytest.approx(1, abs=1e-5)
    assert document["n"] == 40
    assert abs(document["null"]) < 0.15
    for options in (["--kernel", "rbf"], ["--estimator", "biased"]):
        assert call(capsys, "similarity", tmp_path / "a.npy", tmp_path / "b.npy", *options)[0] == 0

    np.save(tmp_path / "short.npy", x[:30])
    assert "same images" in refused(capsys, "similarity", tmp_path / "a.npy", tmp_path / "short.npy")
    np.save(tmp_path / "nan.npy", np.full((40, 2), np.nan))
    assert "not finite" in refused(capsys, "similarity", tmp_path / "a.npy", tmp_path / "nan.npy")
    np.save(tmp_path / "flat.npy", np.zeros(40))
    assert "[images, features]" in refused(capsys, "similarity", tmp_path / "a.npy", tmp_path / "flat.npy")
    np.save(tmp_path / "three.npy", x[:3])
    assert "at least 4" in refused(capsys, "similarity", tmp_path / "three.npy", tmp_path / "three.npy")
    (tmp_path / "text.npy").write_text("hello", "utf-8")
    assert "not a .npy" in refused(capsys, "similarity", tmp_path / "a.npy", tmp_path / "text.npy")
    np.save(tmp_path / "objects.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    assert "not a .npy" in refused(capsys, "similarity", tmp_path / "a.npy", tmp_path / "objects.npy")
    assert "no file" in refused(capsys, "similarity", tmp_path / "a.npy", tmp_path / "none.npy")
    assert "valid: linear, rbf" in refused(
        capsys, "similarity", tmp_path / "a.npy", tmp_path / "a.npy", "--kernel", "cosine"
    )


def test_home_comes_from_the_option(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "one"))
    assert call(capsys, "list", "runs", "--home", tmp_path / "two", "--json")[0] == 0
    assert (tmp_path / "two" / "runs.sqlite").exists()
    assert not (tmp_path / "one").exists()
    (tmp_path / "file").write_text("", "utf-8")
    assert "can't be made" in refused(capsys, "list", "runs", "--home", tmp_path / "file" / "home")


def test_a_zip_that_can_not_be_used_fails_the_run_with_the_reason(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, transfer_document: dict[str, Any]
) -> None:
    path = tmp_path / "one.zip"
    Image.new("RGB", (32, 32)).save(tmp_path / "x.png")
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(9):
            archive.write(tmp_path / "x.png", f"cats/{index}.png")
    spec = write_spec(tmp_path, transfer_document | {"data": f"zip:{path}"})
    code, _, err = call(capsys, "run", spec)
    assert code == 2
    assert "class" in err
    run = RunStore().list()[0]
    assert run.state == "failed" and run.reason is not None and "class" in run.reason


def test_weights_for_other_classes_are_not_measured(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "evaluate", "--weights", "fashion-student", "--data", "digits")
    assert code == 2
    assert "not those of digits" in err
