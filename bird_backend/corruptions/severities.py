"""How strong each corruption is at severities 1 to 5: the arguments of its function, one row a severity.

The constants of CIFAR-10-C; ImageNet-C's are stronger, and not interchangeable. Hendrycks & Dietterich, "Benchmarking
Neural Network Robustness to Common Corruptions and Perturbations", ICLR 2019, `make_cifar_c.py`. Lengths are pixels,
intensities shares of the range, unless a function says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CONSTANTS", "Constants"]

Constants = Mapping[str, float]


def _rows(names: str, *rows: tuple[float, ...] | float) -> tuple[Constants, ...]:
    keys = names.split()
    values = [row if isinstance(row, tuple) else (row,) for row in rows]
    return tuple(dict(zip(keys, row, strict=True)) for row in values)


CONSTANTS: Mapping[str, tuple[Constants, ...]] = {
    "gaussian_noise": _rows("deviation", 0.04, 0.06, 0.08, 0.09, 0.10),
    "shot_noise": _rows("photons", 500, 250, 100, 75, 50),
    "impulse_noise": _rows("share", 0.01, 0.02, 0.03, 0.05, 0.07),
    "defocus_blur": _rows("radius sigma", (0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
    "glass_blur": _rows("sigma reach passes", (0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
    "motion_blur": _rows("radius sigma", (6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
    "zoom_blur": _rows("stop", 1.06, 1.11, 1.16, 1.21, 1.26),
    "snow": _rows(
        "mean deviation zoom threshold radius sigma kept",
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ),
    "frost": _rows("kept added", (1, 0.2), (1, 0.3), (0.9, 0.4), (0.85, 0.4), (0.75, 0.45)),
    "fog": _rows("amount decay", (0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
    "brightness": _rows("added", 0.05, 0.1, 0.15, 0.2, 0.3),
    "contrast": _rows("kept", 0.75, 0.5, 0.4, 0.3, 0.15),
    # Shares of the image's side.
    "elastic_transform": _rows(
        "amplitude sigma tilt",
        (0, 0, 0.08),
        (0.05, 0.2, 0.07),
        (0.08, 0.06, 0.06),
        (0.1, 0.04, 0.05),
        (0.1, 0.03, 0.03),
    ),
    "pixelate": _rows("share", 0.95, 0.9, 0.85, 0.75, 0.65),
    "jpeg_compression": _rows("quality", 80, 65, 58, 50, 40),
    "speckle_noise": _rows("deviation", 0.06, 0.1, 0.12, 0.16, 0.2),
    "gaussian_blur": _rows("sigma", 0.4, 0.6, 0.7, 0.8, 1.0),
    "spatter": _rows(
        "mean deviation sigma threshold weight mud",
        (0.62, 0.1, 0.7, 0.7, 0.5, 0),
        (0.65, 0.1, 0.8, 0.7, 0.5, 0),
        (0.65, 0.3, 1, 0.69, 0.5, 0),
        (0.65, 0.1, 0.7, 0.69, 0.6, 1),
        (0.65, 0.1, 0.5, 0.68, 0.6, 1),
    ),
    "saturate": _rows("factor added", (0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
}
