"""A study as it fills: how far its runs are, their curves as a mean over seeds with a band, and its table."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app import charts
from app.address.routes import link
from app.backend import data
from app.backend.studies import Study, curve, find_study, list_studies, pairs_of, results, runs_of
from app.charts.curves import X
from app.charts.study import Series, looks, study_curves
from app.components.address_list import address_list
from app.components.drawing_again import draw_again
from app.components.live_chart import chart
from app.components.pairs_table import pairs_table
from app.components.run_comparison import CURVES
from app.components.run_picker import empty_state
from app.components.run_state import since
from app.components.study_more import study_more
from app.components.study_progress import study_bar, study_buttons
from app.components.study_starter import study_starter
from app.components.study_table import ablation_panels, study_table
from bird_backend.durations import exact

__all__ = ["study_view"]

_SHOWN = 6
_LISTED = 50


def study_view() -> None:
    """Draw the study that the address names (`study=`), the newest where it names none."""
    listed = list_studies(limit=None if st.session_state.get("_all_studies") else _LISTED + 1)
    more = len(listed) > _LISTED
    known = {study.id: study for study in (listed if st.session_state.get("_all_studies") else listed[:_LISTED])}
    if not known:
        _empty()
        return
    asked = st.query_params.get("study")
    if asked is not None and asked not in known:
        found = find_study(asked)
        if found is None:
            _unknown(asked, known)
            return
        known[found.id] = found
    chosen = asked or next(iter(known))
    st.query_params["study"] = chosen
    address_list(
        "study",
        {name: _label(study) for name, study in known.items()},
        chosen,
        label="Study",
        key="_study",
        label_visibility="collapsed",
    )
    if more:
        st.toggle(f"Older ones than the latest {_LISTED} too", key="_all_studies")
    study = known[chosen]
    runs = runs_of(study)
    active = any(data.is_active(run) for run in runs.values())
    st.fragment(_study, run_every=3.0 if active else None)(study.id, active)
    with st.expander("More of this study: seeds, time, what failed", icon=":material/more_time:"):
        study_more(study, runs)
    with st.expander("Another study of this transfer", icon=":material/add:"):
        study_starter(study.base, key="again", title="Vary something else")


def _label(study: Study) -> str:
    return f"{study.title} · {len(study.asked)} runs · {since(study.created)} · {study.id[-4:]}"


def _empty() -> None:
    if not data.list_runs(limit=1):
        empty_state("Nothing to compare yet", "Run the demo once to see what a transfer is, or compare all at once:")
    else:
        st.markdown(
            "**No study yet.** A study runs every method on one transfer, each with the same seeds and budget, and a "
            "control beside them. This one is of the demo's pair; the launch page offers the same for yours."
        )
    left, _ = st.columns([1.2, 1])
    with left:
        study_starter(data.demo_document(), key="demo", title="Every method on the demo's pair")


def _unknown(asked: str, known: Mapping[str, Study]) -> None:
    with st.container(border=True, key="unknown_study"):
        st.header("There is no such study", anchor=False)
        st.markdown(f"The address asks for `{asked[:60].replace('`', '')}`, which is not in this home.")
        for study in list(known.values())[:5]:
            if st.button(_label(study), key=f"open_{study.id}", type="tertiary", icon=":material/arrow_forward:"):
                st.query_params["study"] = study.id
                draw_again()


def _study(study_id: str, was_active: bool) -> None:
    study = find_study(study_id)
    if study is None:
        draw_again()
    runs = runs_of(study)
    if was_active and not any(data.is_active(run) for run in runs.values()):
        draw_again()
    try:
        if study.preset == "pairs":
            _progress(study, runs)
            st.header("What came of each pair", anchor=False)
            pairs_table(pairs_of(study))
            return
        found = results(study)
        _progress(study, runs)
        _curves(study, runs)
        st.header("What came of it", anchor=False)
        if study.preset != "methods":
            ablation_panels(found)
        study_table(found)
    except data.BirdError as error:
        st.error(str(error))


def _progress(study: Study, runs: Mapping[str, data.Run]) -> None:
    study_bar(study, runs)
    for run in [run for run in runs.values() if run.state in ("running", "interrupted")][:_SHOWN]:
        said = data.progress(run) or {}
        eta = said.get("eta_seconds")
        left = f", about {exact(eta)} left" if eta is not None else ""
        phase = f"{said.get('phase', 'Starting')}: {float(said.get('fraction') or 0.0):.0%}{left}"
        link("live", f"**{_which(study, run)}** · {phase}", icon=":material/timeline:", run=run.id)
    # Of pairs there may be hundreds that were stopped together, which the bar counts.
    ended = ("failed",) if study.preset == "pairs" else ("failed", "cancelled")
    stopped = [run for run in runs.values() if run.state in ended]
    for run in stopped[:_SHOWN]:
        link("live", f"**{_which(study, run)}** {run.state}: {run.reason or 'no reason given'}", run=run.id)
    if len(stopped) > _SHOWN:
        st.caption(f"And {len(stopped) - _SHOWN} more that failed or were stopped.")
    study_buttons(study, runs)
    if any(data.is_active(run) for run in runs.values()) and not data.worker_alive():
        st.caption("No worker is alive at the moment; one is being started.")
        data.ensure_worker()


def _which(study: Study, run: data.Run) -> str:
    member = next(member for member in study.members if member.run == run.id)
    return f"{study.variant(member.variant).label}, seed {member.seed}"


def _curves(study: Study, runs: Mapping[str, data.Run]) -> None:
    methods = {variant.method for variant in study.variants if variant.role in ("contender", "control")}
    # On each method's own scale it would compare nothing.
    offered = [name for name in CURVES if name != "Representation loss" or len(methods) == 1]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = st.segmented_control("Curve", offered, default="CKA", required=True, key="curve", bind="query-params")
        x: X = st.segmented_control(
            "Axis",
            ["step", "epoch"],
            default="epoch" if study.preset == "batch-size" else "step",
            required=True,
            key="x",
            bind="query-params",
        )
        singles = st.toggle(
            "Each seed by itself", value=False, key="singles", bind="query-params", disabled=len(study.seeds) < 2
        )
    kind, column, title = CURVES[metric if metric in offered else "CKA"]
    look = looks(study.variants)
    series = [
        Series(
            label=variant.label,
            look=look[variant.key],
            by_seed={
                member.seed: curve(runs[member.run], kind, column)
                for member in study.members
                if member.variant == variant.key and member.run and member.run in runs
            },
        )
        for variant in study.variants
    ]
    figure = study_curves(series, title=title, x=x, shares="accuracy" in column, singles=singles)
    chart(
        figure,
        of=study.id,
        key="study_curves",
        label=f"{title}, a line for each of {len(figure.data)} variants" if singles else f"{title}, mean over seeds",
        revision=f"{metric} {x} {singles}",
        numbers=charts.numbers(figure),
    )
    if len(study.seeds) > 1:
        st.caption(
            "Each line is one run; press a name to hide or show it."
            if singles
            else "Each line is the mean over the seeds that have come so far, the band reaches from the lowest to the "
            "highest; press a name to hide or show it. The table's intervals say how sure a difference is."
        )
