"""Which of a network's many modules stand for it: its blocks, each by its last output, and the stages they are in."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

__all__ = ["outline"]

_PLAIN = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_STEP = 4
"""A sequence of at most so many simple modules, such as convolution, norm and ReLU, is one step."""
_NORMS = (nn.BatchNorm2d, nn.BatchNorm1d, nn.LayerNorm, nn.GroupNorm, nn.LocalResponseNorm)
_NOTHING = (nn.Dropout, nn.Identity, nn.Flatten, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool1d)
"""What adds nothing to the layer before it, or what mean pooling does anyway."""


def outline(model: nn.Module, paths: Sequence[str], classifier: str | None) -> tuple[set[str], dict[str, str]]:
    """Of the layers at `paths`, in order of execution: those that stand for the network, and each one's stage.

    Containers are opened, and whatever holds more than half of the parameters, so that `features` or `encoder` gives
    its blocks; within a block nothing is chosen. Of a convolution with its norm and activation the last is.
    """
    units = _units(model, set(paths), classifier)
    last = model.get_submodule(classifier) if classifier else None
    classes = last.out_features if isinstance(last, nn.Linear) else None  # a second head is none of its blocks
    before = paths[: paths.index(classifier)] if classifier in paths else paths
    chosen: list[str] = []
    for path in before:
        if path not in units:
            continue
        module = model.get_submodule(path)
        if isinstance(module, _NOTHING):
            continue
        simple, follows = _is_simple(module), bool(chosen) and _is_simple(model.get_submodule(chosen[-1]))
        belongs = isinstance(module, _NORMS) or _is_activation(module)
        if simple and belongs and follows and _parent(path) == _parent(chosen[-1]):
            chosen[-1] = path
        elif _has_parameters(module) and not (isinstance(module, nn.Linear) and module.out_features == classes):
            chosen.append(path)
    return set(chosen), {path: _stage(path, units) for path in paths}


def _units(model: nn.Module, ran: set[str], classifier: str | None) -> set[str]:
    """The paths at which opening ends."""
    total = sum(parameter.numel() for parameter in model.parameters()) or 1
    units: set[str] = set()
    waiting = [(name, child) for name, child in model.named_children()]
    while waiting:
        path, module = waiting.pop()
        children = [(f"{path}.{name}", child) for name, child in module.named_children()]
        if children and _opens(path, module, ran, classifier, total):
            waiting += children
        else:
            units.add(path)
    return units


def _opens(path: str, module: nn.Module, ran: set[str], classifier: str | None, total: int) -> bool:
    if path not in ran or (classifier or "").startswith(f"{path}."):
        return True
    children = list(module.children())
    if type(module) in _PLAIN:
        return len(children) > _STEP or not all(_is_simple(child) for child in children)
    return len(children) > 1 and 2 * sum(parameter.numel() for parameter in module.parameters()) > total


def _stage(path: str, units: set[str]) -> str:
    """The container of the block that a layer is in; a block beside opened containers is a stage of its own."""
    unit = next((above for above in _above(path) if above in units), None)
    if unit is None:
        return path
    parent = _parent(unit)
    mixed = any(_parent(other) != parent and other.startswith(f"{parent}." if parent else "") for other in units)
    return unit if not parent or mixed else parent


def _above(path: str) -> list[str]:
    """The path itself and every one that it lies in, from the outermost."""
    pieces = path.split(".")
    return [".".join(pieces[: count + 1]) for count in range(len(pieces))]


def _parent(path: str) -> str:
    return path.rpartition(".")[0]


def _is_simple(module: nn.Module) -> bool:
    return not any(True for _ in module.children())


def _is_activation(module: nn.Module) -> bool:
    """Or a pooling: torch's own without parameters, since what another one does isn't known."""
    return type(module).__module__.startswith("torch.nn.") and not _has_parameters(module)


def _has_parameters(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())
