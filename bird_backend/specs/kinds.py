"""Every kind of run that can be asked for, and what a spec of it holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from bird_backend import catalog

__all__ = [
    "AnalyzeSpec",
    "BirdMethod",
    "EvaluateSpec",
    "Evaluation",
    "FineTuningMethod",
    "GallerySpec",
    "LayerPair",
    "Method",
    "ModelRef",
    "PretrainSpec",
    "RobustifySpec",
    "RunSpec",
    "Snapshots",
    "Spec",
    "Training",
    "TransferSpec",
]


class Spec(BaseModel):
    """Frozen, and an unknown field is an error rather than silence."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


ModelName = Annotated[str, Field(description="a network of the registry")]


def _known_data(name: str) -> str:
    prefix, _, path = name.partition(":")
    if prefix in ("folder", "zip") and path:
        return name
    return catalog.find_dataset(name).name


DataName = Annotated[
    str, AfterValidator(_known_data), Field(description="a data set by name, `folder:PATH` or `zip:PATH`")
]
CheckpointName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$", description="what the weights will be called")
]


class ModelRef(Spec):
    """A network and where its weights come from."""

    model: ModelName
    weights: str | None = None
    """A checkpoint's name, or the path of a `.safetensors` file; none: random weights drawn from the run's seed."""

    @field_validator("model")
    @classmethod
    def _known(cls, name: str) -> str:
        return catalog.find_model(name).name


class Training(Spec):
    """The budget and settings of one training loop. The learning rate falls to zero on a cosine, stepped per batch."""

    epochs: int = Field(default=4, ge=1, le=2000)
    batch_size: int = Field(default=128, ge=4, le=8192)
    optimizer: Literal["sgd", "adamw"] = "sgd"
    lr: float = Field(default=0.005, gt=0, le=10)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0, le=1)
    augment: bool = True
    """Shift by up to four pixels and mirror, drawn anew for each image and step."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    checkpoint_every: int = Field(default=200, ge=1)
    """Steps between checkpoints a run can resume from."""


class Evaluation(Spec):
    """What is measured on the test images, once, at the end."""

    corruptions: tuple[str, ...] = tuple(catalog.CORRUPTIONS)
    severities: tuple[int, ...] = catalog.SEVERITIES
    limit: int | None = Field(default=None, ge=1)
    """At most so many test images, the same for every model of the run."""
    corrupted_dir: str | None = Field(default=None, min_length=1)
    """A folder in CIFAR-10-C's layout whose images are read, instead of corrupting on the fly."""
    faithful: bool = False
    """Keep a slip of the published script, whose glass blur copies pixels where it means to swap them."""
    frost_textures: str | None = Field(default=None, min_length=1)
    """A folder of pictures to lay over the images as frost, in place of the project's own."""

    @field_validator("corruptions")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(catalog.find_corruption(name).name for name in dict.fromkeys(names))

    @field_validator("severities")
    @classmethod
    def _in_range(cls, severities: tuple[int, ...]) -> tuple[int, ...]:
        if not severities or any(severity not in catalog.SEVERITIES for severity in severities):
            raise ValueError("severities are whole numbers from 1 to 5, at least one")
        return tuple(sorted(set(severities)))

    @model_validator(mode="after")
    def _one_source(self) -> Evaluation:
        if self.corrupted_dir is not None and (self.faithful or self.frost_textures is not None):
            raise ValueError("faithful and frost_textures are for corrupting on the fly, so not with a corrupted_dir")
        return self


class Snapshots(Spec):
    """What is kept along the way for looking at: validation images, never test images."""

    count: int = Field(default=20, ge=2, le=200)
    """Points of a training run at which the geometry is recorded."""
    gram_images: int = Field(default=128, ge=16, le=256)
    embedding_images: int = Field(default=1000, ge=32, le=5000)


class LayerPair(Spec):
    """The teacher's guiding layer, the student's guided layer, and the pair's share of the representation loss."""

    teacher: str
    student: str
    weight: float = Field(default=1.0, gt=0)


class BirdMethod(Spec):
    """`alpha` × task loss + `beta` × (1 − CKA), the CKA averaged over the layer pairs by weight."""

    name: Literal["bird"] = "bird"
    alpha: float = Field(default=0.1, ge=0)
    beta: float = Field(default=0.9, ge=0)
    kernel: Literal["linear", "rbf"] = "linear"
    bandwidth: float = Field(default=1.0, gt=0)
    """RBF only: sigma² as a fraction of the median squared distance."""
    estimator: Literal["biased", "debiased"] = "biased"
    pooling: Literal["mean", "flatten"] = "mean"
    pairs: tuple[LayerPair, ...] = Field(min_length=1, max_length=16)


