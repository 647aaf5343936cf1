"""A foreign weights file made one of ours: opened, unwrapped, recognised or checked, tensors by the network's names.

What can't be converted is an `InputError` that says what is wrong and which network comes closest.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from safetensors import safe_open
from torch import Tensor

from bird_backend.catalog import OWN_IMAGE_SIZE
from bird_backend.catalog.signatures import Signature
from bird_backend.errors import InputError
from bird_backend.models.foreign.fitting import Fit, fit
from bird_backend.models.foreign.reading import Opened, opened
from bird_backend.models.foreign.recognising import Candidate, closest, exact
from bird_backend.models.foreign.signing import NATIVE, SMALL, sign, together
from bird_backend.models.foreign.unwrapping import Group, Shapes, groups, wrapping
from bird_backend.models.skeletons import CLASSES, skeleton
from bird_backend.models.stems import SMALL_IMAGE
from bird_backend.runs.provenance import Provenance
from bird_backend.sources import source_of

__all__ = ["Asked", "Converted", "Stem", "convert"]

Stem = Literal["own", "small"]

_LEAST_ALIKE = 0.1


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a person says of the file; whatever is none is found out."""

    network: str | None = None
    image_size: int | None = None
    """The side of the images that it was given."""
    stem: Stem | None = None
    part: str | None = None
    """Which of the file's parts to take."""


@dataclass(frozen=True, kw_only=True)
class Converted:
    """A network's weights, as they were found in a file."""

    network: str
    also: tuple[str, ...]
    """Other networks with the same tensors."""
    stem: Stem | None
    """None: what stem there is, its own code decides."""
    native: int
    """The image size that the network with this stem is built for, where nothing else is said."""
    stem_open: bool
    """Whether the same tensors would do with the other stem."""
    classes: int
    names: tuple[str, ...]
    """Of the classes, where the file has them."""
    tensors: Mapping[str, Tensor]
    taken: str
    """The mapping that they lay in; empty where the file itself is it."""
    prefix: str
    """What stood before each name there."""
    offered: tuple[str, ...]
    """Other parts of the file that hold weights of the same network."""
    provenance: Provenance | None
    """Where the file was made here, or elsewhere by this project, and nothing else was asked for."""
    remarks: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """Numbers in it, without whole ones, which are counters."""
        return sum(tensor.numel() for tensor in self.tensors.values() if tensor.is_floating_point())


def convert(
    source: Path,
    *,
    subject: str,
    asked: Asked,
    folder: Path | None = None,
    on_wait: Callable[[float], None] = lambda _: None,
) -> Converted:
    """The weights in `source`, which a sentence calls `subject`, checked against the asked network or else recognised.

    What has to be written in between lies in `folder`; `on_wait` is told how much of opening is done at most.
    """
    with opened(source, subject=subject, folder=folder, on_wait=on_wait) as file:
        made = file.provenance if asked == Asked() else None
        if made is not None and _is_own_code(made.model):
            made = None  # code is executed only where a person names it
        if made is not None:
            asked = Asked(network=made.model, image_size=made.image_size)
        shapes = {name: tensor.shape for name, tensor in file.tensors.items()}
        found = groups(shapes, asked.part)
        if not found:
            parts = ", ".join(name for name in file.mappings if name) or "none"
            raise InputError(f"{subject} has no part {asked.part!r} with a network's weights; its parts: {parts}.")
        exactly = exact(found) if asked.network is None else []
        chosen = exactly[0] if exactly else _best(found, shapes, asked, subject)
        try:
            fitted = _fit(chosen, shapes)
        except InputError as error:  # it is known, and can't be built here: timm is not installed
            raise InputError(f"{subject} holds {chosen.signature.names[0]}, but {error}") from error
        if not fitted.good:
            raise InputError(_misfit(subject, chosen, fitted, asked))
        signature, network = chosen.signature, asked.network or chosen.signature.names[0]
        own_code = _is_own_code(network)
        stem, native = _stem(signature.image_sizes, asked, subject, network)
        mapping, prefix = wrapping(chosen.group.prefix, file.mappings)
        offered = tuple(_place(each.group, file) for each in exactly[1:] if each.signature == signature)
        return Converted(
            network=network,
            also=() if asked.network else signature.names[1:],
            stem=None if own_code else stem,
            native=native,
            stem_open=not (own_code or asked.stem) and len({_stem_at(size) for size in signature.image_sizes}) > 1,
            classes=fitted.classes,
            names=file.classes if len(file.classes) == fitted.classes else (),
            tensors=_tensors(file, fitted, network, native, subject),
            taken=mapping,
            prefix=prefix,
            offered=offered,
            provenance=made,
            remarks=(*_remarks(file, chosen, mapping, prefix), *fitted.remarks),
        )


def _is_own_code(network: str) -> bool:
    source, _ = source_of(network)
    return source is not None and source.own_code


def _best(found: Sequence[Group], shapes: Shapes, asked: Asked, subject: str) -> Candidate:
    """The network and group that agree most, tensor by tensor; of a network that was asked for, the stem too."""
    candidates = closest(found) if asked.network is None else _candidates(asked.network, found, asked.image_size)
    if asked.network is None and asked.image_size is not None and candidates:
        with contextlib.suppress(InputError):  # it can't be built here, or takes no images of that size
            candidates += _candidates(candidates[0].signature.names[0], found, asked.image_size)
    fits = [_worth(candidate, shapes) for candidate in candidates]
    best = max(range(len(fits)), key=fits.__getitem__, default=None)
    if best is not None and asked.network is not None and fits[best][1] < _LEAST_ALIKE:
        best = 0  # nothing is like it: the file as a whole is what doesn't fit
    if best is None or (asked.network is None and fits[best][1] < _LEAST_ALIKE):
        raise InputError(
            f"{subject} holds {len(shapes)} tensors of no network that is known here, the first of them"
            f" {next(iter(shapes))}; if it is your own, name it as file:PATH.py:FACTORY."
        )
    return candidates[best]


