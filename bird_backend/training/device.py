"""Where a run computes and how: device, precision, memory layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from bird_backend.errors import InputError

__all__ = ["autocast", "choose_device", "layout", "prepare", "training_mode"]


def choose_device(name: str) -> torch.device:
    """The device a spec or a lease names; `auto` takes CUDA, then MPS, then the CPU.

    One that isn't there is an `InputError`.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if not re.fullmatch(r"cpu|mps|cuda(:\d{1,2})?", name):
        raise InputError(f"Unknown device {name!r}: use auto, cpu, mps, cuda or cuda:N.")
    device = torch.device(name)
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count()):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        raise InputError(f"Device {name!r} is not here: this machine has {count} CUDA devices; use cpu or auto.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise InputError("Device 'mps' is not here: it needs a Mac with Apple silicon; use cpu or auto.")
    return device


def autocast(device: torch.device, precision: str) -> AbstractContextManager[object]:
    """bfloat16 where it was asked for, and for `auto` on CUDA devices that have it: no loss scaling, hence no sync."""
    automatic = device.type == "cuda" and torch.cuda.is_bf16_supported()
    if precision == "bfloat16" or (precision == "auto" and automatic):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


def layout(model: nn.Module) -> torch.memory_format:
    """Channels-last for convolutional networks: half the time of the default on a CPU, and what tensor cores want."""
    if any(isinstance(module, nn.Conv2d) and module.kernel_size != module.stride for module in model.modules()):
        return torch.channels_last
    return torch.contiguous_format


def prepare(model: nn.Module, device: torch.device) -> nn.Module:
    """The model on its device in its layout."""
    return model.to(device=device, memory_format=layout(model))  # type: ignore[call-overload, no-any-return]


@contextmanager
def training_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Put `model` in training or evaluation mode while inside, and each of its modules back after."""
    before = [(module, module.training) for module in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before:  # some may be kept in evaluation mode while the rest trains
            module.training = mode


def to_layout(images: Tensor, model_layout: torch.memory_format) -> Tensor:
    """A batch in the layout its network computes in."""
    return images.contiguous(memory_format=model_layout)
