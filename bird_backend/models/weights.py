"""Weights with their provenance, as `.safetensors`: saved whole or not at all, loaded only where every tensor fits."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from bird_backend.errors import InputError, RunError
from bird_backend.models.preprocessing import attach_preprocessing
from bird_backend.models.registry import ARCHITECTURES, build_model
from bird_backend.models.skeletons import heads
from bird_backend.runs.provenance import METADATA_KEY, Header, Provenance, find_weights, read_header
from bird_backend.specs import OURS, ModelRef

__all__ = ["Provenance", "load_model", "save_tensors", "save_weights", "separate"]

_DTYPES = {
    torch.float32: "F32",
    torch.int64: "I64",
    torch.int32: "I32",
    torch.uint8: "U8",
    torch.bool: "BOOL",
}
"""What buffers and parameters are, in the format's words."""


def save_weights(path: Path, model: nn.Module, provenance: Provenance) -> None:
    """Writes a network's weights and provenance to `path`, which at every moment holds the old file or the new one."""
    save_tensors(path, model.state_dict(), provenance)


def save_tensors(path: Path, tensors: Mapping[str, Tensor], provenance: Provenance) -> None:
    """The same of a network's tensors by their names."""
    if path.suffix != ".safetensors":
        raise InputError(f"Weights are saved as .safetensors, not as {path.name}.")
    content = safetensors.torch.save(separate(tensors), metadata={METADATA_KEY: provenance.model_dump_json()})
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise RunError(f"The weights could not be saved at {path}: {error.strerror}.") from error


def separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, each whole and in memory of its own, as the format wants it; tied ones are written twice.

    Not copied is what is so already.
    """
    found: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        whole = tensor.detach().to("cpu", memory_format=torch.contiguous_format)
        memory = whole.untyped_storage()
        if memory.data_ptr() in taken or memory.nbytes() != whole.nbytes:
            whole = whole.clone()
        taken.add(memory.data_ptr())
        found[name] = whole
    return found


def load_model(
    ref: ModelRef, *, classes: int | None, seed: int, image_size: int = 32
) -> tuple[nn.Module, Provenance | None]:
    """The network of `ref` on the CPU in training mode, and its provenance where its weights came with one.

    It takes batches of `image_size` × `image_size` pixels, normalised our way. Without weights it is drawn from `seed`
    for `classes` classes. With weights the file sets the number of classes, and `classes`, if given, has to agree; and
    it sees images as they were when the weights were made, by a hook before it where that is another way or size.
    Anything wrong with the file is an `InputError` of one sentence.
    """
    if ref.weights is None:
        if classes is None:
            raise InputError(f"A new {ref.model} has to know its number of classes.")
        return build_model(ref.model, classes=classes, seed=seed, image_size=image_size), None
    path = find_weights(ref.weights)
    header = read_header(path)
    made_for = header.provenance.image_size if header.provenance else image_size
    held = _class_count(header, ref.model, path, made_for)
    if classes is not None and classes != held:
        raise InputError(f"The weights file {path} tells {held} classes apart, but {classes} are needed.")
    model = build_model(ref.model, classes=held, seed=seed, image_size=made_for)
    _require_fit(header, model.state_dict(), ref.model, path)
    try:
        tensors = safetensors.torch.load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"The weights file {path} is damaged: {error}.") from error
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise InputError(f"The weights file {path} holds numbers that are not finite, in {name}.")
    model.load_state_dict(tensors)
    own = header.provenance.preprocessing if header.provenance else None
    if own is not None or made_for != image_size:
        size = made_for if own is None or own.size is None else own.size
        attach_preprocessing(model, (own or OURS).model_copy(update={"size": size}))
    return model, header.provenance


def _class_count(header: Header, model: str, path: Path, image_size: int) -> int:
    provenance = header.provenance
    if provenance and provenance.model != model:
        raise InputError(f"The weights file {path} is for {provenance.model}, not for {model}.")
    if model not in ARCHITECTURES and provenance and provenance.classes:
        return len(provenance.classes)  # rather than build it twice to see where its classifier is
    known = ARCHITECTURES.get(model)
    name = f"{known.classifier}.weight" if known else heads(model, image_size=image_size)[0]
    weight = header.tensors.get(name)
    if weight is None:
        raise InputError(f"The weights file {path} is not for {model}: it has no {name}.")
    if len(weight.shape) not in (2, 4) or weight.shape[0] < 1:
        raise InputError(f"The weights file {path} is not for {model}: {name} has the shape {list(weight.shape)}.")
    count = weight.shape[0]
    if provenance and provenance.classes and len(provenance.classes) != count:
        named = len(provenance.classes)
        raise InputError(f"The weights file {path} names {named} classes, but its classifier has {count}.")
    return count


def _require_fit(header: Header, expected: dict[str, Tensor], model: str, path: Path) -> None:
    for name, tensor in expected.items():
        given = header.tensors.get(name)
        if given is None:
            raise InputError(f"The weights file {path} is not for {model}: it has no {name}.")
        if given.shape != tuple(tensor.shape):
            shapes = f"{list(given.shape)}, not {list(tensor.shape)}"
            raise InputError(f"The weights file {path} is not for {model}: {name} has the shape {shapes}.")
        if given.dtype != _DTYPES.get(tensor.dtype):
            dtypes = f"{given.dtype}, where {model} has {_DTYPES.get(tensor.dtype, tensor.dtype)}"
            raise InputError(f"The weights file {path} has the wrong number format: {name} is {dtypes}.")
    for name in header.tensors:
        if name not in expected:
            raise InputError(f"The weights file {path} is not for {model}: it has a tensor {name} too many.")
