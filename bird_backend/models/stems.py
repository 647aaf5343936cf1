"""Stems for images below 64 pixels: networks made for 224 throw away three quarters or more before their first block.

What He et al. (2016, §4.2) did for CIFAR-10, for any convolutional network: the first two halvings go. Strided
convolutions step by one pixel, a 7×7 or 5×5 one becomes 3×3, a pooling goes; patches of 4×4 become patches of 2×2.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from bird_backend.errors import InputError
from bird_backend.models.numberless import without_numbers

__all__ = ["SMALL_IMAGE", "Change", "change_stem", "plan_stem", "require_patches", "small_convolution"]

SMALL_IMAGE = 64
"""Images with fewer pixels a side get a small stem."""
_NATIVE = 224
_PATCHES = 8


class _Enough(Exception):  # noqa: N818 - no fault: what comes after the stem needn't run
    """All halvings that are to go have been seen."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is done to the module at `path`."""

    path: str
    what: Literal["step by one", "3×3", "half the patch", "leave out"]


def plan_stem(build: Callable[[], nn.Module], *, halvings: int = 2) -> tuple[Change, ...]:
    """What takes the first `halvings` out of the network that `build` makes; nothing where its stem doesn't halve.

    A halving is every strided module that sees a map of that size, so that both ways around a block lose it.
    """
    model = _twin(build)
    seen: list[tuple[int, str, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d]] = []
    handles = []
    for path, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) and _stride(module) > 1:

            def note(
                module: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, inputs: tuple[Tensor, ...], path: str = path
            ) -> None:
                seen.append((inputs[0].shape[-1], path, module))
                if len({size for size, _, _ in seen}) > halvings:
                    raise _Enough

            handles.append(module.register_forward_pre_hook(note))
    with torch.no_grad(), contextlib.suppress(_Enough):
        model(torch.zeros(1, 3, _NATIVE, _NATIVE, device=next(model.parameters()).device))
    if not seen or not isinstance(seen[0][2], nn.Conv2d) or seen[0][0] != _NATIVE:
        return ()
    if _stride(seen[0][2]) > 2:
        return (Change(path=seen[0][1], what="half the patch"),)
    sizes = list(dict.fromkeys(size for size, _, _ in seen))[:halvings]
    return tuple(Change(path=path, what=_what(module)) for size, path, module in seen if size in sizes)


def change_stem(model: nn.Module, plan: tuple[Change, ...]) -> None:
    """Carries a plan out; new convolutions draw their weights from torch's global generator."""
    for change in plan:
        module = model.get_submodule(change.path)
        if change.what == "leave out":
            _put(model, change.path, nn.Identity())
        elif isinstance(module, nn.Conv2d):
            if change.what == "step by one":
                module.stride = (1, 1)
            else:
                _put(model, change.path, _half_patches(module) if change.what == "half the patch" else _like(module))


def small_convolution(inputs: int, outputs: int, *, bias: bool = False) -> nn.Conv2d:
    """3×3 at stride 1, where ImageNet networks have 7×7 at stride 2."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    return conv


def require_patches(name: str, image_size: int) -> None:
    """An `InputError` where an image of this size can't be cut into 8×8 patches."""
    if image_size % _PATCHES:
        raise InputError(f"{name} cuts an image into 8×8 patches, so it takes multiples of 8, not {image_size}.")


def _twin(build: Callable[[], nn.Module]) -> nn.Module:
    """Without numbers, or with them where the network reads them as it is made."""
    with contextlib.suppress(RuntimeError, NotImplementedError), without_numbers():
        return build().to("meta").eval()
    with torch.random.fork_rng(devices=[]):
        return build().eval()


def _what(module: nn.Module) -> Literal["step by one", "3×3", "leave out"]:
    if not isinstance(module, nn.Conv2d):
        return "leave out"
    return "step by one" if module.kernel_size[0] <= 3 else "3×3"


def _like(module: nn.Conv2d) -> nn.Conv2d:
    return small_convolution(module.in_channels, module.out_channels, bias=module.bias is not None)


def _half_patches(module: nn.Conv2d) -> nn.Conv2d:
    """Patches that overlap, 7×7 every four pixels, still do: 3×3 every two."""
    stride, apart = module.stride[0] // 2, module.kernel_size == module.stride
    size, padding = (stride, 0) if apart else (3, 1)
    bias = module.bias is not None
    return nn.Conv2d(module.in_channels, module.out_channels, size, stride=stride, padding=padding, bias=bias)


def _stride(module: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d) -> int:
    stride = module.stride
    return stride[0] if isinstance(stride, tuple) else int(stride)


def _put(model: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, name = path.rpartition(".")
    model.get_submodule(parent).register_module(name, module)
