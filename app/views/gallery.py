"""What happens to the images? One under every condition of a behaviour, slid through the strengths."""

from __future__ import annotations

import re

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.backend.own_images import own_names
from app.components.address_list import address_list
from app.components.gallery_player import GALLERY_KEYS, gallery_player
from app.components.page_head import page_head
from app.components.run_state import progress_panel
from app.form.images import data_sets
from bird_backend import catalog
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.catalog import title_of

__all__ = ["render"]

_FIRST = "fashion-mnist-small"
_SIDES = f"{catalog.OWN_IMAGE_SIZE} × {catalog.OWN_IMAGE_SIZE}"
_TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]


def render() -> None:
    """Draw the page."""
    page_head(
        "gallery",
        "Pick an image and slide the strength: 0 is the image as it is, 5 is the worst that is tested. Robust accuracy "
        "asks whether a network still knows what it sees.",
    )
    picture, name = _choose()
    images, behaviour = None if picture is not None else name, _behaviour()
    try:
        run = data.find_gallery(data=images, picture=picture, behaviour=behaviour)
        if run is None and picture is None and name in catalog.DATASETS and catalog.DATASETS[name].network:
            _ask(name, behaviour)
            return
        if run is None or run.state == "done":
            run, drawn = data.gallery(data=images, picture=picture, behaviour=behaviour)
            if drawn is not None:
                st.fragment(gallery_player)(run, drawn)
                _caption(picture, name, len(drawn.images), behaviour)
                if said := (run.summary or {}).get("strengths"):
                    st.caption(said)
                return
        st.fragment(_under_way, run_every=1.0 if data.is_active(run) else None)(run.id, picture, name, behaviour)
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")


def _behaviour() -> str:
    """Whose conditions are drawn: any whose images are the same for every network."""
    drawable = {name: each.title for name, each in BEHAVIOURS.items() if not each.attacks}
    asked = st.query_params.get("behaviour", "")
    chosen = asked if asked in drawable else next(iter(drawable))
    address_list(
        "behaviour",
        drawable,
        chosen,
        label="Changed by",
        key="_gallery_behaviour",
        help="Attacks are made against one network each, so they are not here: the results of a run show its own.",
        forget=GALLERY_KEYS,
    )
    return chosen


def _choose() -> tuple[str | None, str]:
    """Which picture was brought, if any, and else which data set."""
    asked = st.query_params.get("picture", "")
    picture = asked if re.fullmatch("[0-9a-f]{64}", asked) else None
    options = [*data_sets(), *own_names()]
    name = st.query_params.get("data", _FIRST)
    if name not in options:
        st.warning(f"There is no data set `{name[:60].replace('`', '')}` here, so {title_of(_FIRST)} stands in.")
        name = _FIRST
    left, right = st.columns(2, gap="large")
    st.session_state["_gallery_data"] = name
    left.selectbox(
        "Images of",
        options,
        format_func=title_of,
        key="_gallery_data",
        on_change=_other_data,
        help="Validation images, never test images: looking at those would be a choice made on them.",
    )
    right.file_uploader(
        "Or bring your own picture",
        type=_TYPES,
        key="brought",
        on_change=_bring,
        max_upload_size=data.MAX_PICTURE_BYTES // 1_000_000,
        help=f"It is brought to {_SIDES} pixels and stays on the machine that runs this app.",
    )
    if said := st.session_state.pop("_not_brought", None):
        st.error(said, icon=":material/error:")
    if picture is not None:
        left.button(f"Back to {title_of(name)}", icon=":material/arrow_back:", on_click=_other_data)
    return picture, name


def _forget() -> None:
    for name in ("picture", *GALLERY_KEYS):
        st.query_params.pop(name, None)


def _other_data() -> None:
    _forget()
    st.query_params["data"] = st.session_state["_gallery_data"]


def _bring() -> None:
    file = st.session_state["brought"]
    if file is None:
        return
    try:
        name = data.keep_picture(file.getvalue())
    except data.BirdError as error:
        st.session_state["_not_brought"] = str(error)
        return
    _forget()
    st.query_params["picture"] = name


def _ask(name: str, behaviour: str) -> None:
    with st.container(border=True):
        st.markdown(f"**{title_of(name)} has not been drawn here yet.** It is downloaded once, if it is not here.")
        if st.button("Draw it", type="primary", icon=":material/palette:", key="draw"):
            data.gallery(data=name, behaviour=behaviour)
            st.rerun()


def _under_way(run_id: str, picture: str | None, name: str, behaviour: str) -> None:
    run = data.get_run(run_id)
    if run is None or run.state == "done":
        st.rerun()
        return
    if data.is_active(run):
        progress_panel(run)
        with st.container(border=True):
            st.markdown("**The pictures appear here** in a few seconds: a job draws them all once and keeps them.")
        return
    st.warning(
        f"**The pictures were not drawn.** {run.reason or 'The job was stopped.'}",
        icon=":material/error:",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Try again", icon=":material/refresh:", key="draw"):
            data.gallery(data=None if picture else name, picture=picture, behaviour=behaviour, retry=True)
            st.rerun()
        link("live", "Its log", icon=":material/notes:", run=run.id)


def _caption(picture: str | None, name: str, count: int, behaviour: str) -> None:
    condition = BEHAVIOURS[behaviour].words.condition
    if picture is not None:
        st.caption(f"Your picture at {_SIDES} pixels, each {condition} drawn once with a fixed seed.")
        return
    st.caption(
        f"{count} validation images of {title_of(name)}, evenly over its classes; each {condition} is drawn once with "
        "a fixed seed, so noise looks the same each time."
    )
