"""A file of another program becomes weights of ours: kept once, with what is known of it, or refused in a sentence."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bird_backend import catalog, runs, settings
from bird_backend.catalog.signatures import Signature, body, fingerprint, sample
from bird_backend.cli import main
from bird_backend.errors import InputError
from bird_backend.experiments import load_spec
from bird_backend.jobs.process import perform
from bird_backend.models import load_model
from bird_backend.models.foreign import recognising
from bird_backend.runs.identity import identify
from bird_backend.runs.provenance import find_weights, list_weights, read_header
from bird_backend.runs.torch_cache import list_cached
from bird_backend.runs.uploads import find_upload, forget_upload, keep_upload
from bird_backend.specs import ModelRef
from tests.converting import convert, open_at_once, refused, refused_beside, saved, small


@pytest.fixture(autouse=True)
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """But where a test is of the child."""
    if "child" not in request.keywords:
        open_at_once(monkeypatch)


@pytest.mark.child
def test_a_checkpoint_of_another_loop_is_kept_with_all_that_is_known(tmp_path: Path) -> None:
    model = small()
    state = {f"module.{name}": value.half() if value.is_floating_point() else value for name, value in
             model.state_dict().items() if not name.endswith("num_batches_tracked")}  # fmt: skip
    source = saved(tmp_path / "My best (net) é.pth", {"state_dict": state, "ema": dict(state), "epoch": 3})
    summary = convert(source)
    assert summary["weights"] == "My-best-net"
    assert (summary["model"], summary["also"], summary["named"]) == ("cnn-small", [], False)
    assert (summary["taken"], summary["prefix"], summary["offered"]) == ("state_dict", "module.", ["ema"])
    assert (summary["tensors"], summary["parameters"]) == (26, 61_338 + 2 * (16 + 32 + 64 + 64))
    assert (summary["image_size"], summary["preprocessing"]) == (32, None)
    said = " ".join([*summary["remarks"], *(each["said"] for each in summary["assumed"])])
    for words in (
        "taken from state_dict",
        "module. was taken off",
        "ema",
        "float16",
        "4 BatchNorm counters",
        "our way",
    ):
        assert words in said, words

    made = read_header(find_weights("My-best-net")).provenance
    assert made is not None
    assert (made.model, made.image_size, made.preprocessing, made.role) == ("cnn-small", 32, None, "teacher")
    assert made.classes == tuple(f"class {number}" for number in range(10))
    assert made.recipe["kind"] == "convert"
    assert len(made.recipe["sha256"]) == 64
    assert catalog.title_of(made.data) == "unknown data"
    loaded, _ = load_model(ModelRef(model="cnn-small", weights="My-best-net"), classes=10, seed=9)
    expected = model.get_parameter("classifier.weight").detach().half().float()
    assert torch.equal(loaded.get_parameter("classifier.weight"), expected)
    run = runs.RunStore().list()[0]
    assert (run.kind, run.state, run.title) == ("convert", "done", "Convert My best (net) é.pth")
    assert [path.name for path in run.directory.path.iterdir() if path.name.startswith("opening")] == []


def test_safetensors_without_provenance_and_a_named_network(tmp_path: Path) -> None:
    source = tmp_path / "net.safetensors"
    save_file({f"net.{name}": value for name, value in small().state_dict().items()}, source)
    summary = convert(source, model="cnn-small", image_size=32, save_as="named", role="student")
    assert (summary["model"], summary["named"], summary["weights"]) == ("cnn-small", True, "named")
    said = refused_beside(source, model="vit-tiny")
    assert said.startswith("net.safetensors doesn't fit vit-tiny: ")
    assert " of vit-tiny's 55 tensors are there; " in said


def test_an_averaged_part_is_taken_when_it_is_asked_for(tmp_path: Path) -> None:
    plain, averaged = small(seed=1).state_dict(), small(seed=2).state_dict()
    source = saved(tmp_path / "x.pth", {"state_dict": plain, "state_dict_ema": averaged})
    taken = {}
    for part in (None, "state_dict_ema"):
        summary = convert(source, part=part)
        model, _ = load_model(ModelRef(model="cnn-small", weights=summary["weights"]), classes=10, seed=0)
        taken[summary["weights"]] = model.get_parameter("classifier.weight")
        assert ("they are an average over training (EMA)" in summary["remarks"]) == (part is not None)
    assert list(taken) == ["x", "x-2"]
    assert torch.equal(taken["x"], plain["classifier.weight"])
    assert torch.equal(taken["x-2"], averaged["classifier.weight"])
    assert "no part 'swa' with a network's weights; its parts: state_dict, state_dict_ema" in refused_beside(
        source, part="swa"
    )


def test_the_same_file_is_kept_once_and_never_over_another(tmp_path: Path) -> None:
    one = saved(tmp_path / "one" / "net.pth", small(seed=1).state_dict())
    two = saved(tmp_path / "two" / "net.pth", small(seed=2).state_dict())
    assert [convert(path)["weights"] for path in (one, two, one, two)] == ["net", "net-2", "net", "net-2"]
    assert convert(one, mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])["weights"] == "net-3"
    assert [entry.name for entry in list_weights() if entry.origin == "home"] == ["net-2", "net-3", "net"]


def test_a_file_of_torchs_cache_is_found_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert list_cached() == []
    path = saved(tmp_path / "torch" / "hub" / "checkpoints" / "net-01234567.pth", small().state_dict())
    path.with_name("net-01234567.pth.partial").write_bytes(b"")
    assert list_cached() == [path]
    assert main(["convert", "net-01234567.pth", "--name", "cached"]) == 0
    assert find_weights("cached").is_file()
    said = capsys.readouterr().out
    assert said.endswith("To say otherwise: --data, --mean, --std, --image-size.\n")
    assert "says otherwise" not in said


def test_weights_of_a_network_that_is_not_installed_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)  # whether or not it is
    shapes = {"stem.weight": (4, 3, 3, 3), "head.weight": (5, 4), "head.bias": (5,)}
    marks = body(shapes, ("head.weight", "head.bias"))
    known = Signature(
        names=("timm:toy",),
        image_sizes=(224,),
        heads=("head.weight", "head.bias"),
        tensors=1,
        fingerprint=fingerprint(marks.values()),
        sample=sample(marks.values()),
    )
    monkeypatch.setattr(recognising, "signatures", lambda: (known,))
    recognising._by_heads.cache_clear()
    source = saved(tmp_path / "x.pth", {f"net.{name}": torch.zeros(shape) for name, shape in shapes.items()})
    assert refused(source).startswith("x.pth holds timm:toy, but ")
    recognising._by_heads.cache_clear()


def test_weights_made_here_keep_where_they_come_from(tmp_path: Path) -> None:
    source = settings.ASSETS / "checkpoints" / "fashion-student.safetensors"
    summary = convert(source)
    assert (summary["weights"], summary["trained_on"]) == ("fashion-student", "fashion-mnist-small")
    made, before = (read_header(path).provenance for path in (find_weights("fashion-student"), source))
    assert made == before
    assert settings.checkpoints_dir() in find_weights("fashion-student").parents
    again = convert(source, data="fashion-mnist-small", save_as="again")
    assert again["trained_on"] == "fashion-mnist-small"
    other = read_header(find_weights("again")).provenance
    assert other is not None
    assert other.recipe["kind"] == "convert"


def test_evaluating_classes_that_nobody_knows_says_what_to_do(tmp_path: Path) -> None:
    convert(saved(tmp_path / "x.pth", small().state_dict()))
    spec = load_spec(
        {"kind": "evaluate", "data": "digits", "model": {"model": "cnn-small", "weights": "x"}, "device": "cpu"}
    )
    run = runs.RunStore().create(spec, state="running")
    with pytest.raises(InputError, match="convert them again with that as data"):
        perform(run.id, device="cpu")


def with_nan(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state | {"classifier.bias": torch.full((10,), float("inf"))}


@pytest.mark.parametrize(
    ("change", "fields", "message"),
    [
        (
            lambda state: dict(small(classes=3).state_dict()),
            {"data": "digits"},
            "tells 3 classes apart and Digits has 10",
        ),
        (with_nan, {}, r"^x.pth holds numbers that are not finite, in classifier.bias"),
        (lambda state: state, {"data": "digits", "part": "model"}, "has no part 'model'"),
        (
            lambda state: {name: value for name, value in state.items() if "block2" not in name},
            {},
            r"fits no network that is known here, the closest being cnn-small: 20 of cnn-small's 25 tensors are there;"
            r" 5 missing \(block2.0.weight.*\); if it is your own network, name it as file:PATH.py:FACTORY\.$",
        ),
        (
            lambda state: {name: value for name, value in state.items() if "classifier" not in name},
            {},
            r"holds the tensors of cnn-small without a classifier \(classifier.weight, classifier.bias missing\)",
        ),
        (lambda _: {"a.b": torch.zeros(3), "a.c": torch.zeros(4)}, {}, "holds 2 tensors of no network that is known"),
        (lambda state: state, {"model": "resnet18"}, r"^x.pth doesn't fit resnet18: 0 of resnet18's 102 tensors"),
        (lambda state: state, {"stem": "own"}, "holds cnn-small with its small stem, not with its own one"),
    ],
    ids=["classes", "not finite", "part", "missing", "headless", "unknown", "other", "stem"],
)
def test_what_can_not_be_converted_is_one_sentence(
    tmp_path: Path, change: Any, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        convert(saved(tmp_path / "x.pth", change(dict(small().state_dict()))), **fields)
    assert not settings.checkpoints_dir().exists()


def test_a_spec_says_what_it_needs() -> None:
    with pytest.raises(InputError, match="mean and std come together"):
        load_spec({"kind": "convert", "source": "x.pth", "mean": [0.5, 0.5, 0.5]})
    with pytest.raises(InputError, match="did you mean cnn-small"):
        load_spec({"kind": "convert", "source": "x.pth", "model": "cnn-smal"})
    with pytest.raises(InputError, match="std"):
        load_spec({"kind": "convert", "source": "x.pth", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.0]})


def test_an_upload_is_kept_by_its_digest_and_converted(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    torch.save(small().state_dict(), content)
    content.seek(0)
    name = keep_upload(content)
    content.seek(0)
    assert keep_upload(content) == name
    assert [path.name for path in settings.uploads_dir().iterdir()] == [name]
    assert find_upload(name).read_bytes() == content.getvalue()
    summary = convert(name)
    assert summary["weights"] == "cnn-small"
    assert runs.RunStore().list()[0].title == "Convert a weights file"
    forget_upload(name)
    with pytest.raises(InputError, match="bring it again"):
        find_upload(name)
    for outside in ("../runs.sqlite", "a" * 63 + "/", "runs.sqlite"):
        with pytest.raises(InputError, match="bring it again"):
            find_upload(outside)
    with pytest.raises(InputError, match="The file is empty"):
        keep_upload(io.BytesIO())
    monkeypatch.setattr(settings, "MAX_WEIGHTS_BYTES", 1000)
    with pytest.raises(InputError, match=r"larger than the 0\.0 GiB kept"):
        keep_upload(io.BytesIO(b"x" * 1001))
    assert list(settings.uploads_dir().iterdir()) == []


def test_what_a_conversion_depends_on_is_the_file(tmp_path: Path) -> None:
    source = saved(tmp_path / "x.pth", {"a": 1})
    spec = load_spec({"kind": "convert", "source": str(source)})
    before = identify(spec).digest
    assert identify(spec).digest == before
    source.write_bytes(b"another")
    assert identify(spec).digest != before


def test_the_command_line_converts_and_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = saved(tmp_path / "x.pth", small().state_dict())
    arguments = [
        "convert",
        str(source),
        "--name",
        "mine",
        "--data",
        "digits",
        "--mean",
        "0.1,0.2,0.3",
        "--std",
        "1,1,1",
    ]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    for words in ("kept as     mine", "cnn-small", "10: 0, 1, 2, 3 …", "32×32 pixels, normalised mean 0.1 0.2 0.3"):
        assert words in said, words
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["weights"] == "mine-2"
    assert main(["convert", str(tmp_path / "none.pth")]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "none.pth can't be read: No such file or directory."
    assert main(["convert", str(source), "--mean", "1,2"]) == 2
    assert "--mean takes three numbers" in capsys.readouterr().err
