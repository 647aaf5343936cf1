"""Common corruptions at severities 1 to 5, on whole batches on their own device: each declared in its family's folder.

Each has the constants of CIFAR-10-C, Tiny-ImageNet-C and ImageNet-C, none interchangeable; `sources` says which images
have which. Lengths are pixels, intensities shares of the range, unless a corruption says otherwise. The published
Tiny-ImageNet-C and ImageNet-C are stored as JPEGs of quality 85, after every corruption; here nothing is.
"""

from bird_backend.corruptions.declaration import SEVERITIES, Corruption, rows
from bird_backend.corruptions.sources import CIFAR_C, IMAGENET_C, SIZES, TINY_IMAGENET_C, Source, source_of_constants
from bird_backend.registry import Registry

__all__ = [
    "CIFAR_C",
    "CORRUPTIONS",
    "IMAGENET_C",
    "SEVERITIES",
    "SIZES",
    "TINY_IMAGENET_C",
    "Corruption",
    "Source",
    "rows",
    "source_of_constants",
]

CORRUPTIONS: Registry[Corruption] = Registry("corruption", "bird_backend.corruptions")
