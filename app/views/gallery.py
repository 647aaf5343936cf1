"""What happens to the images? One under every condition of a behaviour, slid through the strengths."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from app.address.routes import link
from app.backend import data
from app.backend.own_images import image_size_of, may_download
from app.components.address_list import address_list
from app.components.drawing_again import draw_again
from app.components.gallery_player import GALLERY_KEYS, gallery_player
from app.components.images_choice import images_choice
from app.components.page_head import page_head
from app.components.run_state import progress_panel
from app.form.images import AUTO, SIZES, known_size, own_problem, size_setting, size_text, size_words
from bird_backend import catalog
from bird_backend.behaviours import BEHAVIOURS
from bird_backend.catalog import title_of

__all__ = ["render"]

_FIRST = "fashion-mnist-small"
_TYPES = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is to be drawn: images of a data set, or a picture, under a behaviour's conditions."""

    data: str | None
    picture: str | None
    behaviour: str
    image_size: int | str

    @property
    def named(self) -> dict[str, Any]:
        """As the backend is asked for it."""
        return asdict(self)

    @property
    def title(self) -> str:
        """Whose images they are."""
        return title_of(self.data or "")


def render() -> None:
    """Draw the page."""
    page_head(
        "gallery",
        "Pick an image and slide the strength: 0 is the image as it is, 5 is the worst that is tested. Robust accuracy "
        "asks whether a network still knows what it sees.",
    )
    picture, name = _choose()
    left, right = st.columns(2, gap="large")
    with left:
        behaviour = _behaviour()
    with right:
        size = _size(picture, name)
    if picture is None and name is None:
        st.info("Say where your images are, or drop a file, to see them changed.", icon=":material/photo_library:")
        return
    asked = Asked(data=None if picture else name, picture=picture, behaviour=behaviour, image_size=size_setting(size))
    try:
        _draw(asked)
    except data.BirdError as error:
        st.error(str(error), icon=":material/error:")


def _draw(asked: Asked) -> None:
    """The pictures, or what keeps them."""
    if asked.data is not None and (problem := _problem(asked.data)) is not None:
        raise data.InputError(problem)
    run = data.find_gallery(**asked.named)
    if run is None and asked.data is not None and may_download(asked.data):
        _ask(asked)
        return
    if run is None or run.state == "done":
        run, drawn = data.gallery(**asked.named)
        if drawn is not None:
            st.fragment(gallery_player)(run, drawn)
            _caption(asked, run, len(drawn.images))
            return
    st.fragment(_under_way, run_every=1.0 if data.is_active(run) else None)(run.id, asked)


def _problem(name: str) -> str | None:
    return own_problem(name) if catalog.own_path(name) is not None else None


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


def _choose() -> tuple[str | None, str | None]:
    """Which picture was brought, if any, and else which data set; neither where nobody has said yet which."""
    asked = st.query_params.get("picture", "")
    picture = asked if re.fullmatch("[0-9a-f]{64}", asked) else None
    left, right = st.columns(2, gap="large")
    with left:
        name = images_choice(
            "gallery",
            first=_FIRST,
            help="Validation images, never test images: looking at those would be a choice made on them.",
            forget=("picture", *GALLERY_KEYS),
        )
    right.file_uploader(
        "Or bring your own picture",
        type=_TYPES,
        key="brought",
        on_change=_bring,
        max_upload_size=data.MAX_PICTURE_BYTES // 1_000_000,
        help="It is brought to the image size and stays on the machine that runs this app.",
    )
    if said := st.session_state.pop("_not_brought", None):
        st.error(said, icon=":material/error:")
    if picture is not None:
        label = "Back to the data set" if name is None else f"Back to {title_of(name)}"
        left.button(label, icon=":material/arrow_back:", on_click=_forget)
    return picture, name


def _size(picture: str | None, name: str | None) -> str:
    """The side of the images, as the address has it."""
    own = catalog.OWN_IMAGE_SIZE if picture is not None or name is None else image_size_of(name)
    asked = size_text(st.query_params.get("size", AUTO))
    chosen = asked if known_size(asked) else AUTO
    sides = [size for size in dict.fromkeys((*SIZES, chosen)) if size != AUTO]
    words = {AUTO: "Automatic" if own is None else f"Automatic: {size_words(own)}"}
    address_list(
        "size",
        words | {size: size_words(int(size)) for size in sides},
        chosen,
        label="Image size",
        key="_gallery_size",
        help="The side in pixels that images are brought to before they are changed: what a change does depends on it.",
        forget=GALLERY_KEYS,
    )
    return chosen


def _forget() -> None:
    for name in ("picture", *GALLERY_KEYS):
        st.query_params.pop(name, None)


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


def _ask(asked: Asked) -> None:
    with st.container(border=True):
        st.markdown(f"**{asked.title} has not been drawn here yet.** It is downloaded once, if it is not here.")
        if st.button("Draw it", type="primary", icon=":material/palette:", key="draw"):
            data.gallery(**asked.named)
            draw_again()


def _under_way(run_id: str, asked: Asked) -> None:
    run = data.get_run(run_id)
    if run is None or run.state == "done":
        draw_again()
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
            data.gallery(**asked.named, retry=True)
            draw_again()
        link("live", "Its log", icon=":material/notes:", run=run.id)


def _caption(asked: Asked, run: data.Run, count: int) -> None:
    """What is drawn, at which size, and what strengths mean there."""
    found = run.summary or {}
    behaviour = BEHAVIOURS[asked.behaviour]
    side, condition = size_words(int(found["image_size"])), behaviour.words.condition
    if asked.data is None:
        st.caption(
            f"Your picture at {side} pixels, each {condition} drawn once with a fixed seed. {found['strengths']}"
        )
        return
    st.caption(
        f"{count} validation images of {asked.title} at {side} pixels, evenly over its classes; each {condition} is "
        f"drawn once with a fixed seed, so noise looks the same each time. {found['strengths']}"
    )
