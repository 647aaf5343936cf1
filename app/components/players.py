"""The geometry of a run as its scrubber moves through the steps: Gram matrices, and embeddings.

What is looked at (classes, an image) is written to the URL, so that a link shows the same thing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.address.kept import put_view
from app.backend import data
from app.backend.attribution import attribution
from app.charts.frame import arm
from app.charts.geometry import (
    atlas,
    gram_range,
    pack_gram,
    pack_points,
    pack_shares,
    points_range,
    rotation,
    turned,
)
from app.components.live_chart import mount, palettes
from app.findings.moments import cka_at, students_in

__all__ = [
    "CLOUD_SCRIPTS",
    "GRAM_SCRIPTS",
    "embedding_methods",
    "embedding_pair",
    "embedding_player",
    "gram_player",
    "picture_sheet",
]

GRAM_SCRIPTS = ("theme.js", "clock.js", "sketch.js", "saving.js", "saved_grams.js", "gram_player.js")
CLOUD_SCRIPTS = (
    *("theme.js", "clock.js", "sketch.js", "saving.js", "pictures.js", "stamps.js", "inks.js", "scatter.js"),
    "selecting.js",
    *("pointing.js", "saved_clouds.js", "embedding_player.js"),
)

_NOTHING_ASKED: Mapping[str, Any] = {
    "atlas": None,
    "hidden": [],
    "picked": [],
    "colour": None,
    "selection": "",
    "pinned": None,
}


def gram_player(run: data.Run, metrics: pd.DataFrame, *, key: str, clock: str = "", student: str | None = None) -> bool:
    """Teacher's and student's Gram matrices and their difference; false, drawing nothing, before there are any.

    `clock` names the scrubber that it follows, the run's own by default; with `student`, that one alone is shown.
    """
    names = data.snapshot_names(run)
    probes = data.probes(run)
    teacher = [name for name in names if name.model == "teacher"]
    if probes is None or not teacher:
        return False
    arms = _shown(students_in(names), student)
    own = data.gram(run, teacher[0])
    grams = {name: data.gram(run, name) for shots in arms.values() for name in shots}
    # One range for every student and step, so that a colour means the same wherever one scrubs to.
    low, high = gram_range([own, *grams.values()])
    cka = cka_at(metrics)
    payload = {
        "run": run.id,
        "revision": f"{low} {high}",
        "size": len(own),
        "labels": probes["labels"][probes["gram"]].tolist(),
        "classes": [str(name) for name in probes["classes"]],
        "layers": _layers(run),
        "low": low,
        "high": high,
        "teacher": pack_gram(own, low, high),
        "arms": [
            {
                "name": model,
                "label": arm(model).label,
                "snapshots": [
                    {
                        "step": name.step,
                        "cka": cka.get((model, name.step)),
                        "gram": pack_gram(grams[name], low, high),
                    }
                    for name in shots
                ],
            }
            for model, shots in arms.items()
        ],
        "clock": clock or run.id,
        **palettes(),
    }
    mount(
        "bird_gram_player",
        html=_section("Gram matrices", run, clock),
        scripts=GRAM_SCRIPTS,
        styles=("player.css", "tools.css"),
        key=key,
        data=payload,
    )
    return True


def embedding_methods(run: data.Run) -> list[str]:
    """How the run's images can be laid out so far: `UMAP` where one is ready, and `PCA`."""
    names = data.snapshot_names(run)
    if not names:
        return []
    data.open_embeddings(run)
    made = {name.model for name in names if data.embedding(run, name)[1] == "umap"}
    return ["UMAP", "PCA"] if "teacher" in made and len(made) > 1 else ["PCA"]


def embedding_player(run: data.Run, how: str, *, key: str, pictures: bool = True, aspect: float = 0.82) -> bool:
    """Teacher's and student's clouds of images; false, drawing nothing, before there are any."""
    ready = _clouds(run, how)
    if not ready:
        return False
    arms = students_in(ready)
    students = [ready[name] for shots in arms.values() for name in shots]
    box = points_range(students, aspect=aspect) if students else (0.0, 0.0, 1.0, 1.0)
    teacher = next((points for name, points in ready.items() if name.model == "teacher"), None)
    if teacher is not None and students:
        # The first student's first snapshot never changes while more arrive.
        teacher = turned(teacher, students[0])
    packed = None if teacher is None else pack_points(teacher, points_range([teacher], aspect=aspect))
    found = {"teacher": packed, "panels": ["teacher", "student"], "clock": run.id, **_asked(), "aspect": aspect}
    found["atlas"] = dict(picture_sheet(run)) if pictures else None
    _mount_clouds(run, how, arms, ready, box, key=key, given=found, remember=lambda: _remember(key, run.id))
    return True


