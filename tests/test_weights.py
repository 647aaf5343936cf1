"""Weights come back bit by bit with their provenance; every file that isn't right is refused in one sentence."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from bird_backend import settings
from bird_backend.errors import InputError, RunError, UnknownNameError
from bird_backend.models import build_model
from bird_backend.models.weights import load_model, save_weights
from bird_backend.runs.provenance import (
    Provenance,
    find_weights,
    list_weights,
    read_header,
    read_provenance,
)
from bird_backend.specs import ModelRef

PROVENANCE = Provenance(
    model="cnn-small",
    classes=("ape", "bee", "été"),
    data="zip:animals.zip",
    recipe={"kind": "pretrain", "training": {"epochs": 3, "lr": 0.05}},
    seed=7,
    clean_accuracy=0.75,
    robust_accuracy=None,
    n_test=400,
    code_version="0.1.0",
    created="2026-01-02T03:04:05Z",
    role="student",
)


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(settings, "ASSETS", tmp_path / "assets")


@pytest.fixture
def model() -> nn.Module:
    model = build_model("cnn-small", classes=3, seed=3)
    model(torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)))  # moves the BatchNorm buffers
    return model


@pytest.fixture
def path(tmp_path: Path, model: nn.Module) -> Path:
    path = tmp_path / "deep" / "net.safetensors"
    save_weights(path, model, PROVENANCE)
    return path


def load(path: Path, name: str = "cnn-small", classes: int | None = None) -> tuple[nn.Module, Provenance | None]:
    return load_model(ModelRef(model=name, weights=str(path)), classes=classes, seed=0)


def foreign(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> Path:
    safetensors.torch.save_file(tensors, path, metadata=metadata)
    return path


def test_a_round_trip_is_bit_equal(path: Path, model: nn.Module) -> None:
    loaded, provenance = load(path, classes=3)
    expected = model.state_dict()
    assert list(loaded.state_dict()) == list(expected)
    for name, tensor in loaded.state_dict().items():
        assert tensor.dtype == expected[name].dtype
        assert tensor.numpy().tobytes() == expected[name].numpy().tobytes(), name
    assert all(parameter.requires_grad for parameter in loaded.parameters())
    assert provenance == PROVENANCE == read_provenance(path)


def test_saving_gives_the_same_bytes_in_either_memory_format(path: Path, model: nn.Module) -> None:
    other = path.with_name("other.safetensors")
    save_weights(other, model.to(memory_format=torch.channels_last), PROVENANCE)
    assert other.read_bytes() == path.read_bytes()


def test_loaded_weights_are_free_of_the_file(path: Path) -> None:
    loaded, _ = load(path)
    before = {name: tensor.clone() for name, tensor in loaded.state_dict().items()}
    path.write_bytes(b"\0" * path.stat().st_size)
    assert all(torch.equal(tensor, before[name]) for name, tensor in loaded.state_dict().items())


def test_a_failed_save_leaves_the_old_file_and_nothing_else(
    path: Path, model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match=r"could not be saved at .*: No space left on device"):
        save_weights(path, build_model("cnn-small", classes=3, seed=9), PROVENANCE)
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


def test_only_safetensors_are_saved(tmp_path: Path, model: nn.Module) -> None:
    with pytest.raises(InputError, match=r"not as net\.pt"):
        save_weights(tmp_path / "net.pt", model, PROVENANCE)


def test_no_weights_means_drawn_from_the_seed() -> None:
    ref = ModelRef(model="cnn-small")
    drawn, provenance = load_model(ref, classes=5, seed=4)
    assert provenance is None
    expected = build_model("cnn-small", classes=5, seed=4).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in drawn.state_dict().items())
    with pytest.raises(InputError, match="number of classes"):
        load_model(ref, classes=None, seed=0)


def test_foreign_safetensors_that_fit_are_fine(tmp_path: Path, model: nn.Module) -> None:
    path = foreign(tmp_path / "foreign.safetensors", model.state_dict(), {"format": "pt"})
    loaded, provenance = load(path)
    assert provenance is None and read_provenance(path) is None
    assert torch.equal(loaded.get_parameter("classifier.weight"), model.get_parameter("classifier.weight"))


def test_another_architecture_is_named(path: Path) -> None:
    with pytest.raises(InputError, match="is for cnn-small, not for vit-tiny"):
        load(path, "vit-tiny")


def test_another_class_count_is_named(path: Path) -> None:
    with pytest.raises(InputError, match="tells 3 classes apart, but 10 are needed"):
        load(path, classes=10)


def without(name: str) -> Callable[[dict[str, Tensor]], object]:
    return lambda state: state.pop(name)


BAD_TENSORS: dict[str, tuple[Callable[[dict[str, Tensor]], object], str]] = {
    "missing": (without("block1.0.weight"), "not for cnn-small: it has no block1.0.weight"),
    "no classifier": (without("classifier.weight"), "not for cnn-small: it has no classifier.weight"),
    "misshapen": (
        lambda state: state.update({"stem.0.weight": torch.zeros(16, 3, 5, 5)}),
        r"stem.0.weight has the shape \[16, 3, 5, 5\], not \[16, 3, 3, 3\]",
    ),
    "odd classifier": (
        lambda state: state.update({"classifier.weight": torch.zeros(3, 64, 1)}),
        r"classifier.weight has the shape \[3, 64, 1\]",
    ),
    "too many": (lambda state: state.update({"extra": torch.zeros(1)}), "it has a tensor extra too many"),
    "half": (
        lambda state: state.update({"classifier.bias": torch.zeros(3, dtype=torch.float16)}),
        "wrong number format: classifier.bias is F16, where cnn-small has F32",
    ),
    "not finite": (
        lambda state: state.update({"classifier.bias": torch.tensor([0.0, float("nan"), 0.0])}),
        "not finite, in classifier.bias",
    ),
}


@pytest.mark.parametrize("case", BAD_TENSORS)
def test_tensors_that_do_not_fit_are_refused(case: str, tmp_path: Path, model: nn.Module) -> None:
    change, message = BAD_TENSORS[case]
    state = dict(model.state_dict())
    change(state)
    with pytest.raises(InputError, match=message):
        load(foreign(tmp_path / "bad.safetensors", state))


def torch_zip() -> bytes:
    buffer = io.BytesIO()
    torch.save({"a": torch.zeros(2)}, buffer)
    return buffer.getvalue()


def header(document: object, data: bytes = b"") -> bytes:
    text = json.dumps(document).encode()
    return struct.pack("<Q", len(text)) + text + data


BAD_BYTES: dict[str, tuple[bytes, str]] = {
    "torch.save": (torch_zip(), "is a zip, as torch.save writes"),
    "pickle": (pickle.dumps({"a": [1, 2, 3]}), "is a pickle"),
    "old pickle": (pickle.dumps({"a": [1, 2, 3]}, protocol=2), "is a pickle"),
    "empty": (b"", "truncated: it has 0 bytes"),
    "text": (b"weights, honestly\n" * 9, "is not a .safetensors file"),
    "half a header": (struct.pack("<Q", 500) + b'{"a": ', "truncated: it ends within its header"),
    "endless header": (struct.pack("<Q", 2**62) + b"{" * 20, "is not a .safetensors file"),
    "bytes too many": (header({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}, b"12"), "longer than"),
    "no JSON": (struct.pack("<Q", 12) + b"{nonsense!!!", "damaged header"),
    "deep JSON": (struct.pack("<Q", 400_005) + b'{"a":' + b"[" * 400_000, "damaged header"),
    "a list": (header({"a": [1]}), "damaged header"),
    "negative shape": (header({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]}}), "damaged header"),
    "size that lies": (
        header({"a": {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4]}}, b"\0" * 4),
        "damaged header",
    ),
    "odd provenance": (header({"__metadata__": {"bird": '{"model": 5}'}}), "damaged provenance: model"),
}


@pytest.mark.parametrize("case", BAD_BYTES)
def test_files_of_another_kind_are_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    content, message = BAD_BYTES[case]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_a_header_length_that_starts_like_a_pickle_is_no_pickle(tmp_path: Path) -> None:
    path = tmp_path / "fine.safetensors"
    path.write_bytes(struct.pack("<Q", 0x0280) + b"{}".ljust(0x0280))
    assert read_header(path).tensors == {}


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9999])
def test_a_truncated_file_is_refused(share: float, path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="truncated"):
        load(path)


def test_overlapping_tensors_are_refused(tmp_path: Path, model: nn.Module) -> None:
    path = foreign(tmp_path / "overlap.safetensors", model.state_dict())
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    document = json.loads(content[8 : 8 + length])
    document["block2.1.bias"]["data_offsets"] = document["block2.1.weight"]["data_offsets"]
    path.write_bytes(header(document, content[8 + length :]))
    with pytest.raises(InputError, match="damaged header"):
        load(path)


def test_missing_folder_and_too_large(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(InputError, match="is a folder or device"):
        load(tmp_path / "folder.safetensors")
    for missing in ("none.safetensors", "x" * 5000 + ".safetensors", "~nobody-here/x.safetensors"):
        with pytest.raises(InputError, match="There is no weights file at"):
            find_weights(missing)
    with pytest.raises(InputError, match="There is no weights file at"):
        read_header(tmp_path / "none.safetensors")
    monkeypatch.setattr(settings, "MAX_WEIGHTS_BYTES", 1000)
    with pytest.raises(InputError, match="too large"):
        load(path)


def test_provenance_has_to_agree_with_the_classifier(tmp_path: Path) -> None:
    path = tmp_path / "liar.safetensors"
    save_weights(path, build_model("cnn-small", classes=4, seed=0), PROVENANCE)
    with pytest.raises(InputError, match="names 3 classes, but its classifier has 4"):
        load(path)


def test_weights_are_listed_home_first_and_broken_ones_say_why(path: Path, model: nn.Module) -> None:
    home, assets = settings.checkpoints_dir(), settings.ASSETS / "checkpoints"
    assert list_weights() == []
    save_weights(assets / "digits-robust.safetensors", model, PROVENANCE.model_copy(update={"role": "teacher"}))
    save_weights(assets / "both.safetensors", model, PROVENANCE)
    save_weights(home / "both.safetensors", model, PROVENANCE)
    (home / "broken.safetensors").write_bytes(torch_zip())
    (home / "notes.txt").write_text("not weights")
    foreign(home / "foreign.safetensors", model.state_dict())
    listed = {entry.name: entry for entry in list_weights()}
    assert [(entry.name, entry.origin) for entry in listed.values()] == [
        ("both", "home"),
        ("broken", "home"),
        ("foreign", "home"),
        ("digits-robust", "assets"),
    ]
    assert listed["both"].provenance == PROVENANCE and listed["both"].problem is None
    assert listed["digits-robust"].provenance and listed["digits-robust"].provenance.role == "teacher"
    assert "zip" in (listed["broken"].problem or "")
    assert "which network" in (listed["foreign"].problem or "")

    assert find_weights("both") == home / "both.safetensors"
    assert find_weights("digits-robust") == assets / "digits-robust.safetensors"
    assert find_weights(str(path)) == path
    with pytest.raises(UnknownNameError, match="Unknown weights 'digits-robots': did you mean digits-robust"):
        find_weights("digits-robots")
    with pytest.raises(InputError, match="convert makes it one, and executes nothing of it"):
        find_weights("model.pth")


@pytest.mark.parametrize("name", ["../secret", "/etc/secret", "..", ".", "", "a/b", "a\0b", "x" * 200])
def test_a_name_never_leaves_the_folder(name: str, tmp_path: Path, model: nn.Module) -> None:
    settings.checkpoints_dir().mkdir(parents=True)
    save_weights(settings.home() / "secret.safetensors", model, PROVENANCE)
    with pytest.raises(UnknownNameError):
        find_weights(name)


def test_provenance_is_read_without_torch(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from bird_backend.runs.provenance import read_provenance; "
        f"assert read_provenance(Path({str(path)!r})).seed == 7; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
