"""Common corruptions at severities 1 to 5, on whole batches on their own device: each declared in its family's folder.

The constants are those of CIFAR-10-C; ImageNet-C's are stronger, and not interchangeable. Hendrycks & Dietterich,
"Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019, `make_cifar_c.py`. Lengths
are pixels, intensities shares of the range, unless a corruption says otherwise.
"""

from bird_backend.corruptions.declaration import SEVERITIES, Corruption, rows
from bird_backend.registry import Registry

__all__ = ["CORRUPTIONS", "SEVERITIES", "Corruption", "rows"]

CORRUPTIONS: Registry[Corruption] = Registry("corruption", "bird_backend.corruptions")
