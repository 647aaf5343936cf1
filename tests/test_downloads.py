"""The downloader against a server of this machine, and each downloaded data set from miniature archives."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import socket
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import torchvision.datasets as vision
from PIL import Image

from bird_backend import settings
from bird_backend.datasets import downloads, load_dataset
from bird_backend.datasets.downloader import Archive, fetch
from bird_backend.errors import Cancelled, RunError
from bird_backend.runs.image_cache import free_cached


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


class Server:
    """Serves `files`; a path in `cut` is promised whole and sent by half."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.asked: list[str] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.asked.append(self.path)
                data = owner.files.get(self.path)
                if data is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[: len(data) // 2] if self.path in owner.cut else data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=partial(self._server.serve_forever, poll_interval=0.01))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    server = Server()
    yield server
    server.close()


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    return settings.data_dir()


def silent(_message: str, _share: float) -> None:
    pass


def archive(server: Server, folder: Path, data: bytes, name: str = "set.bin") -> Archive:
    server.files[f"/{name}"] = data
    return Archive(url=f"{server.url}/{name}", path=folder / name, md5=md5(data))


def refusal(wanted: Archive) -> str:
    with pytest.raises(RunError) as caught:
        fetch(wanted, silent, timeout=5)
    message = str(caught.value)
    assert wanted.url in message
    assert f"put it at {wanted.path}." in message
    assert "\n" not in message
    assert not wanted.path.exists() or not list(wanted.path.parent.glob("*.part"))
    return message


def test_a_file_arrives_whole_with_progress(server: Server, tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes(1_000_000)
    told: list[tuple[str, float]] = []
    wanted = archive(server, tmp_path / "new", data)
    fetch(wanted, lambda message, share: told.append((message, share)))
    assert wanted.path.read_bytes() == data
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert len(shares) >= 4
    assert shares[-1] == 1
    assert told[-1][0] == "Downloading set.bin, 1.0 MB"
    assert [file.name for file in wanted.path.parent.iterdir()] == ["set.bin"]


def test_a_file_that_is_there_is_not_asked_for(server: Server, tmp_path: Path) -> None:
    wanted = archive(server, tmp_path, b"data")
    wanted.path.write_bytes(b"data")
    fetch(wanted, silent)
    assert server.asked == []
    wanted.path.write_bytes(b"something else")
    fetch(wanted, silent)
    assert wanted.path.read_bytes() == b"data"
    assert server.asked == ["/set.bin"]


def test_a_wrong_checksum_is_thrown_away(server: Server, tmp_path: Path) -> None:
    wanted = archive(server, tmp_path, b"data")
    server.files["/set.bin"] = b"tampered"
    message = refusal(wanted)
    assert md5(b"tampered") in message
    assert md5(b"data") in message
    assert list(tmp_path.iterdir()) == []


def test_a_cut_connection_leaves_nothing(server: Server, tmp_path: Path) -> None:
    wanted = archive(server, tmp_path, bytes(600_000))
    server.cut.add("/set.bin")
    assert "the connection ended early" in refusal(wanted)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_and_an_absent_server_are_told_apart(server: Server, tmp_path: Path) -> None:
    wanted = archive(server, tmp_path, b"data")
    server.files.clear()
    assert "HTTP status 404" in refusal(wanted)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        absent = Archive(url=f"http://127.0.0.1:{unused.getsockname()[1]}/x", path=tmp_path / "x", md5="")
        assert "refused" in refusal(absent)


def test_a_silent_server_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wanted = Archive(url=f"http://127.0.0.1:{listening.getsockname()[1]}/x", path=tmp_path / "x", md5="")
        with pytest.raises(RunError, match="timed out"):
            fetch(wanted, silent, timeout=0.2)


def test_a_place_that_cannot_be_written_is_named(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunError, match=r"set\.bin can't be written"):
        fetch(archive(server, tmp_path / "file", b"data"), silent)


def test_stopping_in_the_middle_leaves_nothing(server: Server, tmp_path: Path) -> None:
    def stop(_message: str, _share: float) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        fetch(archive(server, tmp_path, bytes(600_000)), stop)
    assert list(tmp_path.iterdir()) == []


def labels_and_images(n: int, shape: tuple[int, ...], classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """Every image is one level, its place, so that it can be told apart after everything."""
    images = np.broadcast_to(np.arange(n, dtype=np.uint8).reshape(-1, *[1] * len(shape)), (n, *shape))
    return np.arange(n) % classes, np.ascontiguousarray(images)


@pytest.fixture
def fashion(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    resources = []
    for stem, n in (("train", 60), ("t10k", 20)):
        labels, images = labels_and_images(n, (28, 28))
        for kind, array in (("images-idx3", images), ("labels-idx1", labels.astype(np.uint8))):
            header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            name, data = f"{stem}-{kind}-ubyte.gz", gzip.compress(header + array.tobytes(), mtime=0)
            server.files[f"/{name}"] = data
            resources.append((name, md5(data)))
    monkeypatch.setattr(vision.FashionMNIST, "mirrors", [f"{server.url}/"])
    monkeypatch.setattr(vision.FashionMNIST, "resources", resources)


@pytest.fixture(params=["cifar10", "cifar100"])
def cifar(request: pytest.FixtureRequest, server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    kind, key, classes = (
        (vision.CIFAR10, "labels", 10) if request.param == "cifar10" else (vision.CIFAR100, "fine_labels", 20)
    )
    sums: dict[str, str] = {}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:

        def add(name: str, content: object) -> None:
            data = pickle.dumps(content)
            sums[name] = md5(data)
            entry = tarfile.TarInfo(f"{kind.base_folder}/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))

        labels, images = labels_and_images(200, (3072,), classes)
        batches = np.array_split(np.arange(200), len(kind.train_list))
        for (name, _), batch in zip(kind.train_list, batches, strict=True):
            add(name, {"data": images[batch], key: labels[batch].tolist()})
        labels, images = labels_and_images(40, (3072,), classes)
        add(kind.test_list[0][0], {"data": images, key: labels.tolist()})
        add(kind.meta["filename"], {kind.meta["key"]: [f"class {i}" for i in range(classes)]})
    for table in ("train_list", "test_list"):
        monkeypatch.setattr(kind, table, [[name, sums[name]] for name, _ in getattr(kind, table)])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": sums[kind.meta["filename"]]})
    monkeypatch.setattr(kind, "url", f"{server.url}/{kind.filename}")
    monkeypatch.setattr(kind, "tgz_md5", md5(packed.getvalue()))
    server.files[f"/{kind.filename}"] = packed.getvalue()
    return str(request.param)


@pytest.fixture
def svhn(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {}
    for part, n in (("train", 200), ("test", 40)):
        labels, images = labels_and_images(n, (32, 32, 3))
        packed = io.BytesIO()
        scipy.io.savemat(packed, {"X": images.transpose(1, 2, 3, 0), "y": np.where(labels == 0, 10, labels)[:, None]})
        name = f"{part}_32x32.mat"
        server.files[f"/{name}"] = packed.getvalue()
        table[part] = [f"{server.url}/{name}", name, md5(packed.getvalue())]
    monkeypatch.setattr(vision.SVHN, "split_list", table)


@pytest.fixture
def tiny_imagenet(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def jpeg(level: int) -> bytes:
        buffer = io.BytesIO()
        Image.new("RGB", (64, 64), (level, level, level)).save(buffer, "JPEG", quality=100)
        return buffer.getvalue()

    ids = ["n02", "n01"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as tar:
        top = "tiny-imagenet-200"
        tar.writestr(f"{top}/wnids.txt", "\n".join(ids) + "\n")
        tar.writestr(f"{top}/words.txt", "n00\tanimal\nn01\tcrane, bird\nn02\tcrane, machine\n")
        for i in range(40):
            wnid = ids[i % 2]
            tar.writestr(f"{top}/train/{wnid}/{wnid}_boxes.txt" if i < 2 else f"{top}/unused{i}", "x")
            tar.writestr(f"{top}/train/{wnid}/images/{wnid}_{i}.JPEG", jpeg(i))
        lines = [f"val_{i}.JPEG\t{ids[i % 2]}\t0\t0\t62\t62" for i in range(10)]
        tar.writestr(f"{top}/val/val_annotations.txt", "\n".join(lines) + "\n")
        for i in range(10):
            tar.writestr(f"{top}/val/images/val_{i}.JPEG", jpeg(200 + i))
            tar.writestr(f"{top}/test/images/test_{i}.JPEG", jpeg(99))
    server.files["/tiny-imagenet-200.zip"] = packed.getvalue()
    monkeypatch.setattr(downloads, "TINY_IMAGENET", (f"{server.url}/tiny-imagenet-200.zip", md5(packed.getvalue())))


def check(name: str, train: int, test: int, server: Server, classes: int = 10) -> None:
    """Loads, is right, and loads the same again from the cache without a server."""
    told: list[float] = []
    dataset = load_dataset(name, progress=lambda _, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1
    assert [len(dataset.train) + len(dataset.validation), len(dataset.test)] == [train, test]
    for split in (dataset.train, dataset.validation, dataset.test):
        assert split.images.shape[1:] == (3, 32, 32)
        assert split.labels.tolist() == [level % classes for level in split.images[:, 1, 16, 16].tolist()]
    assert dataset.test.images[:, 0, 16, 16].tolist() == list(range(test))
    asked = len(server.asked)
    server.files.clear()
    again = load_dataset(name)
    assert len(server.asked) == asked
    assert again.classes == dataset.classes
    for part in ("train", "validation", "test"):
        assert getattr(again, part).images.equal(getattr(dataset, part).images)
        assert getattr(again, part).labels.equal(getattr(dataset, part).labels)


@pytest.mark.usefixtures("fashion")
def test_fashion_mnist(server: Server, home: Path) -> None:
    check("fashion-mnist", 60, 20, server)


def test_cifar(cifar: str, server: Server, home: Path) -> None:
    check(cifar, 200, 40, server, classes=10 if cifar == "cifar10" else 20)
    assert load_dataset(cifar).classes[3] == "class 3"


@pytest.mark.usefixtures("svhn")
def test_svhn(server: Server, home: Path) -> None:
    check("svhn", 200, 40, server)


@pytest.mark.usefixtures("tiny_imagenet")
def test_tiny_imagenet(server: Server, home: Path) -> None:
    dataset = load_dataset("tiny-imagenet")
    assert dataset.classes == ("crane (n01)", "crane (n02)")
    assert sorted(dataset.test.images[:, 0, 5, 5].tolist()) == list(range(200, 210))
    for split in (dataset.train, dataset.validation, dataset.test):
        assert split.labels.tolist() == [1 - level % 2 for level in split.images[:, 0, 5, 5].tolist()]
    assert [len(dataset.train), len(dataset.validation)] == [36, 4]
    assert not (home / "tiny-imagenet-200").exists()


@pytest.mark.usefixtures("fashion")
def test_files_that_cannot_be_parsed_are_named(server: Server, home: Path) -> None:
    load_dataset("fashion-mnist")
    free_cached("all")
    (home / "FashionMNIST" / "raw" / "t10k-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03 nonsense")
    with pytest.raises(RunError, match=r"The files of fashion-mnist in .* can't be read"):
        load_dataset("fashion-mnist")


@pytest.mark.usefixtures("svhn")
def test_no_network_says_where_to_put_the_file(server: Server, home: Path) -> None:
    server.files.clear()
    with pytest.raises(RunError) as caught:
        load_dataset("svhn")
    assert f"put it at {home / 'train_32x32.mat'}" in str(caught.value)
