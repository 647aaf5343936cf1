"""What is known of networks, those among them that aren't in the catalogue; and who may bring code of their own."""

from __future__ import annotations

import os
from ipaddress import ip_address

from bird_backend import catalog
from bird_backend.experiments.declaration import DataRunSpec
from bird_backend.runs.networks import image_size_of, network_facts
from bird_backend.specs import ModelRef

__all__ = ["keep_code_at_home", "multiply_adds"]

_UNKNOWN = catalog.find_model("resnet18")
"""Stands in for a network that has yet to be examined."""


def multiply_adds(reference: ModelRef, spec: DataRunSpec | None = None) -> int:
    """Of one image of that run, for an estimate of time."""
    size = 32 if spec is None else image_size_of(spec)
    facts = network_facts(reference, size)
    return _UNKNOWN.multiply_adds_at(size) if facts is None else facts.multiply_adds


def keep_code_at_home(address: str | None) -> None:
    """Switches networks of one's own code off, unless the owner has set `BIRD_NETWORKS`, where others reach the app.

    `address` is what the server listens on; none is every address that the machine has. The processes that the app
    starts inherit it.
    """
    if not _is_loopback(address):
        os.environ.setdefault("BIRD_NETWORKS", "")


def _is_loopback(address: str | None) -> bool:
    if address == "localhost":
        return True
    try:
        return address is not None and ip_address(address).is_loopback
    except ValueError:
        return False
