"""TensorBoard event files: a folder for each arm, so that TensorBoard lays arms and runs over one another."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bird_backend.exports.declaration import Export
from bird_backend.exports.metrics import has_metrics
from bird_backend.exports.scalars import figures_of, scalars
from bird_backend.runs.store import Run

__all__ = ["DECLARES"]


def _write(run: Run, folder: Path) -> list[str]:
    from tensorboard.compat.proto.event_pb2 import Event  # noqa: PLC0415 - optional
    from tensorboard.compat.proto.summary_pb2 import Summary  # noqa: PLC0415
    from tensorboard.summary.writer.event_file_writer import EventFileWriter  # noqa: PLC0415

    top = folder / run.id
    # What was exported before is in files of its own, and TensorBoard would draw both.
    shutil.rmtree(top, ignore_errors=True)
    writers: dict[str, Any] = {}

    def writer_of(arm: str) -> Any:
        if arm not in writers:
            writers[arm] = EventFileWriter(str(top / arm))
        return writers[arm]

    try:
        for found in scalars(run):
            value = Summary.Value(tag=found.name, simple_value=found.value)
            event = Event(wall_time=found.when, step=found.step, summary=Summary(value=[value]))
            writer_of(found.arm).add_event(event)
        ended = run.finished or run.created
        for model, figures in figures_of(run).items():
            values = [Summary.Value(tag=f"test/{name}", simple_value=value) for name, value in figures.items()]
            writer_of(model).add_event(Event(wall_time=ended, step=0, summary=Summary(value=values)))
        for name, text in _texts(run):
            writer_of("spec").add_event(Event(wall_time=run.created, step=0, summary=_text(name, text)))
    finally:
        for writer in writers.values():
            writer.close()
    return [str(top / arm) for arm in writers]


def _texts(run: Run) -> Iterator[tuple[str, str]]:
    yield "title", run.title
    yield "spec", f"```json\n{json.dumps(run.directory.read_spec(), indent=2)}\n```"


def _text(name: str, text: str) -> Any:
    """As TensorBoard's page of texts wants it: a tensor of one string, marked as Markdown."""
    from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata  # noqa: PLC0415
    from tensorboard.compat.proto.tensor_pb2 import TensorProto  # noqa: PLC0415
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto  # noqa: PLC0415

    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    tensor = TensorProto(dtype="DT_STRING", string_val=[text.encode()], tensor_shape=shape)
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name="text"))
    return Summary(value=[Summary.Value(tag=f"{name}/text_summary", metadata=metadata, tensor=tensor)])


DECLARES = Export(
    name="tensorboard",
    place=20,
    title="TensorBoard",
    caption="Event files, a folder for each arm: tensorboard --logdir DIR.",
    write=_write,
    has=has_metrics,
    download="tensorboard.zip",
    package="tensorboard",
)
