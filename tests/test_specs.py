"""Specs round-trip through JSON, and each bad value is one sentence that names the place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bird_backend import settings
from bird_backend.errors import InputError, UnknownNameError
from bird_backend.experiments import GallerySpec, TransferSpec, load_spec, override, read_spec, spec_hash

EXAMPLES = sorted((settings.ASSETS / "examples").glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_are_specs_and_round_trip(path: Any) -> None:
    spec = load_spec(read_spec(path))
    again = load_spec(json.loads(spec.model_dump_json()))
    assert again == spec
    assert spec_hash(again) == spec_hash(spec)


def test_the_title_does_not_change_what_is_asked(transfer_document: dict[str, Any]) -> None:
    spec = load_spec(transfer_document)
    assert spec_hash(load_spec(transfer_document | {"title": "other"})) == spec_hash(spec)
    assert spec_hash(load_spec(transfer_document | {"seed": 1})) != spec_hash(spec)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        (["kind=transfr"], "Unknown kind of run 'transfr': did you mean transfer"),
        (["data=digit"], "Unknown data set 'digit': did you mean digits?"),
        (["teacher.model=resnet-narow"], "did you mean resnet-narrow"),
        (["method.name=brid"], "did you mean bird or rkd?"),
        (["method.beta=-1"], "method.beta: input should be greater than or equal to 0, not -1"),
        (["method.alpha=0", "method.beta=0"], "nothing to minimise"),
        (["method.pairs.0.teacher=block11"], "Unknown layer of cnn-small 'block11': did you mean block1"),
        (["method.pairs=[]"], "method.pairs"),
        (["training.lr=NaN"], "training.lr"),
        (["training.batch_size=two"], "training.batch_size"),
        (["training.epocs=3"], "unknown field training.epocs"),
        (['behaviour.conditions=["contrst"]'], "did you mean contrast"),
        (["behaviour.strengths=[0]"], "strengths are whole numbers from 1 to 5"),
        (["behaviour.strengths=[6]"], "strengths are whole numbers from 1 to 5"),
        (["evaluation.limit=0"], "evaluation.limit"),
        (["behaviour.corrupted_dir=x", "behaviour.faithful=true"], "not with a corrupted_dir"),
        (["behaviour.corrupted_dir=x", "behaviour.frost_textures=y"], "not with a corrupted_dir"),
        (["device=gpu"], "device"),
        (["seed=-1"], "seed"),
        (["save_as=../elsewhere"], "save_as"),
    ],
)
def test_bad_values(transfer_document: dict[str, Any], settings_: list[str], message: str) -> None:
    with pytest.raises(InputError) as error:
        load_spec(override(transfer_document, settings_))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_and_misshapen(transfer_document: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"The spec lacks kind"):
        load_spec({key: value for key, value in transfer_document.items() if key != "kind"})
    with pytest.raises(InputError, match=r"The spec lacks student"):
        load_spec({key: value for key, value in transfer_document.items() if key != "student"})
    with pytest.raises(InputError, match="JSON object"):
        load_spec([1, 2])
    with pytest.raises(InputError, match="key=value"):
        override(transfer_document, ["epochs"])
    with pytest.raises(InputError, match="no place"):
        override(transfer_document, ["data.deep=1"])
    with pytest.raises(UnknownNameError):
        load_spec(override(transfer_document, ["data=ziip:x"]))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "of data or of a picture, exactly one of them"),
        ({"data": "digits", "picture": "0" * 64}, "of data or of a picture, exactly one of them"),
        ({"data": "digitz"}, "did you mean digits?"),
        ({"data": "digits", "count": 0}, "count: input should be greater than or equal to 1, not 0"),
        ({"data": "digits", "count": 49}, "count: input should be less than or equal to 48, not 49"),
        ({"picture": "../../etc/passwd"}, "picture: string should match pattern"),
        ({"picture": "A" * 64}, "picture"),
    ],
)
def test_bad_galleries(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as error:
        load_spec({"kind": "gallery", **fields})
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_gallery_is_of_a_data_set_or_of_a_picture() -> None:
    of_data, of_picture = (load_spec({"kind": "gallery", **one}) for one in ({"data": "digits"}, {"picture": "0" * 64}))
    assert isinstance(of_data, GallerySpec) and (of_data.data, of_data.count) == ("digits", 12)
    assert isinstance(of_picture, GallerySpec) and of_picture.data is None
    assert spec_hash(of_data) != spec_hash(of_picture)
    assert load_spec(json.loads(of_data.model_dump_json())) == of_data


def test_overrides_reach_into_lists_and_leave_the_original(transfer_document: dict[str, Any]) -> None:
    before = json.dumps(transfer_document)
    spec = load_spec(override(transfer_document, ["method.pairs.0.student=block2", "training.epochs=7", "title=a=b"]))
    assert isinstance(spec, TransferSpec)
    assert spec.drawn_pair.student == "block2"
    assert (spec.training.epochs, spec.title) == (7, "a=b")
    assert json.dumps(transfer_document) == before
