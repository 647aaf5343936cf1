"""Where networks come from beside the catalogue: torchvision, timm, one's own files and packages; a folder each.

A spec names one `SOURCE:NAME`, and a network of the catalogue by its bare name. Everything here is torch-free.
"""

from __future__ import annotations

from bird_backend import catalog
from bird_backend.errors import UnknownNameError
from bird_backend.registry import Registry
from bird_backend.sources.declaration import Source

__all__ = ["SOURCES", "Source", "check_network", "fingerprint", "require_network", "source_of", "title_of_network"]

SOURCES: Registry[Source] = Registry("source of networks", "bird_backend.sources")


def source_of(network: str) -> tuple[Source | None, str]:
    """The source that a network's name begins with, and the rest; none for a bare name, which is the catalogue's."""
    prefix, colon, rest = network.partition(":")
    return (SOURCES.find(prefix), rest) if colon else (None, network)


def check_network(network: str) -> str:
    """The name, where it can be a network's; else an `InputError` with what it looks like, or with the closest."""
    source, rest = source_of(network)
    if source is not None:
        source.check(rest)
    elif network not in catalog.models():
        known = [*catalog.models(), *(f"torchvision:{name}" for name in catalog.TORCHVISION)]
        raise UnknownNameError("model", network, known)
    return network


def title_of_network(network: str) -> str:
    """What a person calls it: the catalogue's title, or what its source makes of the name."""
    source, rest = source_of(network)
    return catalog.find_model(network).title if source is None else source.title(rest)


def require_network(network: str) -> None:
    """An `InputError` where it can't be had here and now."""
    source, rest = source_of(network)
    if source is None:
        catalog.find_model(network)
    else:
        source.require(rest)


def fingerprint(network: str) -> str:
    """Changes when the code of a network does that isn't the catalogue's; of that one it is empty."""
    source, rest = source_of(network)
    return "" if source is None else source.fingerprint(rest)
