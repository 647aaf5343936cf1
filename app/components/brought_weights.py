"""A weights file of another program: brought, recognised by a light run, and said what it is and is good for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.address.routes import go, link
from app.address.url_state import keep_valid, put
from app.backend import data
from app.backend.foreign import MAX_WEIGHTS_BYTES, Conversion, cached_weights, convert, convert_document, keep_weights
from app.backend.named_networks import network_words
from app.backend.weights import Weights, usable
from app.components.drawing_again import draw_again
from app.components.job_wait import wait_for
from app.components.layer_tree import layer_tree
from app.components.measure_weights import measure_weights
from app.components.network_look import network_look
from app.components.network_naming import network_naming
from app.words.markdown import plain
from bird_backend import catalog
from bird_backend.catalog import title_of
from bird_backend.specs import ModelRef

__all__ = ["BROUGHT", "brought_weights"]

BROUGHT: Mapping[str, str | int] = {"source": "", "file": "", "holds": "", "trained": "", "side": 0, "norm": ""}
"""What of it is in the address, at first: the file, by digest or path, what it is called, and what is said of it."""
_SAID = ("holds", "trained", "side", "norm")
_NORMS = {"": "As all images here", "imagenet": "As for ImageNet"}
_TYPES = ["pth", "pt", "safetensors", "bin", "ckpt"]
_MOST_NAMED = 8
_TRAINED, _SIDE, _NORMALISED, _NETWORK = "Trained on", "Side of its images", "Colours normalised", "Name its network"
_FIELDS: Mapping[str, str] = {"data": _TRAINED, "image_size": _SIDE, "mean": _NORMALISED, "model": _NETWORK}
"""What a setting of the spec is called here."""
_MORE = "Say more of it"


def brought_weights() -> None:
    """Draw the fields, and what came of them. The choices are in the session under the keys of `BROUGHT`."""
    _choose()
    said = {name: st.session_state[name] for name in BROUGHT}
    if not said["source"]:
        st.caption(
            "Weights that you or somebody else trained elsewhere: what torch.save or safetensors wrote. They are "
            "recognised by the names and shapes of their tensors, and nothing in the file is executed."
        )
        return
    try:
        document = convert_document(**said)
        conversion = convert(document)
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")
        return
    if conversion.found is not None:
        _recognised(conversion, document)
    elif data.is_active(conversion.run):
        wait_for(conversion.run, "Recognising the weights")
    else:
        st.error(conversion.run.reason or "Recognising the file was stopped.", icon=":material/error:")
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Try again", icon=":material/refresh:", key="convert_again"):
                convert(document, retry=True)
                draw_again()
            link("live", "Its log", icon=":material/notes:", run=conversion.run.id)
        st.subheader("Do you know which network it holds?", anchor=False)
        _say_more("Try it so", names=True)


def _choose() -> None:
    left, right = st.columns(2, gap="large")
    left.file_uploader(
        "Drop a weights file",
        type=_TYPES,
        key="_weights_file",
        on_change=_bring,
        max_upload_size=MAX_WEIGHTS_BYTES // 2**20,
        help="A .pth, .pt or .safetensors file. It is kept on the machine that runs this app, and read in a process of "
        "its own with limits of memory and time.",
    )
    source = str(st.session_state["source"])
    st.session_state["_weights_path"] = "" if st.session_state["file"] else source
    right.text_input(
        "Or its path",
        key="_weights_path",
        placeholder="/home/me/resnet50.pth",
        on_change=_point,
        help="On the machine that runs this app: for large files, which then need not be brought.",
    )
    if cached := cached_weights():
        st.session_state["_weights_cached"] = None
        right.selectbox(
            "Or what torch downloaded here",
            list(cached),
            key="_weights_cached",
            placeholder=f"{len(cached)} files",
            on_change=_take_cached,
            help="Such as the ImageNet weights that torchvision keeps in its cache.",
        )
    if said := st.session_state.pop("_not_kept", None):
        st.error(said, icon=":material/error:")


def _bring() -> None:
    file = st.session_state["_weights_file"]
    if file is None:
        return
    try:
        digest = keep_weights(file)
    except data.BirdError as error:
        st.session_state["_not_kept"] = str(error)
        return
    _take(digest, file.name)


def _point() -> None:
    _take(str(st.session_state["_weights_path"] or "").strip())


def _take_cached() -> None:
    _take(cached_weights().get(str(st.session_state["_weights_cached"]), ""))


def _take(source: str, file: str = "") -> None:
    put({**BROUGHT, "source": source, "file": file})


def _recognised(conversion: Conversion, document: Mapping[str, Any]) -> None:
    found = conversion.found or {}
    weights = usable(data.weights_files()).get(str(found["weights"]))
    if weights is None or weights.provenance is None:
        st.warning(f"The weights that this file became, `{found['weights']}`, are no longer there.")
        if st.button("Convert it again", icon=":material/refresh:", key="convert_again"):
            convert(document, retry=True)
            draw_again()
        return
    with st.container(border=True):
        st.header(f"It holds {network_words(weights.network)}", anchor=False)
        st.markdown(_facts(found, weights))
        st.caption("\n".join(f"- {plain(said[0].upper() + said[1:])}." for said in _remarks(found)))
        if labels := _to_say(found):
            st.caption(f"Where that is wrong, *{_MORE}*, below, takes: {labels}.")
        with st.container(horizontal=True, vertical_alignment="center"):
            if st.button("Use it as teacher", type="primary", icon=":material/rocket_launch:", key="as_teacher"):
                go("launch", teacher=weights.value)
            if st.button("Use it as student", icon=":material/school:", key="as_student"):
                go("launch", student=weights.value)
    with st.expander("Measure its accuracy", icon=":material/speed:"):
        measure_weights(weights)
    with st.expander("Its layers", icon=":material/account_tree:"):
        look = network_look("brought", ModelRef(model=weights.network, weights=weights.value), _size(weights))
        if look.facts is not None:
            layer_tree(look.facts)
    with st.expander(_MORE, icon=":material/edit:"):
        _say_more("Convert it so")


def _say_more(label: str, *, names: bool = False) -> None:
    """What a person knows and the file doesn't say: the network, the data, and how its images looked."""
    asked = st.toggle(_NETWORK, key="_say_network", value=names or bool(st.session_state["holds"]))
    network = network_naming("brought", catalogued=True) if asked else ""
    first, second, third = st.columns(3)
    data_sets = ["", *catalog.DATASETS]
    keep_valid("_say_trained", data_sets, str(st.session_state["trained"]))
    trained = first.selectbox(
        _TRAINED,
        data_sets,
        format_func=lambda name: title_of(name) if name else "Something else",
        key="_say_trained",
        help="Its classes are then known by their names.",
    )
    side = second.number_input(
        _SIDE,
        value=int(st.session_state["side"]),
        min_value=0,
        max_value=1024,
        step=8,
        key="_say_side",
        help="In pixels; 0 where you don't know. It gets images in this size, whatever size the data has.",
    )
    keep_valid("_say_norm", list(_NORMS), str(st.session_state["norm"]))
    norm = third.selectbox(
        _NORMALISED,
        list(_NORMS),
        format_func=_NORMS.__getitem__,
        key="_say_norm",
        help="How the colours of its images were scaled in its training. Most networks trained elsewhere on "
        "photographs had them scaled with ImageNet's mean and standard deviation.",
    )
    values = dict(zip(_SAID, (network, trained, int(side), norm), strict=True))
    st.button(label, on_click=put, args=(values,), disabled=network is None, key="convert_as")


