"""A page that draws itself anew gives way to what its reader asked for in the meantime."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.browsing import ROOT


def _page() -> None:
    import streamlit as st  # noqa: PLC0415 - the script of a page of its own
    from streamlit.runtime.scriptrunner import get_script_run_ctx  # noqa: PLC0415
    from streamlit.runtime.scriptrunner_utils.script_requests import RerunData  # noqa: PLC0415

    from app.components.drawing_again import draw_again  # noqa: PLC0415

    if st.session_state.setdefault("runs", 0) == 0:
        st.session_state["runs"] = 1
        context = get_script_run_ctx()
        assert context is not None
        context.script_requests.request_rerun(RerunData(query_string="asked=meanwhile"))
        draw_again()
    st.write(st.query_params.get("asked", "nothing"))


def test_what_was_asked_meanwhile_goes_first() -> None:
    page = AppTest.from_function(_page).run()
    assert not page.exception
    assert page.markdown[0].value == "meanwhile"


def test_it_is_the_only_way_to_draw_a_page_anew() -> None:
    assert [path for path in (ROOT / "app").rglob("*.py") if "st.rerun(" in path.read_text("utf-8")] == []
