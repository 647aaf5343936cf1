"""A form and the browser's address: which of the two wins when they differ."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _page() -> None:
    import streamlit as st  # noqa: PLC0415 - the script of a page of its own

    from app.address import url_state  # noqa: PLC0415

    defaults = {"epochs": 4, "seed": 0}
    url_state.adopt("form", defaults)
    values = {name: int(st.number_input(name, key=name)) for name in defaults}
    url_state.publish("form", values, defaults)


def _form() -> AppTest:
    return AppTest.from_function(_page).run()


def test_an_edit_outlives_a_request_that_was_sent_before_its_address_arrived() -> None:
    page = _form()
    page.number_input("epochs").set_value(7).run()
    assert page.query_params["epochs"] == "7"
    page.query_params.clear()  # what the browser still says
    page.number_input("seed").set_value(3).run()
    assert page.number_input("epochs").value == 7
    assert dict(page.query_params) == {"epochs": "7", "seed": "3"}


def test_an_address_that_the_reader_went_to_wins() -> None:
    page = _form()
    page.number_input("epochs").set_value(7).run()
    page.query_params["epochs"] = "9"
    page.run()
    assert page.number_input("epochs").value == 9
    page.run()  # the browser says that it is there
    page.query_params["epochs"] = "7"
    page.run()
    assert page.number_input("epochs").value == 7
