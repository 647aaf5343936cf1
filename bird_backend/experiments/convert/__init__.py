"""Make a weights file of another program one of ours: opened safely, recognised, and kept with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from bird_backend.experiments.declaration import Kind, Report, RunSpec, Summary
from bird_backend.specs import DataName, ModelName, Preprocessing, WeightsName

if TYPE_CHECKING:
    from bird_backend.experiments.work import Work

__all__ = ["DECLARES", "Assumed", "ConvertSpec"]

_DIGEST_LENGTH = 64


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """What the file leaves open, in a sentence, and which settings of the spec say it; each front has its own words
    for those."""

    said: str
    fields: tuple[str, ...]


class ConvertSpec(RunSpec):
    """The file, and what a person knows of it that it doesn't say itself."""

    kind: Literal["convert"] = "convert"
    reads = ("source",)

    source: str = Field(min_length=1)
    """The path of a `.safetensors`, `.pth` or `.pt` file, the name of one in torch's cache, or what
    `runs.uploads.keep_upload` called one."""
    model: ModelName | None = None
    """The network; none: recognised by its tensors' names and shapes."""
    part: str | None = None
    """Which of the file's parts to take, such as `state_dict_ema`; none: the plain weights."""
    image_size: int | None = Field(default=None, ge=16, le=1024)
    """The side of the images that it was given; none: as published, else what the network is built for."""
    stem: Literal["own", "small"] | None = None
    """The network's own stem or one for small images; none: by its tensors, and its own where those leave it open."""
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    """What its images were normalised with; none: as published, else our way."""
    data: DataName | None = None
    """What it was trained on, so that its classes have names."""
    save_as: WeightsName | None = None
    """None: the file's own name, made plain."""
    role: Literal["teacher", "student"] = "teacher"

    @model_validator(mode="after")
    def _both(self) -> ConvertSpec:
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std come together: one of them says nothing without the other")
        if self.mean is not None and self.std is not None:
            Preprocessing(mean=self.mean, std=self.std)
        return self

    @property
    def uploaded(self) -> bool:
        """Whether the file was brought here rather than named by its path."""
        return len(self.source) == _DIGEST_LENGTH and PurePath(self.source).name == self.source

    @property
    def subject(self) -> str:
        """What a sentence calls the file."""
        return "The file" if self.uploaded else PurePath(self.source).name


def _execute(spec: ConvertSpec, work: Work) -> dict[str, Any]:
    from bird_backend.experiments.convert.execute import execute  # noqa: PLC0415 - torch

    return execute(spec, work)


def _report(summary: Summary) -> Report:
    own, classes = summary["preprocessing"], summary["classes"]
    named = ", ".join(classes[:_MOST_NAMED]) + (" …" if len(classes) > _MOST_NAMED else "")
    how = "our way" if own is None else f"mean {_numbers(own['mean'])}, std {_numbers(own['std'])}"
    rows = (
        ("kept as", summary["weights"]),
        ("network", summary["model"]),
        ("stem", _STEMS[summary["stem"]]),
        ("images", f"{summary['image_size']}×{summary['image_size']} pixels, normalised {how}"),
        ("classes", f"{len(classes)}: {named}"),
        ("parameters", f"{summary['parameters']:,} in {summary['tensors']} tensors"),
    )
    assumed = summary["assumed"]
    remarks = (*summary["remarks"], *(each["said"] for each in assumed))
    settings = tuple(dict.fromkeys(field for each in assumed for field in each["fields"]))
    return Report(
        header=("", "found"), rows=rows, lines=tuple(_sentence(remark) for remark in remarks), settings=settings
    )


def _numbers(values: list[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _sentence(remark: str) -> str:
    return f"{remark[0].upper()}{remark[1:]}."


_MOST_NAMED = 4
_STEMS = {"own": "its own", "small": "for small images", None: "as its code makes it"}

DECLARES = Kind(
    name="convert",
    place=57,
    label="Conversion",
    spec=ConvertSpec,
    title=lambda spec: f"Convert {'a weights file' if spec.uploaded else spec.subject}",
    report=_report,
    execute=_execute,
    light=True,
)
