"""Which images a snapshot's CKA comes from, as the page's scrubber moves: the most and least alike, and who changed."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from app.backend import data
from app.backend.attribution import Attribution, attribution
from app.charts.frame import arm
from app.components.live_chart import mount, palettes, with_minus
from app.components.players import picture_sheet
from app.findings.attribution import every_step, images_at, pack
from app.findings.moments import cka_at, students_in

__all__ = ["ATTRIBUTION_EXPLAINED", "SCRIPTS", "attribution_player"]

SCRIPTS = ("theme.js", "clock.js", "sketch.js", "saving.js", "pictures.js", "attribution_player.js")
ATTRIBUTION_EXPLAINED = (
    "CKA with the teacher is a sum over images. An image's *share* is its own part of that sum, exact: its row of "
    "Σᵢⱼ AᵢⱼBᵢⱼ, where A and B are the two networks' Gram matrices as the debiased CKA centres them. Shares are shown "
    "times n, so their mean is the CKA of the curve. *Agreement* leaves out how much an image weighs: the cosine of "
    "its two rows, 1 where both networks find the same images like it and unlike it. The biased CKA, which the loss "
    "uses, has shares of its own; they are in the table."
)
_EXPLAINED_BELOW = (
    "Choose a step with the scrubber, or press a point of the CKA curve, a dip say, to see who caused it."
)


def attribution_player(run: data.Run, metrics: pd.DataFrame, *, key: str) -> bool:
    """Draw it; false, drawing nothing, where no snapshot has shares: not yet, or in a run from before there were."""
    probes = data.probes(run)
    found = {
        model: [(name, shares) for name in names if (shares := attribution(run, name)) is not None]
        for model, names in students_in(data.snapshot_names(run)).items()
    }
    found = {model: shots for model, shots in found.items() if shots}
    if probes is None or not found:
        return False
    n, cka = len(probes["labels"]), cka_at(metrics)
    every = [shares for shots in found.values() for _, shares in shots]
    if any(len(shares.share) != n for shares in every):
        raise data.InputError(f"The shares of run {run.id} are not of its {n} probe images, so they can't be shown.")
    largest = max(float(np.abs(shares.share).max()) for shares in every) or 1.0
    mount(
        "bird_attribution_player",
        html='<section class="player" aria-label="Images by their share of CKA"></section>',
        scripts=SCRIPTS,
        styles=("player.css", "tools.css", "attribution_player.css"),
        key=key,
        data={
            "run": run.id,
            "clock": run.id,
            "revision": f"{largest}",
            "largest": n * largest,
            "labels": probes["labels"].tolist(),
            "classes": [str(name) for name in probes["classes"]],
            "sheet": dict(picture_sheet(run)),
            "arms": [
                {
                    "name": model,
                    "label": arm(model).label,
                    "snapshots": [
                        {
                            "step": name.step,
                            "cka": cka.get((model, name.step), float(shares.share.sum())),
                            "share": pack(shares.share, largest),
                            "agreement": pack(shares.agreement, 1.0),
                        }
                        for name, shares in shots
                    ],
                }
                for model, shots in found.items()
            ],
            **palettes(),
        },
    )
    st.caption(_EXPLAINED_BELOW)
    _numbers(run, probes, found)
    return True


def _numbers(
    run: data.Run, probes: dict[str, np.ndarray], found: dict[str, list[tuple[data.SnapshotName, Attribution]]]
) -> None:
    """The table behind it, of the step that the address says, and all of it to take along."""
    model = st.query_params.get("arm", "")
    shots = found.get(model) or next(reversed(found.values()))
    step = st.query_params.get("step", "")
    at = len(shots) - 1
    if step.isdigit():
        at = min(range(len(shots)), key=lambda place: abs(shots[place][0].step - int(step)))
    name, now = shots[at]
    since = shots[at - 1] if at else None
    with st.expander("Show the numbers"):
        said = f"{arm(name.model).label} at step {name.step:,}"
        st.caption(said + (f"; changes are since step {since[0].step:,}." if since is not None else "."))
        table = images_at(probes, now, None if since is None else since[1])
        st.dataframe(with_minus(table), key="attribution_numbers", hide_index=True, alt=f"Shares of CKA, {said}")
        st.download_button(
            "Every image at every step, as CSV",
            partial(_csv, probes, found),
            file_name=f"{run.id}-cka-shares.csv",
            icon=":material/download:",
            key="attribution_csv",
            on_click="ignore",
        )


def _csv(probes: dict[str, np.ndarray], found: dict[str, list[tuple[data.SnapshotName, Attribution]]]) -> bytes:
    return every_step(probes, [shot for shots in found.values() for shot in shots]).to_csv(index=False).encode()
