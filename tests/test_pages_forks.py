"""The live page of runs that can be forked, were forked, or are from before either; and shares of CKA on it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from app.backend import data
from app.backend.forks import kept_checkpoints, plan_fork, points
from app.charts.fork import with_fork
from app.charts.frame import blank
from bird_backend.experiments import load_spec
from bird_backend.runs.checks import problems
from bird_backend.runs.store import Run, RunStore
from tests import synthetic
from tests.pages import components, show, words


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIRD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(data, "ensure_worker", lambda **_: None)
    monkeypatch.setattr(data, "demo_document", synthetic.transfer_document)


def kept(run: Run, *steps: int) -> Run:
    run.directory.kept.mkdir()
    for arm in synthetic.ARMS:
        for step in steps:
            header = {"checkpoint": json.dumps({"step": step, "metrics_size": 0})}
            save_file({"model.x": np.zeros(step)}, run.directory.kept / f"{arm}-{step:06d}.safetensors", header)
    return run


def test_a_run_without_checkpoints_or_shares_says_so() -> None:
    run = synthetic.write_transfer("done", umap=False)
    for path in run.directory.artifacts.glob("snapshot-*.npz"):
        with np.load(path) as file:
            np.savez(path, **{name: file[name] for name in ("gram", "features", "pca")})
    app = show("live", run=run.id)
    assert "bird_attribution_player" not in components(app)
    assert "from before they were" in words(app)
    assert points(run) == [] and "A fork" not in words(app)


def test_shares_are_handed_to_the_browser_as_they_are() -> None:
    run = synthetic.write_transfer("running", fraction=0.7, umap=False)
    shown = components(show("live", run=run.id))["bird_attribution_player"]
    assert [arm["name"] for arm in shown["arms"]] == ["fine-tuning", "bird"]  # type: ignore[attr-defined]
    arm = shown["arms"][-1]  # type: ignore[index]
    last = arm["snapshots"][-1]
    packed = np.frombuffer(base64.b64decode(last["share"]), "<i2") * (float(str(shown["largest"])) / 32767)
    with np.load(run.directory.artifacts / f"snapshot-bird-{last['step']:06d}.npz") as file:
        np.testing.assert_allclose(packed, len(packed) * file["share"], atol=float(str(shown["largest"])) / 32767)


def test_a_fork_says_where_it_comes_from_even_when_that_is_gone() -> None:
    parent = kept(synthetic.write_transfer("done", title="first", umap=False), 48, 96)
    assert [(each.arm, each.step) for each in points(parent)] == [
        (arm, step) for arm in ("bird", "fine-tuning") for step in (48, 96)
    ]
    sizes = kept_checkpoints(parent)
    assert 0 < sizes.own == sizes.all < sizes.limit
    planned = plan_fork(parent, 48, ["method.beta=0.3", "training.lr=0.01"], arm="bird")
    assert planned.rate_after == pytest.approx(2 * planned.rate_before)
    assert list(problems(planned.spec)) == []
    other = load_spec(planned.spec.model_dump(mode="json") | {"seed": 3})
    assert any("keeps seed as it is" in said for said in problems(other))  # type: ignore[arg-type]
    run = RunStore().create(planned.spec)
    said = words(show("live", run=run.id))
    assert "A fork" in said and "first" in said and "at step 48" in said
    assert "learning rate 0.01 in place of 0.005" in said and "beta 0.3 in place of" in said
    assert sorted(path.name for path in run.directory.artifacts.glob("snapshot-bird-*")) == [
        "snapshot-bird-000000.npz",
        "snapshot-bird-000024.npz",
        "snapshot-bird-000048.npz",
    ]


def test_the_mark_of_a_fork_is_on_curves_only() -> None:
    figure = blank("x").add_scatter(x=[0, 1], y=[0, 1])
    assert len(with_fork(figure, 0.5).layout.shapes) == 1
    assert not with_fork(blank("x"), 0.5).layout.shapes and not with_fork(blank("x"), None).layout.shapes
