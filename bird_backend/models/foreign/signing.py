"""The signatures of networks, by building each for two numbers of classes: made for the catalogue, and of own networks.

Own stems come before small ones, and torchvision's names before the catalogue's: weights from elsewhere are likelier
to be of a network as it is published.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bird_backend import catalog
from bird_backend.catalog.signatures import Signature, body, fingerprint, sample, signatures
from bird_backend.errors import InputError
from bird_backend.models.skeletons import CLASSES, heads, skeleton

__all__ = ["NATIVE", "SMALL", "sign", "sign_all", "sign_embedded", "sign_timm", "sign_torchvision", "together"]

NATIVE, SMALL = 224, 32
"""Image sizes for which networks have their own stems, and small ones."""
_VIT_SIZES = (384, 512, 518)
"""Others at which torchvision publishes ViT weights: their positions depend on the size."""


def sign(name: str, image_size: int) -> Signature:
    """A network's signature at this image size; one whose classes don't show in its tensors is an `InputError`."""
    head = heads(name, image_size=image_size)
    expected = skeleton(name, classes=CLASSES, image_size=image_size)
    marks = body({tensor: tuple(meta.shape) for tensor, meta in expected.items()}, head)
    return Signature(
        names=(name,),
        image_sizes=(image_size,),
        heads=head,
        tensors=len(marks),
        fingerprint=fingerprint(marks.values()),
        sample=sample(marks.values()),
    )


def sign_all() -> list[Signature]:
    """Of everything that the catalogue names, and of timm's networks: installed here, or else those known before."""
    timm = [each for each in signatures() if each.names[0].startswith("timm:")] if _lacks_timm() else sign_timm()
    return together([*sign_torchvision(), *sign_embedded(), *timm])


def sign_torchvision(names: Iterable[str] = tuple(catalog.TORCHVISION)) -> Iterator[Signature]:
    """torchvision's classifiers, at every image size that changes their tensors."""
    for name in names:
        more = _VIT_SIZES if name.startswith("vit") else ()
        yield from _at(f"torchvision:{name}", (NATIVE, *more, SMALL))


def sign_embedded(names: Iterable[str] | None = None) -> Iterator[Signature]:
    """The catalogue's own networks, with both stems; the small ones have but one."""
    for name in catalog.models() if names is None else names:
        yield from _at(name, (SMALL,) if catalog.find_model(name).small else (NATIVE, SMALL))


def sign_timm(names: Iterable[str] | None = None) -> Iterator[Signature]:
    """timm's classifiers at the image size that each is made for, with their own stems; a thousand take ten minutes."""
    import timm  # noqa: PLC0415 - optional, and slow to import

    plain_first = sorted(timm.list_models() if names is None else names, key=lambda name: (len(name), name))
    for name in plain_first:
        facts = timm.get_pretrained_cfg(name, allow_unregistered=True)
        yield from _at(f"timm:{name}", (facts.input_size[-1] if facts else NATIVE,))


def _lacks_timm() -> bool:
    return importlib.util.find_spec("timm") is None


def together(found: Iterable[Signature]) -> list[Signature]:
    """Networks with the same tensors under one signature, by the first one's name and image size."""
    merged: dict[tuple[object, ...], Signature] = {}
    for signature in found:
        key = signature.fingerprint, signature.heads
        first = merged.get(key, signature)
        merged[key] = replace(
            first,
            names=tuple(dict.fromkeys((*first.names, *signature.names))),
            image_sizes=tuple(dict.fromkeys((*first.image_sizes, *signature.image_sizes))),
        )
    return list(merged.values())


def _at(name: str, image_sizes: Iterable[int]) -> Iterator[Signature]:
    for image_size in image_sizes:
        try:
            yield sign(name, image_size)
        except InputError:  # it does not take images of this size
            continue
