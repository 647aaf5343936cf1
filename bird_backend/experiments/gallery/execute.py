"""Drawing a gallery."""

from __future__ import annotations

from typing import Any

from bird_backend.experiments.gallery import GallerySpec
from bird_backend.experiments.gallery.drawing import draw_gallery, gallery_of_data, gallery_of_picture
from bird_backend.experiments.work import Work

__all__ = ["execute"]


def execute(spec: GallerySpec, work: Work) -> dict[str, Any]:
    """The pictures, kept as `gallery.npz`."""
    if spec.data is not None:
        images, labels, classes = gallery_of_data(work.read(spec.data, spec.image_size), spec.count, work.device)
    else:
        images, labels, classes = gallery_of_picture(str(spec.picture), spec.image_size, work.device)
    work.writer.begin("Drawing", 0.98)
    gallery = draw_gallery(
        images, labels, classes, settings=spec.behaviour, seed=spec.seed, progress=work.writer.progress
    )
    work.writer.save_arrays("gallery.npz", gallery.arrays())
    side = min(images.shape[2:])
    return {"n": len(labels), "image_size": side, "strengths": spec.behaviour.behaviour.strengths_at(side)}
