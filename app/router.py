"""The router: pages, logo, and a quiet word on the backend. It is run anew for each of them by `app.main`."""

from __future__ import annotations

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent.parent
# Streamlit puts this file's folder on the path, not the folder that holds the packages.
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from app.address.kept import arrive  # noqa: E402
from app.address.routes import ROUTES, page  # noqa: E402
from app.backend.data import ASSETS, BirdError  # noqa: E402
from app.backend.networks import keep_code_at_home  # noqa: E402
from app.components.backend_state import backend_state, start_backend  # noqa: E402
from app.components.history import quiet_history  # noqa: E402
from app.look.styles import apply_styles  # noqa: E402

__all__ = ["main"]


def main(start: str = "overview") -> None:
    """Draw the app; `start` is the page that the bare address shows."""
    st.set_page_config(page_title="BIRD Explorer", page_icon=str(ASSETS / "logo-mark.svg"), layout="wide")
    theme = "dark" if st.context.theme.type == "dark" else "light"
    st.logo(
        (ASSETS / f"logo-{theme}.svg").read_text("utf-8"),
        size="large",
        icon_image=(ASSETS / "logo-mark.svg").read_text("utf-8"),
    )
    apply_styles()
    chosen = st.navigation([page(name, default=name == start) for name in ROUTES], expanded=True)
    st.set_page_config(page_title="BIRD Explorer" if chosen.title == "Overview" else f"{chosen.title} · BIRD Explorer")
    keep_code_at_home(st.get_option("server.address"))
    start_backend()
    with st.sidebar:
        backend_state()
        quiet_history()
    arrive(chosen.url_path)
    try:
        chosen.run()
    except BirdError as error:
        # What concerns the whole home, such as a run table that another process holds, or one run that can't be read.
        st.error(str(error), icon=":material/error:")


if __name__ == "__main__":
    main()
