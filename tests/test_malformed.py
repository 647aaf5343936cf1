"""Whatever is given to the command line: one sentence on stderr, exit code 2 (1 for a failed run), no traceback."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bird_backend.cli import main
from tests.conftest import command

Make = Callable[[Path], list[str]]

PRETRAIN: dict[str, Any] = {"kind": "pretrain", "data": "digits", "model": {"model": "cnn-small"}}
TRANSFER: dict[str, Any] = {
    "kind": "transfer",
    "data": "digits",
    "teacher": {"model": "cnn-small"},
    "student": {"model": "cnn-small"},
    "method": {"name": "bird", "pairs": [{"teacher": "block1", "student": "block1"}]},
}
DEEP = 100_000
LONG_NUMBER = "9" * 5000


def text_spec(content: str | bytes) -> Make:
    """`submit` of a file with these bytes; nothing is done where it is not refused, so no worker starts."""

    def make(folder: Path) -> list[str]:
        (folder / "spec.json").write_bytes(content if isinstance(content, bytes) else content.encode())
        return ["submit", str(folder / "spec.json")]

    return make


def spec(document: Any) -> Make:
    return text_spec(json.dumps(document))


def set_(*settings: str) -> Make:
    def make(folder: Path) -> list[str]:
        (folder / "spec.json").write_text(json.dumps(PRETRAIN))
        return ["submit", str(folder / "spec.json"), *(part for setting in settings for part in ("--set", setting))]

    return make


def arguments(*given: str) -> Make:
    return lambda _: list(given)


def png(mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def images(change: Callable[[Path], object], *, zipped: bool = False) -> Make:
    """`corrupt` of a folder with two classes that `change` has spoilt."""

    def make(folder: Path) -> list[str]:
        root = folder / "images"
        for label in ("a", "b"):
            (root / label).mkdir(parents=True)
            for index in range(6):
                (root / label / f"{index}.png").write_bytes(png())
        change(root)
        return ["corrupt", f"{'zip' if zipped else 'folder'}:{root}", str(folder / "out"), "--corruptions", "contrast"]

    return make


def zipped(write: Callable[[zipfile.ZipFile], object], damage: Callable[[bytes], bytes] = bytes) -> Make:
    def make(folder: Path) -> list[str]:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for label in ("a", "b"):
                for index in range(6):
                    archive.writestr(f"{label}/{index}.png", png())
            write(archive)
        (folder / "x.zip").write_bytes(damage(buffer.getvalue()))
        return ["corrupt", f"zip:{folder / 'x.zip'}", str(folder / "out"), "--corruptions", "contrast"]

    return make


def weights(content: bytes) -> Make:
    def make(folder: Path) -> list[str]:
        (folder / "w.safetensors").write_bytes(content)
        return ["evaluate", "--weights", str(folder / "w.safetensors"), "--data", "digits"]

    return make


def header(text: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text)) + text + data


def npy(content: bytes | np.ndarray) -> Make:
    def make(folder: Path) -> list[str]:
        if isinstance(content, bytes):
            (folder / "x.npy").write_bytes(content)
        else:
            np.save(folder / "x.npy", content)
        return ["corrupt", str(folder / "x.npy"), str(folder / "out"), "--corruptions", "contrast"]

    return make


def npy_header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin-1")


def in_home(prepare: Callable[[Path], object], *given: str) -> Make:
    def make(folder: Path) -> list[str]:
        prepare(folder / "spoilt")
        return [*given, "--home", str(folder / "spoilt")]

    return make


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


def odd(root: Path, name: bytes) -> Path:
    return Path(os.fsdecode(os.fsencode(root) + b"/" + name))


SPECS: dict[str, Make] = {
    "nested lists": text_spec("[" * DEEP + "]" * DEEP),
    "nested objects": text_spec('{"a":' * DEEP + "1" + "}" * DEEP),
    "nested within a spec": text_spec('{"kind":"pretrain","title":' + "[" * 500 + "]" * 500 + "}"),
    "a number of 5,000 digits": text_spec('{"kind":"pretrain","seed":' + LONG_NUMBER + "}"),
    "empty": text_spec(""),
    "half": text_spec('{"kind": "pre'),
    "a byte order mark": text_spec(b"\xef\xbb\xbf{}"),
    "UTF-16": text_spec('{"kind": "pretrain"}'.encode("utf-16")),
    "not UTF-8": text_spec(b'{"kind": "\xff"}'),
    "NUL bytes": text_spec(b"\0" * 100),
    "a list": text_spec("[1, 2]"),
    "a number": text_spec("3"),
    "null": text_spec("null"),
    "no kind": spec({}),
    "kind a list": spec({"kind": ["pretrain"]}),
    "kind a surrogate": text_spec('{"kind": "\\ud800"}'),
    "unknown kind with an escape": spec({"kind": "\x1b[31mred"}),
    "field a surrogate": text_spec('{"kind": "pretrain", "\\udc80": 1}'),
    "field with an escape": spec(PRETRAIN | {"\x1b]0;x\x07": 1}),
    "data a surrogate": spec(PRETRAIN | {"data": "\ud800"}),
    "data path a surrogate": spec(PRETRAIN | {"data": "folder:/\udcff"}),
    "data with a line break": spec(PRETRAIN | {"data": "folder:/a\nb"}),
    "data empty": spec(PRETRAIN | {"data": ""}),
    "data a number": spec(PRETRAIN | {"data": 5}),
    "data a scheme alone": spec(PRETRAIN | {"data": "folder:"}),
    "title a surrogate": spec(PRETRAIN | {"title": "x\ud800"}),
    "title with an escape": spec(PRETRAIN | {"title": "\x1b[2J"}),
    "title endless": spec(PRETRAIN | {"title": "x" * 200_000}),
    "weights a surrogate": spec(TRANSFER | {"teacher": {"model": "cnn-small", "weights": "\ud800"}}),
    "weights a surrogate's path": spec(TRANSFER | {"teacher": {"model": "cnn-small", "weights": "\ud800.safetensors"}}),
    "weights too long": spec(TRANSFER | {"teacher": {"model": "cnn-small", "weights": "x" * 5000 + ".safetensors"}}),
    "weights a NUL": spec(TRANSFER | {"teacher": {"model": "cnn-small", "weights": "a\0b.safetensors"}}),
    "save_as a path": spec(PRETRAIN | {"save_as": "../../x"}),
    "epochs true": spec(PRETRAIN | {"training": {"epochs": True}}),
    "epochs text": spec(PRETRAIN | {"training": {"epochs": "3"}}),
    "epochs a fraction": spec(PRETRAIN | {"training": {"epochs": 1.5}}),
    "lr true": spec(PRETRAIN | {"training": {"lr": True}}),
    "lr text": spec(PRETRAIN | {"training": {"lr": "0.1"}}),
    "lr not finite": text_spec(json.dumps(PRETRAIN)[:-1] + ', "training": {"lr": NaN}}'),
    "augment a number": spec(PRETRAIN | {"training": {"augment": 1}}),
    "seed true": spec(PRETRAIN | {"seed": True}),
    "seed negative": spec(PRETRAIN | {"seed": -1}),
    "seed huge": spec(PRETRAIN | {"seed": 2**70}),
    "training a list": spec(PRETRAIN | {"training": []}),
    "model a text": spec(PRETRAIN | {"model": 3}),
    "method a list": spec(TRANSFER | {"method": []}),
    "pairs a text": spec(TRANSFER | {"method": {"name": "bird", "pairs": "block1"}}),
    "beta true": spec(TRANSFER | {"method": TRANSFER["method"] | {"beta": True}}),
    "device with an escape": spec(PRETRAIN | {"device": "\x1b[31m"}),
}
SETTINGS: dict[str, Make] = {
    "nested": set_("title=" + "[" * DEEP + "]" * DEEP),
    "nested objects": set_("title=" + '{"a":' * DEEP + "1" + "}" * DEEP),
    "a number of 5,000 digits": set_(f"seed={LONG_NUMBER}"),
    "a key that is nested": set_(".".join("a" * 2000) + "=1"),
    "no key": set_("=3"),
    "no value": set_("seed"),
    "a key of dots": set_("...=3"),
    "through a number": set_("seed=3", "seed.x=4"),
    "true for a number": set_("training.epochs=true"),
    "a surrogate": set_("data=\udcff"),
    "a surrogate's key": set_("\udcff=1"),
    "an escape": set_("data=\x1b[31m"),
    "not finite": set_("training.lr=Infinity"),
}


def on_data(name: str, **more: Any) -> Make:
    """`run` on that data, which has to be found before anything is trained."""

    def make(folder: Path) -> list[str]:
        (folder / "spec.json").write_text(json.dumps(PRETRAIN | {"data": name} | more))
        return ["run", str(folder / "spec.json")]

    return make


def study_of(changes: dict[str, Any]) -> Make:
    def make(folder: Path) -> list[str]:
        (folder / "spec.json").write_text(json.dumps(TRANSFER | changes))
        return ["compare", str(folder / "spec.json")]

    return make


DATA: dict[str, Make] = {
    "a run on a path of 5,000 characters": on_data("folder:/" + "x" * 5000),
    "a run on a zip of 5,000 characters": on_data("zip:/" + "x" * 5000),
    "a run on a folder of nobody": on_data("folder:~nobody-here/x"),
    "a run on a zip of nobody": on_data("zip:~nobody-here/x"),
    "a run on a zip that is a folder": on_data("zip:/"),
    "a study of a path of 5,000 characters": study_of({"data": "folder:/" + "x" * 5000}),
    "a study of a folder of nobody": study_of({"data": "folder:~nobody-here/x"}),
    "a study on corrupted images of 5,000 characters": study_of({"evaluation": {"corrupted_dir": "/" + "x" * 5000}}),
    "corrupted images that are not there": arguments(
        "evaluate", "--weights", "digits-robust-teacher", "--data", "digits", "--corrupted-dir", "x" * 5000
    ),
    "a run on corrupted images of 5,000 characters": on_data("digits", evaluation={"corrupted_dir": "/" + "x" * 5000}),
    "path of 5,000 characters": arguments("corrupt", "folder:/" + "x" * 5000, "out"),
    "zip path of 5,000 characters": arguments("corrupt", "zip:/" + "x" * 5000, "out"),
    "npy path of 5,000 characters": arguments("corrupt", "/" + "x" * 5000 + ".npy", "out"),
    "a NUL in the path": arguments("corrupt", "folder:/a\0b", "out"),
    "home of nobody": arguments("corrupt", "folder:~nobody-here/x", "out"),
    "zip of nobody": arguments("corrupt", "zip:~nobody-here/x", "out"),
    "npy of nobody": arguments("corrupt", "~nobody-here/x.npy", "out"),
    "a name of an escape": arguments("corrupt", "\x1b[31mdigits", "out"),
    "a link to itself": images(lambda root: (root / "a" / "loop.png").symlink_to(root / "a" / "loop.png")),
    "a folder that links to itself": images(lambda root: (root / "a" / "again").symlink_to(root / "a")),
    "a class that is not UTF-8": images(lambda root: (root / "b").rename(odd(root, b"\xe9"))),
    "a class with a line break": images(lambda root: (root / "b").rename(root / "b\nc")),
    "broken files that are not UTF-8": images(
        lambda root: [odd(root / "a", b"\xe9%d.png" % i).write_bytes(b"no") for i in range(3)]
    ),
    "empty images": images(lambda root: [(root / "a" / f"{i}.png").write_bytes(b"") for i in range(3)]),
    "half images": images(lambda root: [(root / "a" / f"{i}.png").write_bytes(png()[:40]) for i in range(3)]),
    "a folder as a zip": images(lambda _: None, zipped=True),
    "one class": images(lambda root: [file.unlink() for file in (root / "b").iterdir()]),
    "a zip of nothing": zipped(lambda _: None, lambda _: b""),
    "half a zip": zipped(lambda _: None, lambda data: data[: len(data) // 2]),
    "a zip's member that leaves": zipped(lambda archive: archive.writestr("../x.png", png())),
    "a zip's class with an escape": zipped(
        lambda archive: [archive.writestr(f"\x1b[31m/{i}.png", png()) for i in range(6)]
    ),
    "a zip's members with other names": zipped(
        lambda _: None, lambda data: data.replace(b"a/0.png", b"a/\xff.png", 1).replace(b"a/1.png", b"a/\xff.png", 1)
    ),
    "a zip's members that are damaged": zipped(lambda _: None, lambda data: data.replace(b"IDAT", b"IDAX")),
}
FILES: dict[str, Make] = {
    "npy empty": npy(b""),
    "npy header without end": npy(b"\x93NUMPY\x01\x00\xff\xff{"),
    "npy header nested": npy(npy_header("(" * 5000)),
    "npy header an expression": npy(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (-1, 2)}")),
    "npy header huge": npy(npy_header("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 32, 32, 3)}")),
    "npy of floats": npy(np.zeros((2, 8, 8, 3))),
    "npy version 9": npy(b"\x93NUMPY\x09\x00" + b"\0" * 64),
    "safetensors empty": weights(b""),
    "safetensors header huge": weights(struct.pack("<Q", 2**63) + b"{}"),
    "safetensors nested": weights(header(b'{"a":' * DEEP)),
    "safetensors surrogate": weights(header(b'{"\\ud800":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"1")),
    "safetensors name with an escape": weights(
        header(b'{"\\u001b[31m":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', b"1")
    ),
    "safetensors: a surrogate's model": weights(header(b'{"__metadata__":{"bird":"{\\"model\\": \\"\\\\ud800\\"}"}}')),
    "safetensors provenance nested": weights(header(b'{"__metadata__":{"bird":"' + b"[" * DEEP + b'"}}')),
    "weights a folder": arguments("evaluate", "--weights", "/tmp", "--data", "digits"),  # noqa: S108
    "weights not UTF-8": arguments("evaluate", "--weights", "\udcff.safetensors", "--data", "digits"),
    "similarity of nothing": arguments("similarity", "\udcff.npy", "\udcff.npy"),
    "similarity too long": arguments("similarity", "x" * 5000, "y"),
}
OPTIONS: dict[str, Make] = {
    "a negative seed": arguments("corrupt", "digits", "out", "--seed", "-1"),
    "a negative seed to evaluate": arguments(
        "evaluate", "--weights", "digits-robust-teacher", "--data", "digits", "--seed", "-1"
    ),
    "frost that is not there": arguments(
        "corrupt", "digits", "out", "--frost-textures", "nowhere", "--corruptions", "fog"
    ),
    "frost that is a file": arguments("corrupt", "digits", "out", "--frost-textures", __file__),
    "a run that is a path": arguments("status", "../../etc/passwd"),
    "a run with an escape": arguments("status", "\x1b[31m"),
    "a run that is a surrogate": arguments("status", "\udcff"),
    "a study that is a path": arguments("study", "../../etc/passwd"),
    "a study that is a surrogate": arguments("study", "\udcff"),
    "a list with an escape": arguments("list", "\x1b[31m"),
    "an option with an escape": arguments("list", "models", "--\x1b[31m"),
    "corruptions a surrogate": arguments("corrupt", "digits", "out", "--corruptions", "\udcff"),
    "severities of digits elsewhere": arguments("corrupt", "digits", "out", "--severities", "٣"),
    "a device with an escape": arguments("corrupt", "digits", "out", "--device", "\x1b[31m"),
    "a spec that is a folder": arguments("run", "/"),
    "a spec of 5,000 characters": arguments("run", "x" * 5000),
    "a spec with a NUL": arguments("run", "a\0b"),
    "a spec that links to itself": lambda folder: link_to_itself(folder / "s") or ["run", str(folder / "s")],
}
HOMES: dict[str, Make] = {
    **{
        f"a file, {' '.join(words)}": in_home(lambda path: path.write_text("x"), *words)
        for words in (["worker", "--idle-exit", "0"], ["list", "runs"], ["status"])
    },
    "a link to itself, worker": in_home(link_to_itself, "worker", "--idle-exit", "0"),
    "a link to itself, list": in_home(link_to_itself, "list", "runs"),
    "too long": arguments("list", "runs", "--home", "/" + "x" * 5000),
    "of nobody": arguments("list", "runs", "--home", "~nobody-here/x"),
    "with a NUL": arguments("list", "runs", "--home", "/tmp/a\0b"),  # noqa: S108
    "below a file": in_home(lambda path: path.write_text("x"), "list", "runs"),
}
TABLE = {
    f"{name}: {case}": make
    for name, cases in (
        ("spec", SPECS),
        ("set", SETTINGS),
        ("data", DATA),
        ("file", FILES),
        ("option", OPTIONS),
        ("home", HOMES),
    )
    for case, make in cases.items()
}


@pytest.fixture(autouse=True)
def _nothing_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr("bird_backend.runs.ensure_supervisor", lambda: None)
    monkeypatch.chdir(tmp_path)
    before = os.environ.get("BIRD_HOME")
    yield
    os.environ["BIRD_HOME"] = before or ""


@pytest.mark.parametrize("case", TABLE)
def test_what_is_malformed_is_one_sentence(case: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main(TABLE[case](tmp_path))
    out, err = capfd.readouterr()
    assert code in (1, 2) and out == "", (code, out, err)
    assert "Traceback" not in err
    *progress, sentence = err.splitlines()
    assert all(re.fullmatch(r"Loading data|(Loading data|Corrupting): .*", line) for line in progress), err
    assert 0 < len(sentence) < 2000
    odd_ones = [character for character in sentence if unicodedata.category(character) in ("Cc", "Cs")]
    assert not odd_ones, sentence


@pytest.mark.parametrize(
    "case", ["spec: weights a surrogate", "data: a class that is not UTF-8", "home: a file, worker --idle-exit 0"]
)
def test_the_same_of_a_process(case: str, home: Path, tmp_path: Path) -> None:
    found = command(*TABLE[case](tmp_path), home=home)
    assert found.returncode in (1, 2) and found.stdout == ""
    assert "Traceback" not in found.stderr


def test_what_the_terminals_encoding_lacks_is_written_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    found = command("list", "layers", "resnet-narrow", home=home)
    assert found.returncode == 0 and "16\\xd716" in found.stdout, found.stderr
