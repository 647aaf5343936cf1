"""Images that can be learned in a few steps, ones that can't, a spec of every method that trains, and its networks."""

from __future__ import annotations

import torch
from torch import nn

from bird_backend.datasets import Split
from bird_backend.models import build_model
from bird_backend.specs import LayerPair
from bird_backend.training import Batch, Classification, TransferMethod
from bird_backend.transfer import MethodSettings
from bird_backend.transfer.bird import BirdSettings
from bird_backend.transfer.building import Networks, build_method
from bird_backend.transfer.fine_tuning import FineTuningSettings
from bird_backend.transfer.frozen import FrozenNetwork
from bird_backend.transfer.hints import HintsSettings
from bird_backend.transfer.linear_probe import LinearProbeSettings
from bird_backend.transfer.lp_ft import LinearProbeThenFineTuningSettings
from bird_backend.transfer.lwf_features import FeatureDriftSettings
from bird_backend.transfer.lwf_logits import OldHeadSettings
from bird_backend.transfer.oracle import OracleSettings
from bird_backend.transfer.pkt import ProbabilisticSettings
from bird_backend.transfer.rkd import RelationalSettings
from bird_backend.transfer.soft_labels import SoftLabelsSettings
from bird_backend.transfer.sp import SimilarityPreservingSettings

__all__ = [
    "CLASSES",
    "HEAD",
    "PAIR",
    "PAIRS",
    "SPECS",
    "TASK",
    "a_batch",
    "blobs",
    "cast",
    "classes_of_teacher",
    "noise",
]

CLASSES = 4
HEAD = "classifier"
TASK = Classification()
PAIR = LayerPair(teacher="block3", student="block3")
PAIRS = (PAIR, LayerPair(teacher="block2", student="block3", weight=3.0))
SPECS: dict[str, MethodSettings] = {
    "linear-probe": LinearProbeSettings(),
    "fine-tuning": FineTuningSettings(),
    "lp-ft": LinearProbeThenFineTuningSettings(),
    "hints": HintsSettings(pairs=PAIRS),
    "lwf-features": FeatureDriftSettings(),
    "lwf-logits": OldHeadSettings(),
    "soft-labels": SoftLabelsSettings(),
    "bird": BirdSettings(pairs=(PAIR,)),
    "bird, learned": BirdSettings(pairs=PAIRS, weighting="learned"),
    "rkd": RelationalSettings(pairs=PAIRS),
    "sp": SimilarityPreservingSettings(pairs=PAIRS),
    "pkt": ProbabilisticSettings(pairs=PAIRS),
    "oracle": OracleSettings(),
}


def classes_of_teacher(method: str) -> int:
    """As many as the student has where outputs are compared, else another number."""
    return CLASSES if method == "soft-labels" else 7


def blobs(n: int = 96, classes: int = CLASSES) -> Split:
    """Images that carry their class as a bright quarter."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(n) % classes
    images = torch.randint(0, 60, (n, 3, 32, 32), generator=generator, dtype=torch.uint8)
    for index, label in enumerate(labels.tolist()):
        images[index, :, 16 * (label // 2) : 16 * (label // 2) + 16, 16 * (label % 2) : 16 * (label % 2) + 16] += 150
    return Split(images=images, labels=labels)


def noise(n: int = 96) -> Split:
    """Images and labels that have nothing to do with each other."""
    generator = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (n, 3, 4, 4), generator=generator).repeat_interleave(8, 2).repeat_interleave(8, 3)
    return Split(images=images.to(torch.uint8), labels=torch.randint(0, CLASSES, (n,), generator=generator))


def a_batch(n: int = 32, progress: float = 0.0) -> Batch:
    """The first of `blobs`, normalised."""
    data = blobs()
    return Batch(inputs=data.images[:n].float() / 64 - 2, targets=data.labels[:n], progress=progress)


def cast(spec: MethodSettings, *, shuffled: bool = False) -> tuple[TransferMethod, nn.Module, nn.Module]:
    """Method, student and teacher; the teacher is also what an LwF student began as."""
    teacher = build_model("cnn-small", classes=classes_of_teacher(spec.name), seed=2)
    student = build_model("cnn-small", classes=CLASSES, seed=1).train()
    frozen = FrozenNetwork(teacher, shuffled=shuffled)
    origin = FrozenNetwork(teacher)
    method = build_method(
        spec, Networks(teacher=frozen, origin=origin, student=student, classifier=HEAD, sample=a_batch(2)), seed=0
    )
    return method, student, teacher
