"""Files of weights that others made are opened within limits, executing nothing in them, or told what they are."""

from __future__ import annotations

import argparse
import os
import pickle
import sys
import warnings
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from bird_backend import settings
from bird_backend.errors import InputError
from bird_backend.models import build_model
from bird_backend.models.foreign.child import open_file
from bird_backend.models.foreign.flattening import NotWeightsError
from bird_backend.models.foreign.reading import opened
from bird_backend.runs.formats import refuse_other_formats

LARGEST = 2**20


class Net(nn.Module):
    """A module of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


def open_here(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """What the child does, in this process and without limits."""
    target = path.with_suffix(".opened")
    told = open_file(path, target, LARGEST)
    return told, load_file(target)


def saved(path: Path, document: object, **options: Any) -> Path:
    torch.save(document, path, **options)
    return path


def test_a_rich_checkpoint_is_opened_with_what_it_says(tmp_path: Path) -> None:
    model = build_model("cnn-small", classes=3, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.zeros(2, 3, 32, 32)).sum().backward()
    optimizer.step()
    document = {
        "epoch": 7,
        "arguments": argparse.Namespace(lr=0.1, out=Path("/runs/x")),
        "best": np.float64(0.9),
        "class_to_idx": {"cat": 1, "ape": 0, "emu": 2},
        "state_dict": {name: value.half() for name, value in model.state_dict().items() if value.is_floating_point()},
        "state_dict_ema": {name: value.bfloat16() for name, value in model.named_parameters()},
        "optimizer": optimizer.state_dict(),
    }
    for number, options in enumerate(({}, {"_use_new_zipfile_serialization": False})):
        told, tensors = open_here(saved(tmp_path / f"rich{number}.pth", document, **options))
        assert told["format"] == "torch"
        assert told["mappings"] == ["state_dict", "state_dict_ema"]
        assert told["classes"] == ["ape", "cat", "emu"]
        assert set(told["dtypes"]) == {"float16", "bfloat16"}
        assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
        half = model.get_parameter("classifier.weight").detach().half().float()
        assert torch.equal(tensors["state_dict.classifier.weight"], half)
        assert not any(name.startswith("optimizer") for name in tensors)


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def script(path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and still what people have
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


OLD = {"_use_new_zipfile_serialization": False}
REFUSED: dict[str, tuple[Any, str]] = {
    "module": (lambda p: saved(p, Net()), r"holds a whole module \(it names tests\.\S+\.Net\).*model\.state_dict\(\)"),
    "module in a dict": (lambda p: saved(p, {"model": nn.Linear(2, 2)}), "holds a whole module"),
    "old module": (lambda p: saved(p, Net(), **OLD), r"needs code to be opened \(it names tests\.\S+\.Net\)"),
    "code": (lambda p: saved(p, {"a": Evil(p)}), r"needs code to be opened \(it names posix\.system\), and none is"),
    "pickle": (lambda p: written(p, pickle.dumps({"a": 1}, protocol=2)), "a pickle that torch.save did not write"),
    "pickle with code": (lambda p: written(p, pickle.dumps(Evil(p), protocol=2)), r"it names posix\.system"),
    "TorchScript": (script, "is a TorchScript program, which is code"),
    "cut": (lambda p: cut(saved(p, {"a": torch.zeros(99)}), 0.6), "is cut off or damaged"),
    "old cut": (lambda p: cut(saved(p, {"a": torch.zeros(99)}, **OLD), 0.6), "is cut off or damaged"),
    "huge view": (lambda p: saved(p, {"a": torch.zeros(1).expand(10**12)}), "holds more than 0.0 GiB of tensors"),
    "no numbers": (lambda p: saved(p, {"a": torch.zeros(3, device="meta")}), "holds no numbers for a, only its shape"),
    "sparse": (lambda p: saved(p, {"a": torch.zeros(3).to_sparse()}), "as a sparse, quantised or complex tensor"),
    "complex": (lambda p: saved(p, {"a": torch.zeros(3, dtype=torch.complex64)}), "as a sparse, quantised or complex"),
    "one tensor": (lambda p: saved(p, torch.zeros(3)), "holds a single tensor"),
    "no tensor": (lambda p: saved(p, {"epoch": 3, "optimizer": {"w": torch.zeros(3)}}), "holds no weights"),
    "odd name": (lambda p: saved(p, {"a\0b": torch.zeros(3)}), "holds no weights"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_weights_is_refused_in_words_and_nothing_is_executed(case: str, tmp_path: Path) -> None:
    make, message = REFUSED[case]
    path = make(tmp_path / "file.pth")
    before = path.stat()
    with pytest.raises(NotWeightsError, match=message):
        open_here(path)
    assert (before.st_mtime_ns, before.st_size) == (path.stat().st_mtime_ns, path.stat().st_size)


def test_tied_and_sliced_tensors_come_apart(tmp_path: Path) -> None:
    tied = torch.arange(6.0).view(2, 3)
    document = {"a": tied, "b": tied, "c": tied.t(), "d": torch.arange(99.0)[7:9]}
    _, tensors = open_here(saved(tmp_path / "tied.pth", document))
    assert all(torch.equal(tensors[name], document[name]) for name in document)


def test_lightnings_hyperparameters_need_no_lightning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type("AttributeDict", (dict,), {"__module__": "pytorch_lightning.utilities.parsing"})
    module = ModuleType("pytorch_lightning.utilities.parsing")
    module.AttributeDict = kind  # type: ignore[attr-defined]
    with monkeypatch.context() as installed:
        for name in ("pytorch_lightning", "pytorch_lightning.utilities"):
            installed.setitem(sys.modules, name, ModuleType(name))
        installed.setitem(sys.modules, module.__name__, module)
        path = saved(tmp_path / "last.ckpt", {"hyper_parameters": kind(lr=0.1), "state_dict": {"net.w": torch.ones(2)}})
    _, tensors = open_here(path)
    assert list(tensors) == ["state_dict.net.w"]


def test_mappings_that_hold_themselves_end(tmp_path: Path) -> None:
    document: dict[str, Any] = {"w": torch.ones(2)}
    document["again"] = [document, {"deep": document}]
    _, tensors = open_here(saved(tmp_path / "loop.pth", document))
    assert list(tensors) == ["w"]


def test_a_bomb_an_endless_load_and_a_program_end_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = saved(tmp_path / "whole.pth", {"a": torch.zeros(1)})

    def packed(name: str, replaced: str, content: bytes) -> Path:
        with (
            zipfile.ZipFile(whole) as read,
            zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as write,
        ):
            for member in read.namelist():
                write.writestr(member, content if member.endswith(replaced) else read.read(member))
        return tmp_path / name

    monkeypatch.setattr(settings, "READING_BYTES", 2**26)
    size = 2**27
    bomb = packed("bomb.pth", "data.pkl", b"\x80\x02X" + size.to_bytes(4, "little") + b"a" * size + b".")
    with pytest.raises(InputError, match=r"^bomb.pth needs more than the 0.1 GiB that opening it is given\.$"):
        open_with_limits(bomb)
    slow = packed("slow.pth", "data.pkl", b"\x80\x02](" + b"N" * 30_000_000 + b"e.")
    monkeypatch.setattr(settings, "READING_BYTES", 2**30)
    monkeypatch.setattr(settings, "READING_SECONDS", 1.0)
    with pytest.raises(InputError, match=r"^slow.pth takes more than 1 seconds to open"):
        open_with_limits(slow)
    marker = tmp_path / "marker"
    monkeypatch.setattr(settings, "READING_SECONDS", 60.0)
    with pytest.raises(InputError, match=r"^evil.pth needs code to be opened"):
        open_with_limits(saved(tmp_path / "evil.pth", {"a": Evil(marker)}))
    assert not marker.exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == []


def open_with_limits(path: Path) -> None:
    with opened(path, subject=path.name, folder=path.parent):
        pass


OTHER_FORMATS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "x is empty"),
    "LFS": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
    "page": (b"<!DOCTYPE html><html>", "is a web page"),
    "Keras": (b"\x89HDF\r\n\x1a\n" + b"\0" * 20, "is an HDF5 file"),
    "array": (b"\x93NUMPY\x01\x00", "is a NumPy array"),
    "gzip": (b"\x1f\x8b\x08\0", "is compressed with gzip"),
    "JSON": (b'{"weight_map": {}}', "is JSON"),
    "text": (b"weights, honestly", "is neither .safetensors nor what torch.save writes"),
}


@pytest.mark.parametrize("case", OTHER_FORMATS)
def test_files_of_other_kinds_are_told_by_their_first_bytes(case: str, tmp_path: Path) -> None:
    content, message = OTHER_FORMATS[case]
    with pytest.raises(InputError, match=message):
        refuse_other_formats(written(tmp_path / "x", content), "x")
