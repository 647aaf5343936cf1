"""Data sets as square RGB uint8 tensors with a fixed split, and what is done to their batches."""

from bird_backend.datasets.ahead import Ahead
from bird_backend.datasets.augmentation import augment, normalise, normalise_levels
from bird_backend.datasets.dataset import Dataset, Progress, Split, Within
from bird_backend.datasets.embedded import build_fashion_mnist_small
from bird_backend.datasets.placing import place
from bird_backend.datasets.registry import load_dataset

__all__ = [
    "Ahead",
    "Dataset",
    "Progress",
    "Split",
    "Within",
    "augment",
    "build_fashion_mnist_small",
    "load_dataset",
    "normalise",
    "normalise_levels",
    "place",
]
