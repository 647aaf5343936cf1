"""Draw images under every condition at every strength, to be looked at: a data set's, or one that was brought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from bird_backend.behaviours import USUAL, BehaviourField
from bird_backend.catalog import title_of
from bird_backend.errors import InputError
from bird_backend.experiments.declaration import Kind, Report, RunSpec, Summary
from bird_backend.specs import DataName, ImageSize

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "GallerySpec"]


class GallerySpec(RunSpec):
    """Images of a data set, or a picture: one of the two."""

    kind: Literal["gallery"] = "gallery"
    data: DataName | None = None
    """Validation images of this data set, evenly over its classes, the same ones every time."""
    image_size: ImageSize = "auto"
    """A picture's own is `catalog.OWN_IMAGE_SIZE`."""
    count: int = Field(default=12, ge=1, le=48)
    """Of them."""
    picture: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """What `runs.pictures.keep_picture` called an image file."""

    behaviour: BehaviourField = Field(default=USUAL, validate_default=True)

    @model_validator(mode="after")
    def _one_source(self) -> GallerySpec:
        if (self.data is None) == (self.picture is None):
            raise ValueError("a gallery is of data or of a picture, exactly one of them")
        behaviour = self.behaviour.behaviour
        if behaviour.attacks:
            raise InputError(
                f"{behaviour.title} change images for each network in another way, so there is no gallery of them; the"
                " results of a run show its own."
            )
        return self


def _execute(spec: GallerySpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.gallery.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


def _report(summary: Summary) -> Report:
    return Report(
        lines=(f"A gallery of {summary['n']} images: run {summary['run']}", str(summary.get("strengths", "")))
    )


DECLARES = Kind(
    name="gallery",
    place=60,
    label="Gallery",
    spec=GallerySpec,
    title=lambda spec: f"Gallery of {title_of(spec.data) if spec.data else 'a picture'}",
    report=_report,
    execute=_execute,
    shows=frozenset({"gallery"}),
    light=True,
    answers_form=True,
)
