"""Images fetched ahead: while the device works on one batch, a thread gathers the next one's from a file or memory."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from bird_backend.datasets.dataset import Split

__all__ = ["Ahead"]

_BUFFERS = 3
"""One that is being filled, one that is being copied to the device, and one to spare."""


class Ahead:
    """The images of a split's places, on its device, which costs little where one says beforehand which come next.

    What is handed out does not depend on whether that was said.
    """

    def __init__(self, split: Split) -> None:
        self._split = split
        self._next: _Gathering | None = None
        self._pinned = split.device.type == "cuda"
        self._buffers: list[Tensor | None] = [None] * _BUFFERS
        self._copied: list[torch.cuda.Event | None] = [None] * _BUFFERS
        self._turn = 0

    def expect(self, rows: Tensor) -> None:
        """Begin to gather the images of these places [B], on the CPU; nothing where all are on the device already."""
        if self._split.streamed:
            self._turn = (self._turn + 1) % _BUFFERS
            self._next = _Gathering(self._split.images, rows, self._buffer(len(rows)), self._copied[self._turn])

    def take(self, rows: Tensor) -> Tensor:
        """uint8 [B,3,S,S] of these places [B] on the split's device."""
        ready, self._next = self._next, None
        if ready is None or not torch.equal(ready.rows, rows):
            return self._split.take(rows)
        images = ready.result().to(self._split.device, non_blocking=True)
        if self._pinned:
            copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
            copied.record(torch.cuda.current_stream(self._split.device))
            self._copied[self._turn] = copied
        return images

    def _buffer(self, count: int) -> Tensor | None:
        """Memory that the device can read by itself, used in turn; elsewhere each batch has its own."""
        if not self._pinned:
            return None
        buffer = self._buffers[self._turn]
        if buffer is None or len(buffer) != count:
            shape = (count, *self._split.images.shape[1:])
            buffer = self._buffers[self._turn] = torch.empty(shape, dtype=torch.uint8, pin_memory=True)
        return buffer


class _Gathering:
    """Rows of `images` on their way into one tensor; `copied` has to have happened before `into` may be written to."""

    def __init__(self, images: Tensor, rows: Tensor, into: Tensor | None, copied: torch.cuda.Event | None) -> None:
        self.rows = rows
        self._images, self._into, self._copied = images, into, copied
        self._error: Exception | None = None
        self._gathered: Tensor | None = None
        self._thread = threading.Thread(target=self._gather, daemon=True, name="gathers the next batch")
        self._thread.start()

    def result(self) -> Tensor:
        self._thread.join()
        if self._gathered is None:
            raise self._error or RuntimeError("nothing was gathered")
        return self._gathered

    def _gather(self) -> None:
        try:
            if self._copied is not None:
                self._copied.synchronize()
            self._gathered = torch.index_select(self._images, 0, self.rows, out=self._into)
        except Exception as error:
            self._error = error