class FineTuningMethod(Spec):
    """The task loss alone, on the student's own clean data."""

    name: Literal["fine-tuning"] = "fine-tuning"


Method = Annotated[BirdMethod | FineTuningMethod, Field(discriminator="name")]


class _RunSpec(Spec):
    title: str = Field(default="", max_length=120)
    seed: int = Field(default=0, ge=0, lt=2**31)
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d{1,2})?)$")


class _DataRunSpec(_RunSpec):
    data: DataName


class PretrainSpec(_DataRunSpec):
    """Train a network on clean data: how a student comes to be."""

    kind: Literal["pretrain"] = "pretrain"
    model: ModelRef
    training: Training = Training(lr=0.05)
    evaluation: Evaluation = Evaluation()
    save_as: CheckpointName | None = None


class RobustifySpec(_DataRunSpec):
    """Train a network on images corrupted on the fly, severities 0 to 5: how a robust teacher comes to be."""

    kind: Literal["robustify"] = "robustify"
    model: ModelRef
    corruptions: tuple[str, ...] = tuple(name for name, facts in catalog.CORRUPTIONS.items() if facts.seen)
    training: Training = Training(lr=0.05)
    evaluation: Evaluation = Evaluation()
    save_as: CheckpointName | None = None

    @field_validator("corruptions")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("a robust teacher needs at least one corruption to train on")
        return tuple(catalog.find_corruption(name).name for name in dict.fromkeys(names))


class TransferSpec(_DataRunSpec):
    """Move a behaviour from a frozen teacher into a student, on the student's own data."""

    kind: Literal["transfer"] = "transfer"
    teacher: ModelRef
    student: ModelRef
    method: Method
    training: Training = Training()
    baseline: bool = True
    """Also fine-tune the same student with the same seed, batches and budget, so that a gain has something to beat."""
    evaluation: Evaluation = Evaluation()
    snapshots: Snapshots = Snapshots()
    save_as: CheckpointName | None = None

    @model_validator(mode="after")
    def _layers(self) -> TransferSpec:
        if isinstance(self.method, BirdMethod):
            for pair in self.method.pairs:
                catalog.find_layer(self.teacher.model, pair.teacher)
                catalog.find_layer(self.student.model, pair.student)
            if self.method.alpha == 0 and self.method.beta == 0:
                raise ValueError("alpha and beta are both 0, so there is nothing to minimise")
        return self

    @property
    def drawn_pair(self) -> LayerPair:
        """The layer pair whose geometry is drawn: the method's first, else each network's last layer."""
        if isinstance(self.method, BirdMethod):
            return self.method.pairs[0]
        teacher, student = catalog.find_model(self.teacher.model), catalog.find_model(self.student.model)
        return LayerPair(teacher=teacher.layers[-1].name, student=student.layers[-1].name)


class EvaluateSpec(_DataRunSpec):
    """Measure clean and corrupted accuracy of a network on a data set's test images."""

    kind: Literal["evaluate"] = "evaluate"
    model: ModelRef
    evaluation: Evaluation = Evaluation()


class AnalyzeSpec(_DataRunSpec):
    """CKA of every teacher layer with every student layer on validation images: which layers could be aligned."""

    kind: Literal["analyze"] = "analyze"
    teacher: ModelRef
    student: ModelRef
    images: int = Field(default=512, ge=16, le=4096)
    estimator: Literal["biased", "debiased"] = "debiased"
    kernel: Literal["linear", "rbf"] = "linear"


class GallerySpec(_RunSpec):
    """Draw images under every corruption at every severity, to be looked at: a data set's, or one that was brought."""

    kind: Literal["gallery"] = "gallery"
    data: DataName | None = None
    """Validation images of this data set, evenly over its classes, the same ones every time."""
    count: int = Field(default=12, ge=1, le=48)
    """Of them."""
    picture: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    """What `runs.pictures.keep_picture` called an image file."""

    @model_validator(mode="after")
    def _one_source(self) -> GallerySpec:
        if (self.data is None) == (self.picture is None):
            raise ValueError("a gallery is of data or of a picture, exactly one of them")
        return self


RunSpec = PretrainSpec | RobustifySpec | TransferSpec | EvaluateSpec | AnalyzeSpec | GallerySpec