def _worth(candidate: Candidate, shapes: Shapes) -> tuple[bool, float]:
    """Whether it fits, and how alike they are; what can't be built here has nothing to be compared with."""
    try:
        fitted = _fit(candidate, shapes)
    except InputError:
        return False, 0.0
    return fitted.good, fitted.likeness


def _candidates(network: str, found: Sequence[Group], image_size: int | None) -> list[Candidate]:
    sizes = _sizes(image_size)
    if _is_own_code(network):
        sizes = (OWN_IMAGE_SIZE, *sizes) if image_size is None else (image_size,)
    signatures = together(_signed(network, sizes))
    return [Candidate(group=group, signature=each, likeness=0.0) for each in signatures for group in found]


def _sizes(image_size: int | None) -> tuple[int, ...]:
    """At which a named network is tried: the size that was said, and those of its own stem before a small one."""
    if image_size is None:
        return NATIVE, SMALL
    return (NATIVE, image_size, SMALL) if image_size < SMALL_IMAGE else (image_size, NATIVE, SMALL)


def _signed(network: str, sizes: Sequence[int]) -> list[Signature]:
    """At those sizes that the network takes; the last one's `InputError` where it takes none."""
    found, error = [], None
    for size in sizes:
        try:
            found.append(sign(network, size))
        except InputError as said:
            error = said
    if error is not None and not found:
        raise error
    return found


def _fit(candidate: Candidate, shapes: Shapes) -> Fit:
    signature, group = candidate.signature, candidate.group
    expected = skeleton(signature.names[0], classes=CLASSES, image_size=signature.image_sizes[0])
    outer = group.prefix.rpartition(".")[0].rpartition(".")[0]
    beside = f"{outer}." if outer else ""
    others = {
        name: shape
        for name, shape in shapes.items()
        if group.prefix and name.startswith(beside) and not name.startswith(group.prefix)
    }
    return fit(group, {name: tuple(meta.shape) for name, meta in expected.items()}, signature.heads, others)


def _stem(image_sizes: Sequence[int], asked: Asked, subject: str, network: str) -> tuple[Stem, int]:
    wanted = asked.stem or _stem_at(image_sizes[0])
    fitting = [size for size in image_sizes if _stem_at(size) == wanted]
    if not fitting:
        held = _stem_at(image_sizes[0])
        raise InputError(f"{subject} holds {network} with its {held} stem, not with its {wanted} one.")
    return wanted, fitting[0]


def _stem_at(image_size: int) -> Stem:
    return "small" if image_size < SMALL_IMAGE else "own"


def _misfit(subject: str, chosen: Candidate, fitted: Fit, asked: Asked) -> str:
    network, prefix = chosen.signature.names[0], chosen.group.prefix
    where = f" (under {prefix.rstrip('.')})" if prefix else ""
    if fitted.headless:
        lacks = ", ".join(fitted.missing)
        return (
            f"{subject}{where} holds the tensors of {network} without a classifier ({lacks} missing); weights"
            " are converted with the classifier that they were trained with."
        )
    start, near, own = f"{subject}{where} doesn't fit {network}", "", ""
    if asked.network is None:
        start, near = f"{subject}{where} fits no network that is known here", f", the closest being {network}"
        own = "; if it is your own network, name it as file:PATH.py:FACTORY"
    if fitted.misshapen and not (fitted.missing or fitted.unexpected or asked.image_size):
        own = f"; if its images had another size than {chosen.signature.image_sizes[0]}, say it as image_size{own}"
    share = f"{fitted.agreeing} of {network}'s {fitted.total} tensors are there"
    return f"{start}{near}: {share}; {fitted.differences()}{own}."


def _place(group: Group, file: Opened) -> str:
    mapping, prefix = wrapping(group.prefix, file.mappings)
    return mapping or prefix.rstrip(".")


def _remarks(file: Opened, chosen: Candidate, mapping: str, prefix: str) -> list[str]:
    remarks = []
    if mapping:
        remarks.append(f"the weights were taken from {mapping} in the file")
    if prefix:
        remarks.append(f"the beginning {prefix} was taken off their names")
    if chosen.group.averaged:
        remarks.append("they are an average over training (EMA)")
    narrow = [(name, count) for name, count in file.dtypes.items() if name != "float32" and "float" in name]
    return [*remarks, *(f"{count} tensors in {name} were converted to float32" for name, count in narrow)]


def _tensors(file: Opened, fitted: Fit, network: str, image_size: int, subject: str) -> dict[str, Tensor]:
    expected = skeleton(network, classes=CLASSES, image_size=image_size)
    tensors = {}
    with safe_open(file.path, framework="pt") as stored:
        for name, source in fitted.sources.items():
            dtype = expected[name].dtype
            tensor = torch.zeros((), dtype=dtype) if source is None else stored.get_tensor(source)
            if tensor.is_floating_point() != dtype.is_floating_point:
                raise InputError(f"{subject} has the wrong number format: {name} is {tensor.dtype}, not {dtype}.")
            if not tensor.isfinite().all():
                raise InputError(f"{subject} holds numbers that are not finite, in {name}.")
            tensors[name] = tensor.to(dtype)
    return tensors
