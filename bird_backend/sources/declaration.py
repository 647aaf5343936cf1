"""What a source of networks declares, torch-free: what its names look like, and who builds what they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Source"]


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where networks come from that a spec names `SOURCE:NAME`, declared in the folder of its name."""

    name: str
    place: int
    form: str
    """What a name looks like, for a person: `torchvision:NAME`."""
    caption: str
    check: Callable[[str], None]
    """Of the name after the colon: an `InputError` where it can't be one. It asks neither disk nor network, since the
    spec of a run that is over has to be read wherever it is."""
    title: Callable[[str], str]
    require: Callable[[str], None]
    """An `InputError` where it can't be had here and now: not installed, not allowed, not there."""
    fingerprint: Callable[[str], str]
    """Changes when the network's code does; none of it is executed."""
    build: Callable[[str, int, int], nn.Module]
    """Name, classes, image size: the network in training mode on the CPU, its weights from torch's global generator."""
    names: Callable[[], Mapping[str, str]] = dict
    """What can be chosen from here and now, each with its title; nothing where any text may be a name."""
    own_code: bool = False
    """Building executes what the person wrote."""
