"""The only door from the app to the backend: runs, what they wrote, and asking for more.

Everything here is cheap to call on every rerun: readers are incremental or cached by file, and every cache is bounded.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack, get_args

import numpy as np
import pandas as pd

from app.backend.metrics import MetricsCache, tidy
from bird_backend import settings
from bird_backend.behaviours import USUAL
from bird_backend.errors import BirdError, InputError, UnknownNameError
from bird_backend.experiments import AnalyzeSpec, GallerySpec, RecordSpec, RunSpec, TransferSpec, load_spec, read_spec
from bird_backend.measures import Predictions
from bird_backend.runs import pictures, queue, reading
from bird_backend.runs.companions import Companions, find_companions, oracle_of
from bird_backend.runs.directory import RunDirectory
from bird_backend.runs.reading import Examples, Gallery, SnapshotName
from bird_backend.runs.run import read_run_spec
from bird_backend.runs.store import ACTIVE, Run, RunStore, State
from bird_backend.runs.wanted import OfAnyKind, Wanted

if TYPE_CHECKING:
    from bird_backend.runs.provenance import WeightsFile

__all__ = [
    "ASSETS",
    "COMING",
    "MAX_PICTURE_BYTES",
    "BirdError",
    "Examples",
    "Gallery",
    "InputError",
    "OfAnyKind",
    "Predictions",
    "Run",
    "SnapshotName",
    "State",
    "active_demo",
    "active_runs",
    "arm_of",
    "cancel",
    "companions",
    "count_runs",
    "demo_document",
    "drawn_pair",
    "embedding",
    "embedding_progress",
    "embeddings_pending",
    "ensure_worker",
    "examples",
    "family",
    "find_gallery",
    "find_layer_map",
    "gallery",
    "get_run",
    "gram",
    "has_baseline",
    "is_active",
    "keep_picture",
    "layer_map",
    "layer_table",
    "list_runs",
    "log_tail",
    "metrics",
    "open_embeddings",
    "predictions",
    "probes",
    "progress",
    "resume",
    "snapshot_names",
    "spec_of",
    "start_demo",
    "submit",
    "train_oracle",
    "waiting_before",
    "weights_files",
    "worker_alive",
]

ASSETS = settings.ASSETS
MAX_PICTURE_BYTES = settings.MAX_PICTURE_BYTES
_OPENED_SECONDS = 60.0
"""A run that is looked at goes on being first in line; its row need not say so at every look."""
_ANY: tuple[State, ...] = get_args(State)
COMING: tuple[State, ...] = (*ACTIVE, "interrupted")
"""States of which more may come by itself."""


def list_runs(
    kind: str | Collection[str] | None = None, *, limit: int | None = 50, offset: int = 0, **wanted: Unpack[OfAnyKind]
) -> list[Run]:
    """Newest first, `limit` of them (all, where that is none) after the first `offset`; the archive aside."""
    return RunStore().list(limit=limit, offset=offset, **_without_archive(kind, wanted))


def _without_archive(kind: str | Collection[str] | None, wanted: OfAnyKind) -> Wanted:
    """What is wanted, of what is not archived unless that is asked for."""
    return {"archived": False, **wanted, "kind": kind}


def active_runs() -> list[Run]:
    """Every run of which more may come by itself, newest first."""
    return RunStore().list(states=COMING)


def count_runs(kind: str | Collection[str] | None = None, **wanted: Unpack[OfAnyKind]) -> int:
    """How many there are, however many a list shows."""
    return RunStore().count(**_without_archive(kind, wanted))


def waiting_before(run: Run) -> int:
    """How many queued runs the worker takes before a queued one."""
    return RunStore().waiting_before(run)


def get_run(run_id: str) -> Run | None:
    """The run of that name, none where there is no such run."""
    try:
        return RunStore().get(run_id)
    except UnknownNameError:
        return None


def family(run: Run) -> tuple[Run, ...]:
    """The runs that differ from this one in nothing but the seed, it among them, newest first."""
    return RunStore().find_family(run)


def is_active(run: Run) -> bool:
    """Whether more may come by itself. An interrupted run counts: the supervisor takes it up again."""
    return run.state in COMING


def progress(run: Run) -> dict[str, Any] | None:
    """`phase`, `fraction`, `eta_seconds`, `elapsed_seconds`, `updated`; none before the run has started."""
    return run.directory.read_progress()


def spec_of(run: Run) -> RunSpec:
    """What was asked for."""
    return _spec(str(run.directory.path))


@lru_cache(maxsize=512)
def _spec(path: str) -> RunSpec:
    """A spec never changes once its run is there."""
    return read_run_spec(RunDirectory(Path(path)))


def log_tail(run: Run, lines: int = 100) -> str:
    """The last lines of the run's log."""
    return run.directory.log_tail(lines)


def submit(document: dict[str, Any], *, reuse: bool = False) -> Run:
    """Check a spec's JSON document, queue it, and see to it that someone takes it up."""
    run = queue.submit(load_spec(document), reuse=reuse)
    ensure_worker()
    return run


def cancel(run_id: str) -> Run:
    """Ask a run to stop."""
    return queue.cancel(run_id)


