"""A part of a spec is checked by the settings of the entry it names."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field, SerializeAsAny, ValidationError

from bird_backend.errors import UnknownNameError
from bird_backend.specs.named import named
from bird_backend.specs.parts import Spec


class Animal(Spec):
    legs: int = Field(default=4, ge=0)


class Bird(Animal):
    name: Literal["bird"] = "bird"
    legs: int = Field(default=2, ge=0)
    wings: int = 2


def settings_of(name: str) -> type[Spec]:
    if name != "bird":
        raise UnknownNameError("animal", name, ["bird"])
    return Bird


class House(Spec):
    pet: Annotated[SerializeAsAny[Animal], named(settings_of)]


def test_the_entry_that_is_named_checks_and_writes_all_of_its_fields() -> None:
    house = House.model_validate({"pet": {"name": "bird", "wings": 1}})
    assert isinstance(house.pet, Bird)
    assert house.model_dump(mode="json") == {"pet": {"legs": 2, "name": "bird", "wings": 1}}
    assert House.model_validate(house.model_dump(mode="json")) == house
    assert House.model_validate({"pet": "bird"}).pet == Bird()


@pytest.mark.parametrize(
    ("pet", "place", "says"),
    [
        ({"name": "bird", "legs": -1}, ("pet", "legs"), "greater than or equal to 0"),
        ({"name": "bird", "fins": 1}, ("pet", "fins"), "Extra inputs"),
        ({"legs": 1}, ("pet",), "has no name"),
        (7, ("pet",), "valid dictionary or instance"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(pet: object, place: tuple[str, ...], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        House.model_validate({"pet": pet})
    (error,) = caught.value.errors()
    assert error["loc"] == place
    assert says in error["msg"]


def test_an_unknown_name_is_answered_with_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="Unknown animal 'brid': did you mean bird"):
        House.model_validate({"pet": "brid"})
