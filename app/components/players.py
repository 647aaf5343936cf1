"""The geometry of a run, scrubbed through its steps in the browser: Gram matrices, and embeddings.

What is looked at (student, step, classes, an image) is written to the URL, so that a link shows the same thing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.address.kept import keep, view_of
from app.backend import data
from app.charts.frame import arm
from app.charts.geometry import atlas, gram_range, pack_gram, pack_points, points_range
from app.components.live_chart import mount, palettes

__all__ = ["embedding_methods", "embedding_player", "gram_player"]

_CLOUD_SCRIPTS = ("scatter.js", "saved_clouds.js", "embedding_player.js")


def gram_player(run: data.Run, metrics: pd.DataFrame, *, key: str) -> bool:
    """Teacher's and student's Gram matrices and their difference; false, drawing nothing, before there are any."""
    names = data.snapshot_names(run)
    probes = data.probes(run)
    teacher = [name for name in names if name.model == "teacher"]
    if probes is None or not teacher:
        return False
    arms = _arms(names)
    own = data.gram(run, teacher[0])
    grams = {name: data.gram(run, name) for shots in arms.values() for name in shots}
    # One range for every student and step, so that a colour means the same wherever one scrubs to.
    low, high = gram_range([own, *grams.values()])
    cka = _cka(metrics)
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
        "active": data.is_active(run),
        **_asked(),
        **palettes(),
    }
    mount(
        "bird_gram_player",
        html='<section class="player" aria-label="Gram matrices"></section>',
        scripts=("theme.js", "sketch.js", "saving.js", "saved_grams.js", "gram_player.js"),
        styles=("player.css", "tools.css"),
        key=key,
        data=payload,
        on_at_change=lambda: _remember(key, run.id),
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
    names = data.snapshot_names(run)
    probes = data.probes(run)
    wanted = how.lower()
    clouds = {name: data.embedding(run, name, pca=wanted == "pca") for name in names}
    ready = {name: points for name, (points, made) in clouds.items() if made == wanted}
    if probes is None or not ready:
        return False
    count = len(probes["labels"])
    if any(len(points) != count for points in ready.values()):
        raise data.InputError(
            f"The snapshots of run {run.id} are not of its {count} probe images, so they can't be drawn."
        )
    teacher = next((points for name, points in ready.items() if name.model == "teacher"), None)
    arms = _arms(ready)
    students = [ready[name] for shots in arms.values() for name in shots]
    box = points_range(students) if students else (0.0, 0.0, 1.0, 1.0)
    payload = {
        "run": run.id,
        "how": wanted,
        "revision": str(box),
        "title": how,
        "aspect": aspect,
        "labels": probes["labels"].tolist(),
        "classes": [str(name) for name in probes["classes"]],
        "layers": _layers(run),
        "teacher": None if teacher is None else pack_points(teacher, points_range([teacher])),
        "arms": [
            {
                "name": model,
                "label": arm(model).label,
                "snapshots": [{"step": name.step, "points": pack_points(ready[name], box)} for name in shots],
            }
            for model, shots in arms.items()
        ],
        "atlas": dict(_atlas(run, str(run.directory.path))) if pictures else None,
        "active": data.is_active(run),
        "hidden": _numbers(st.query_params.get("hide", "")),
        "picked": _numbers(st.query_params.get("pick", "")),
        "pinned": next(iter(_numbers(st.query_params.get("image", ""))), None),
        **_asked(),
        **palettes(),
    }
    mount(
        "bird_embedding_player",
        html='<section class="player" aria-label="Embeddings"></section>',
        scripts=("theme.js", "sketch.js", "saving.js", "pictures.js", *_CLOUD_SCRIPTS),
        styles=("player.css", "tools.css"),
        key=key,
        data=payload,
        on_at_change=lambda: _remember(key, run.id),
    )
    return True


def _arms(names: Sequence[data.SnapshotName] | Mapping[data.SnapshotName, Any]) -> dict[str, list[data.SnapshotName]]:
    """Snapshots of each student, the method's last: it is what one has come to see."""
    models = sorted({name.model for name in names} - {"teacher"}, key=lambda model: (model != "fine-tuning", model))
    return {model: sorted(name for name in names if name.model == model) for model in models}


def _cka(metrics: pd.DataFrame) -> dict[tuple[str, int], float]:
    if "type" not in metrics or "cka" not in metrics:
        return {}
    rows = metrics[(metrics["type"] == "snapshot") & metrics["cka"].notna()]
    keys = zip(rows["arm"].tolist(), rows["step"].tolist(), strict=True)
    return {
        (str(name), int(step)): float(value) for (name, step), value in zip(keys, rows["cka"].tolist(), strict=True)
    }


def _layers(run: data.Run) -> list[str]:
    return list(data.drawn_pair(run) or ("", ""))


def _asked() -> dict[str, Any]:
    step = st.query_params.get("step", "")
    return {"arm": st.query_params.get("arm"), "step": int(step) if step.isdigit() else None}


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part.isdigit()]


def _remember(key: str, run_id: str) -> None:
    """Write what the reader has chosen in the browser into the URL."""
    at = st.session_state[key].get("at") or {}
    found = {"arm": at.get("arm"), "step": at.get("step")}
    if "hidden" in at:
        found["image"] = at.get("image")
        found |= {name: ",".join(map(str, at[part])) for name, part in (("hide", "hidden"), ("pick", "picked"))}
    others = {name: value for name, value in st.query_params.to_dict().items() if name not in found}
    st.query_params.from_dict(others | {name: str(value) for name, value in found.items() if value not in (None, "")})
    keep("view", view_of(run_id))


@st.cache_data(max_entries=4, show_spinner=False)
def _atlas(_run: data.Run, folder: str) -> Mapping[str, Any]:  # noqa: ARG001 - the folder is the cache's key
    probes = data.probes(_run)
    return atlas(np.zeros((0, 32, 32, 3), np.uint8) if probes is None else probes["images"])
