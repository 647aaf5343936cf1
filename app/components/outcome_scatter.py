"""What CKA before, or a score, says of what transfers gained: every pair as a point, and their rank correlation."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app.backend.layer_lab import Outcome
from app.charts.outcome import outcome_rows, outcome_scatter
from app.components.address_list import address_list
from app.components.drawing_again import draw_again
from app.components.live_chart import chart
from bird_backend.measures import LEAST_PAIRS, ends, rank_correlation, rounded

__all__ = ["correlation_words", "scatter_section"]


def scatter_section(
    known: Mapping[str, tuple[str, pd.DataFrame]],
    outcomes: Mapping[tuple[str, str], Outcome],
    chosen: tuple[str, str],
    *,
    of: str,
) -> None:
    """Draw it; `known` has by name in the address (`x=`) a title and a value of every pair. A press chooses a pair."""
    if not known or not any(outcome.gain is not None for outcome in outcomes.values()):
        st.caption(
            "Once transfers through some pairs are done, CKA before and the scores stand here against what they "
            "gained, with their rank correlation."
        )
        return
    asked = st.query_params.get("x", "")
    name = asked if asked in known else next(iter(known))
    address_list("x", {each: title for each, (title, _) in known.items()}, name, label="Across", key="_x")
    title, values = known[name]
    rows = outcome_rows(values, outcomes)
    if rows.empty:
        st.caption("No pair has both yet.")
        return
    pressed = chart(
        outcome_scatter(rows, title, chosen),
        of=of,
        key="outcome_scatter",
        revision=name,
        label=f"Gain over fine-tuning against {title} of each pair of layers",
        numbers=rows,
    )
    st.markdown(correlation_words(rows, title))
    if pressed is not None:
        guiding, _, guided = pressed.partition(" → ")
        if (guiding, guided) != chosen:
            st.query_params.update({"guiding": guiding, "guided": guided})
            draw_again()


def correlation_words(rows: pd.DataFrame, title: str) -> str:
    """Spearman's correlation of `value` and `gain` with its interval, and whether it can be told from none."""
    found = rank_correlation(
        rows["value"].to_numpy(),
        rows["gain"].to_numpy(),
        rows["teacher_layer"].tolist(),
        rows["student_layer"].tolist(),
    )
    named = title[0].lower() + title[1:] if not title.startswith("CKA") else title
    if found is None:
        have = "pair has" if len(rows) == 1 else "pairs have"
        why = (
            f"{len(rows)} {have} both, and it takes {LEAST_PAIRS}"
            if len(rows) < LEAST_PAIRS
            else "one of the two is the same for every pair"
        )
        return f"**No correlation to tell**: {why}."
    said = f"**Spearman's ρ = {rounded(found.value, 2, sign='+')}**"
    if not found.bounded:
        told = "no interval: the pairs share one layer of a network, or hardly vary"
        return f"{said} over n = {found.n} pairs of layers; {told}."
    verdict = (
        f"pairs of {'higher' if found.value > 0 else 'lower'} {named} gained more, beyond what chance gives"
        if found.beyond_noise
        else f"with these pairs {named} says nothing of the gain that could be told from chance"
    )
    return (
        f"{said} (95 % interval {ends(found, 2, factor=1)}, n = {found.n} pairs of layers): {verdict}. The interval "
        "draws the layers of both networks anew (pigeonhole bootstrap), since pairs that share a layer are no "
        "independent observations; the noise of each gain is in it only as far as gains scatter."
    )