def embedding_pair(runs: Mapping[str, data.Run], *, clock: str, aspect: float = 0.82) -> bool:
    """The students of several runs by name, each run's own method, beside each other on one space.

    That is the PCA of each; the later ones are turned onto the first, and all have one scale. False, drawing nothing,
    where fewer than two runs have a snapshot of the same number of images.
    """
    found: dict[str, tuple[dict[data.SnapshotName, np.ndarray], list[data.SnapshotName]]] = {}
    onto: np.ndarray | None = None
    for name, run in runs.items():
        ready = _clouds(run, "PCA")
        shots = students_in(ready).get(data.arm_of(run), [])
        if not shots or (onto is not None and len(ready[shots[0]]) != len(onto)):
            continue
        if onto is None:
            onto = ready[shots[0]]
        turn = rotation(ready[shots[0]], onto)
        middle = ready[shots[0]].mean(axis=0)
        found[name] = {shot: np.asarray((ready[shot] - middle) @ turn, np.float32) for shot in shots}, shots
    if len(found) < 2:
        return False
    box = points_range([points for ready, _ in found.values() for points in ready.values()], aspect=aspect)
    for (name, (ready, shots)), column in zip(found.items(), st.columns(len(found), gap="medium"), strict=True):
        with column:
            st.markdown(f"**{name}**")
            given = {"teacher": None, "panels": ["student"], "clock": clock, **_NOTHING_ASKED, "aspect": aspect}
            arms = {data.arm_of(runs[name]): shots}
            _mount_clouds(runs[name], "PCA", arms, ready, box, key=f"pair_{name}", given=given, remember=lambda: None)
    return True


def _clouds(run: data.Run, how: str) -> dict[data.SnapshotName, np.ndarray]:
    """Points [N, 2] of each snapshot that is laid out so."""
    probes, wanted = data.probes(run), how.lower()
    clouds = {name: data.embedding(run, name, pca=wanted == "pca") for name in data.snapshot_names(run)}
    ready = {name: points for name, (points, made) in clouds.items() if made == wanted}
    if probes is None:
        return {}
    count = len(probes["labels"])
    if any(len(points) != count for points in ready.values()):
        raise data.InputError(
            f"The snapshots of run {run.id} are not of its {count} probe images, so they can't be drawn."
        )
    return ready


def _mount_clouds(
    run: data.Run,
    how: str,
    arms: Mapping[str, Sequence[data.SnapshotName]],
    ready: Mapping[data.SnapshotName, np.ndarray],
    box: tuple[float, float, float, float],
    *,
    key: str,
    given: Mapping[str, Any],
    remember: Callable[[], None],
) -> None:
    probes = data.probes(run) or {}
    shares, share_range = _shares(run, arms)
    payload = {
        "run": run.id,
        "how": how.lower(),
        "revision": f"{box} {share_range}",
        "title": how,
        "labels": probes["labels"].tolist(),
        "classes": [str(name) for name in probes["classes"]],
        "layers": _layers(run),
        "arms": [
            {
                "name": model,
                "label": arm(model).label,
                "snapshots": [
                    {"step": name.step, "points": pack_points(ready[name], box), "shares": shares.get(name)}
                    for name in shots
                ],
            }
            for model, shots in arms.items()
        ],
        "share_range": share_range,
        **given,
        **palettes(),
    }
    mount(
        "bird_embedding_player",
        html=_section("Embeddings", run, str(given["clock"])),
        scripts=CLOUD_SCRIPTS,
        styles=("player.css", "tools.css"),
        key=key,
        data=payload,
        on_at_change=remember,
    )


def _section(label: str, run: data.Run, clock: str) -> str:
    """Where two runs follow one clock their figures are told apart by their runs."""
    of = f" of {run.id}" if clock not in ("", run.id) else ""
    return f'<section class="player" aria-label="{label}{of}"></section>'


def _shown(arms: dict[str, list[data.SnapshotName]], student: str | None) -> dict[str, list[data.SnapshotName]]:
    return arms if student is None else {student: arms.get(student, [])}


def _asked() -> dict[str, Any]:
    """What the address says is looked at in a map."""
    return {
        "atlas": None,
        "hidden": _numbers(st.query_params.get("hide", "")),
        "picked": _numbers(st.query_params.get("pick", "")),
        "colour": st.query_params.get("colour"),
        "selection": st.query_params.get("select", ""),
        "pinned": next(iter(_numbers(st.query_params.get("image", ""))), None),
    }


def _shares(
    run: data.Run, arms: Mapping[str, Sequence[data.SnapshotName]]
) -> tuple[dict[data.SnapshotName, str], tuple[float, float] | None]:
    """What each image adds to the CKA at every snapshot, packed in one range, which holds all but the outer 4 %."""
    found = {name: made.share for shots in arms.values() for name in shots if (made := attribution(run, name))}
    if not found:
        return {}, None
    low, high = (float(value) for value in np.quantile(np.concatenate(list(found.values())), [0.02, 0.98]))
    high = max(high, low + 1e-12)
    return {name: pack_shares(shares, low, high) for name, shares in found.items()}, (low, high)


def picture_sheet(run: data.Run) -> Mapping[str, Any]:
    """The run's probe images in one picture, as `atlas` makes it."""
    return _atlas(run, str(run.directory.path))


def _layers(run: data.Run) -> list[str]:
    return list(data.drawn_pair(run) or ("", ""))


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.isdigit()]


def _remember(key: str, run_id: str) -> None:
    """Write what the reader has chosen in the browser into the URL."""
    at = st.session_state[key].get("at") or {}
    found = {"image": at.get("image"), "colour": at.get("colour"), "select": at.get("selection")}
    found |= {name: ",".join(map(str, at.get(part, []))) for name, part in (("hide", "hidden"), ("pick", "picked"))}
    put_view(run_id, found)


@st.cache_data(max_entries=4, show_spinner=False)
def _atlas(_run: data.Run, folder: str) -> Mapping[str, Any]:  # noqa: ARG001 - the folder is the cache's key
    probes = data.probes(_run)
    return atlas(np.zeros((0, 32, 32, 3), np.uint8) if probes is None else probes["images"])
