"""Where one's own images are: a path on the machine that runs the app, or a file dropped into the browser."""

from __future__ import annotations

import streamlit as st

from app.address.url_state import put
from app.backend.data import BirdError
from app.backend.uploads import IMAGES_TYPES, MAX_IMAGES_BYTES, keep_images
from app.words.markdown import plain
from bird_backend.catalog import OWN_KINDS, own_path, title_of

__all__ = ["LAYOUTS", "own_source"]

LAYOUTS = (
    "One folder per class, with or without train/, val/ and test/ above; the same in a zip; a table (.csv) of path, "
    "label and perhaps split beside its images; or arrays, in an .npz or as images.npy and labels.npy in a folder."
)


def own_source(key: str) -> str:
    """Draw it for the choice `key` of a form that lives in the address; returns what is there: a path or a name."""
    said = str(st.session_state.get(key) or "")
    if (found := own_path(said)) is not None and found[0] == "upload":
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            st.markdown(f":material/folder_zip: **{plain(title_of(said))}**, dropped here", width="content")
            st.button(
                "Take others",
                key=f"_{key}_others",
                icon=":material/close:",
                type="tertiary",
                on_click=put,
                args=({key: ""},),
            )
        return said
    path = st.text_input(
        "Where your images are",
        key=key,
        placeholder="/home/me/photos or /home/me/photos.zip",
        help=f"A path on the machine that runs this app. {LAYOUTS} A kind before the path settles what it is: "
        f"{', '.join(f'{kind}:PATH' for kind in OWN_KINDS if kind != 'upload')}.",
    )
    st.file_uploader(
        "Or drop a zip or .npz here",
        type=list(IMAGES_TYPES),
        key=f"_{key}_brought",
        on_change=_bring,
        args=(key,),
        max_upload_size=MAX_IMAGES_BYTES // 1_000_000,
        help="It is kept on the machine that runs this app, and nowhere else.",
    )
    if problem := st.session_state.pop(f"_{key}_not_brought", None):
        st.error(problem, icon=":material/error:")
    return path or ""


def _bring(key: str) -> None:
    file = st.session_state[f"_{key}_brought"]
    if file is None:
        return
    try:
        st.session_state[key] = keep_images(file, file.name)
    except BirdError as error:
        st.session_state[f"_{key}_not_brought"] = str(error)
