"""The page drawn anew from its top, without losing a click that came meanwhile."""

from __future__ import annotations

from typing import NoReturn

from streamlit.runtime.scriptrunner import RerunData, RerunException, get_script_run_ctx

__all__ = ["draw_again"]


def draw_again() -> NoReturn:
    """Run the page anew; what its reader asked for in between goes first.

    `st.rerun` takes the place of any request that waits, Back or a click on another page among them, which would
    then be answered with this page. A part that is timed asks at a moment of its own, so that does happen. Here only
    the run that is under way ends and begins again, and what waits interrupts it as ever.
    """
    context = get_script_run_ctx()
    if context is None:
        raise RuntimeError("Only a page that is being drawn can be drawn again.")
    raise RerunException(
        RerunData(
            query_string=context.query_string,
            page_script_hash=context.page_script_hash,
            cached_message_hashes=context.cached_message_hashes,
            context_info=context.context_info,
        )
    )
