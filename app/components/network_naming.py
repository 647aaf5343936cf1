"""Naming a network by where it comes from: torchvision's and timm's by a list, one's own by text."""

from __future__ import annotations

import re
from collections.abc import Mapping

import streamlit as st

from app.address.url_state import keep_valid, put
from app.backend import named_networks as networks
from bird_backend import catalog

__all__ = ["NAMED_HELP", "another_network", "network_naming"]

NAMED_HELP = "Every classifier of torchvision or timm, or a network that you wrote yourself."

_CATALOGUE = "catalogue"
_TITLES = {"file": "My own file", "module": "My own package", _CATALOGUE: "This project"}
_EVERY = "All families"


def another_network(key: str) -> None:
    """A button that opens the fields; what is named and taken is put into the session under `key`."""
    popover = st.popover(
        "Another network",
        type="tertiary",
        icon=":material/add_circle:",
        key=f"_{key}_naming",
        on_change="rerun",
        help=NAMED_HELP,
    )
    if not popover.open:
        return
    with popover:
        network = network_naming(key)
        if network is not None:
            values = {key: network, f"_{key}_naming": False}
            st.button("Take it", on_click=put, args=(values,), key=f"{key}_take")


def network_naming(key: str, *, catalogued: bool = False) -> str | None:
    """Draw the fields, whose keys begin with `key`; returns the name as a spec says it, once it is one that is here.

    With `catalogued` the networks that come with the project are offered too.
    """
    sources = networks.offered_sources()
    options = [*sources, *([_CATALOGUE] if catalogued else [])]
    keep_valid(f"_{key}_source", options, options[0])
    chosen = str(
        st.segmented_control(
            "Where the network comes from",
            options,
            format_func=lambda name: _TITLES.get(name, name),
            key=f"_{key}_source",
            required=True,
        )
    )
    if chosen == _CATALOGUE:
        return _catalogued(key)
    source, names = sources[chosen], sources[chosen].names()
    if names:
        network = f"{chosen}:{_listed(f'{key}_{chosen}', names)}"
    else:
        asked = st.text_input(
            "Its name" if not source.own_code else "Where it is, and what makes it",
            key=f"_{key}_{chosen}",
            placeholder=source.form,
            help=source.caption,
        )
        asked = (asked or "").strip()
        network = asked if not asked or asked.startswith(f"{chosen}:") else f"{chosen}:{asked}"
    st.caption(_words(source))
    if len(sources) < len(networks.SOURCES):
        st.caption(networks.own_code_words())
    if not network:
        return None
    if (problem := networks.naming_problem(network)) is not None:
        st.error(problem, icon=":material/error:")
        return None
    return network


def _listed(key: str, names: Mapping[str, str]) -> str:
    """`key` is of the source too: a browser goes on showing what a list of the same name had for the same network."""
    families: dict[str, list[str]] = {}
    for name, title in names.items():
        families.setdefault(_family(title), []).append(name)
    left, right = st.columns([1, 1.4])
    keep_valid(f"_{key}_family", [_EVERY, *families], _EVERY)
    family = left.selectbox("Family", [_EVERY, *families], key=f"_{key}_family")
    offered = families.get(family, list(names))
    keep_valid(f"_{key}_listed", offered, "resnet50")
    return str(
        right.selectbox(
            "Network",
            offered,
            format_func=lambda name: f"{names[name]} · {name}" if name != names[name] else name,
            key=f"_{key}_listed",
            help="Type to search.",
        )
    )


def _catalogued(key: str) -> str:
    models = catalog.models()
    keep_valid(f"_{key}_catalogued", list(models), next(iter(models)))
    return str(
        st.selectbox("Network", list(models), format_func=lambda name: models[name].title, key=f"_{key}_catalogued")
    )


def _family(title: str) -> str:
    """`ResNet-50`, `Wide ResNet-50-2` and `Swin-B` are of ResNet, Wide ResNet and Swin."""
    found = re.match(r"(Wide )?[A-Za-z]+(V\d)?", title)
    return found[0] if found else title


def _words(source: networks.Source) -> str:
    return f"{source.caption} {networks.own_code_words()}" if source.own_code else source.caption