def resume(run_id: str) -> Run:
    """Put a stopped run back in the queue; it goes on from its last checkpoint."""
    run = queue.resume(run_id)
    ensure_worker()
    return run


def companions(run: Run) -> Companions:
    """The runs of fine-tuning and of the Oracle that a transfer is held against."""
    return find_companions(run)


def train_oracle(run: Run) -> Run:
    """Ask for a transfer's ceiling, or find the one that was asked for."""
    spec = spec_of(run)
    if not isinstance(spec, TransferSpec):
        raise InputError("An Oracle is the ceiling of a transfer.")
    return submit(oracle_of(spec).model_dump(mode="json"), reuse=True)


def ensure_worker(*, wait_seconds: float = 0) -> None:
    """Start a supervisor where none lives."""
    queue.ensure_supervisor(wait_seconds=wait_seconds)


def worker_alive() -> bool:
    """Whether a supervisor works on the queue."""
    return queue.supervisor_alive()


def demo_document() -> dict[str, Any]:
    """The demo transfer's spec."""
    return read_spec(settings.ASSETS / "examples" / "demo.json")


def active_demo() -> Run | None:
    """The demo transfer that is queued or running, if any."""
    return RunStore().find_same(load_spec(demo_document()), states=ACTIVE)


def start_demo() -> Run:
    """The demo transfer: the one that is under way, else a new one."""
    return active_demo() or submit(demo_document())


def layer_map(asked: AnalyzeSpec, *, retry: bool = False) -> tuple[Run, pd.DataFrame | None]:
    """The run that measures every layer pair's CKA, and its table (rows teacher, columns student) once it is done.

    The table's `attrs` hold `n`, `null`, `estimator` and `kernel`. A run that failed is returned as it is, so that
    a page that asks on each rerun does not ask forever; `retry` starts it again.
    """
    run = find_layer_map(asked)
    if run is None or run.state == "cancelled" or (retry and run.state == "failed"):
        run = submit(asked.model_dump(mode="json"))
    return run, layer_table(run)


def find_layer_map(asked: AnalyzeSpec) -> Run | None:
    """The layer map that was asked for already, in whatever state."""
    return RunStore().find_same(asked, states=_ANY)


def layer_table(run: Run) -> pd.DataFrame | None:
    """An analyze run's table of CKAs, none until it is done."""
    return _layer_map(str(run.directory.artifacts / "layer-map.json")) if run.state == "done" else None


def weights_files() -> list[WeightsFile]:
    """The weights there are: those that come with the project and those that runs have made."""
    from bird_backend.runs.provenance import list_weights  # noqa: PLC0415 - reads files, and few pages need it

    return list(list_weights())


