"""How strong each corruption is at severities 1 to 5.

The constants of CIFAR-10-C; ImageNet-C's are stronger, and not interchangeable. Hendrycks & Dietterich, "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019, `make_cifar_c.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CONSTANTS"]

CONSTANTS: Mapping[str, tuple[float, float, float, float, float]] = {
    "gaussian_noise": (0.04, 0.06, 0.08, 0.09, 0.10),  # standard deviation, of the range
    "contrast": (0.75, 0.5, 0.4, 0.3, 0.15),  # contrast kept
    "pixelate": (0.95, 0.9, 0.85, 0.75, 0.65),  # of the side length
    "gaussian_blur": (0.4, 0.6, 0.7, 0.8, 1.0),  # standard deviation, pixels
}