def _facts(found: Mapping[str, Any], weights: Weights) -> str:
    classes, side = [str(name) for name in found["classes"]], f"{found['image_size']} × {found['image_size']}"
    unnamed = all(name.startswith("class ") for name in classes)
    named = "" if unnamed else f": {_listed(classes)}"
    lines = [
        f"Its weights are kept as `{weights.value}`: {found['tensors']} tensors, all of which fit.",
        f"It tells **{len(classes)} classes** apart{named}.",
        f"Images reach it at **{side} pixels**, {_normalised(found['preprocessing'])}.",
    ]
    if found["trained_on"]:
        lines.append(f"It was trained on {title_of(str(found['trained_on']))}.")
    return "  \n".join(lines)


def _normalised(own: Mapping[str, Any] | None) -> str:
    if own is None:
        return "normalised as all images here are"
    mean, std = (", ".join(f"{value:g}" for value in own[name]) for name in ("mean", "std"))
    return f"normalised with the mean {mean} and the standard deviation {std} of their colours"


def _remarks(found: Mapping[str, Any]) -> list[str]:
    return [*found["remarks"], *(each["said"] for each in found["assumed"])]


def _to_say(found: Mapping[str, Any]) -> str:
    """The fields below that say what had to be assumed."""
    fields = [field for each in found["assumed"] for field in each["fields"]]
    return ", ".join(label for name, label in _FIELDS.items() if name in fields)


def _size(weights: Weights) -> int:
    made = weights.provenance
    own = None if made is None or made.preprocessing is None else made.preprocessing.size
    return own or (32 if made is None else made.image_size)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