@lru_cache(maxsize=32)
def _layer_map(path: str) -> pd.DataFrame:
    try:
        document = json.loads(Path(path).read_text("utf-8"))
        frame = pd.DataFrame(document["cka"], index=document["teacher_layers"], columns=document["student_layers"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"The layer map {path} can't be read: {error}.") from error
    frame.attrs = {key: document.get(key) for key in ("n", "null", "estimator", "kernel")}
    return frame


_metrics = MetricsCache(size=8)


def metrics(run: Run) -> pd.DataFrame:
    """Every metrics row there is so far, one column a key. Do not write to it: it is shared."""
    sealed = run.directory.sealed_metrics
    try:
        if sealed.exists():
            return _sealed(str(sealed), sealed.stat().st_mtime_ns)
        return _metrics.read(run.directory)
    except (OSError, ValueError) as error:
        raise InputError(f"The metrics of run {run.id} can't be read: {error}.") from error


@lru_cache(maxsize=16)
def _sealed(path: str, _mtime: int) -> pd.DataFrame:
    return tidy(pd.read_parquet(path))


def snapshot_names(run: Run) -> list[SnapshotName]:
    """The snapshots there are so far, by model, then step."""
    return reading.snapshots(run.directory)


def gram(run: Run, name: SnapshotName) -> np.ndarray:
    """Similarities [m, m] of the Gram probes at a snapshot: centred, of unit Frobenius norm."""
    return _gram(str(run.directory.path), name)


def embedding(run: Run, name: SnapshotName, *, pca: bool = False) -> tuple[np.ndarray, str]:
    """Points [N, 2] of the embedding probes at a snapshot, and how they were made: `umap`, `pca` till it is ready."""
    ready = not pca and (run.directory.artifacts / name.umap_file).exists()
    return _embedding(str(run.directory.path), name, ready)


def embedding_progress(run: Run) -> tuple[int, int]:
    """How many of the run's snapshots have their UMAP layout, and how many snapshots there are so far."""
    names, made = snapshot_names(run), reading.umap_files(run.directory)
    return sum(name.umap_file in made for name in names), len(names)


def embeddings_pending(run: Run) -> bool:
    """Whether UMAP layouts of a run may still come by themselves; see `open_embeddings`."""
    if run.laid_out or not worker_alive():
        return False
    ready, total = embedding_progress(run)
    return ready < total


def open_embeddings(run: Run) -> None:
    """Ask for the run's UMAP layouts before all others', because someone looks at them."""
    ready, total = embedding_progress(run)
    if ready == total or run.laid_out or time.time() - (run.opened or 0) < _OPENED_SECONDS:
        return
    try:
        RunStore().note_opened(run.id)
        ensure_worker()
    except (BirdError, OSError):
        return  # the table is held, or the disk full: PCA stands in, and the page's next look asks again


def probes(run: Run) -> dict[str, np.ndarray] | None:
    """`images` uint8 [N, 32, 32, 3], `labels` [N], `classes` [K], `gram` [m]; none until they are drawn."""
    if not (run.directory.artifacts / "probes.npz").exists():
        return None
    return _probes(str(run.directory.path))


def predictions(run: Run) -> Predictions | None:
    """What each model of the run said of the test images; none until it is measured. Do not write to it."""
    path = run.directory.artifacts / "predictions.npz"
    return _predictions(str(run.directory.path), path.stat().st_mtime_ns) if path.exists() else None


def examples(run: Run) -> Examples | None:
    """Pictures kept of the run's test images, changed as the models saw them; none until it is measured."""
    path = run.directory.artifacts / "examples.npz"
    return _examples(str(run.directory.path), path.stat().st_mtime_ns) if path.exists() else None


def gallery(
    *,
    data: str | None = None,
    picture: str | None = None,
    behaviour: str = USUAL,
    image_size: int | str = "auto",
    retry: bool = False,
) -> tuple[Run, Gallery | None]:
    """The run that draws a data set's images, or one that was brought, under every condition, and what it drew.

    Asked for once and found again, as `layer_map` is.
    """
    spec = gallery_spec(data, picture, behaviour, image_size)
    run = find_gallery(data=data, picture=picture, behaviour=behaviour, image_size=image_size)
    if run is None or (retry and run.state in ("failed", "cancelled")):
        run = submit(spec.model_dump(mode="json"))
    path = run.directory.artifacts / "gallery.npz"
    done = run.state == "done" and path.exists()
    return run, _gallery(str(run.directory.path), path.stat().st_mtime_ns) if done else None


def find_gallery(
    *, data: str | None = None, picture: str | None = None, behaviour: str = USUAL, image_size: int | str = "auto"
) -> Run | None:
    """The gallery that was asked for already, in whatever state."""
    spec = gallery_spec(data, picture, behaviour, image_size)
    return RunStore().find_same(spec, states=_ANY)


def gallery_spec(data: str | None, picture: str | None, behaviour: str, image_size: int | str) -> GallerySpec:
    """What is drawn: every condition of a behaviour at every strength."""
    asked = {"data": data, "picture": picture, "behaviour": behaviour, "image_size": image_size}
    return GallerySpec.model_validate(asked)


def keep_picture(content: bytes) -> str:
    """Keep an image file that was brought; returns its name, 64 hex digits."""
    return pictures.keep_picture(content)


@lru_cache(maxsize=256)
def _gram(path: str, name: SnapshotName) -> np.ndarray:
    return np.asarray(reading.read_snapshot(RunDirectory(Path(path)), name, "gram")["gram"])


@lru_cache(maxsize=256)
def _embedding(path: str, name: SnapshotName, umap: bool) -> tuple[np.ndarray, str]:
    directory = RunDirectory(Path(path))
    if umap:
        points, how = reading.read_embedding(directory, name)
    else:
        points, how = reading.read_snapshot(directory, name, "pca")["pca"], "pca"
    return np.asarray(points, dtype=np.float32), how


@lru_cache(maxsize=8)
def _probes(path: str) -> dict[str, np.ndarray] | None:
    return reading.read_probes(RunDirectory(Path(path)))


@lru_cache(maxsize=16)
def _predictions(path: str, _mtime: int) -> Predictions | None:
    return reading.read_predictions(RunDirectory(Path(path)))


@lru_cache(maxsize=4)
def _examples(path: str, _mtime: int) -> Examples | None:
    return reading.read_examples(RunDirectory(Path(path)))


@lru_cache(maxsize=8)
def _gallery(path: str, _mtime: int) -> Gallery | None:
    return reading.read_gallery(RunDirectory(Path(path)))


def has_baseline(run: Run) -> bool:
    """Whether the run also fine-tunes the same student, to have something to beat."""
    spec = spec_of(run)
    return isinstance(spec, TransferSpec) and len(spec.arms) > 1


def arm_of(run: Run) -> str:
    """The run's own arm in metrics and predictions: its method's name, `model` where one network is trained."""
    spec = spec_of(run)
    return spec.method.name if isinstance(spec, TransferSpec) else "model"


def drawn_pair(run: Run) -> tuple[str, str] | None:
    """The teacher's and the student's layer whose geometry the run draws; none for other kinds of run."""
    spec = spec_of(run)
    pair = spec.drawn_pair if isinstance(spec, TransferSpec | RecordSpec) else None
    if pair is not None:
        return pair.teacher, pair.student
    try:
        found = json.loads(run.directory.drawn.read_text("utf-8"))
        return str(found["teacher"]), str(found["student"])
    except (OSError, ValueError, KeyError, TypeError):  # not yet, or a kind that draws none
        return None
