"""Rows of metrics out of what a loop says of its steps, in the form that the engine's own training writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bird_backend.errors import InputError, is_plain

__all__ = ["ARM", "Rows"]

ARM = "model"
"""What a recorded network is called in metrics, snapshots and predictions."""
_OF_A_ROW = ("type", "arm", "step", "t")
_ACCURACIES = ("validation_accuracy", "robust_accuracy")
_LONGEST = 80


class Rows:
    """Says of each row its arm, time and epoch, and counts."""

    def __init__(self, steps_per_epoch: int | None) -> None:
        self._per_epoch = steps_per_epoch
        self._epochs = 0
        self.last_step = 0

    @staticmethod
    def check(step: object, names: Iterable[str]) -> None:
        """An `InputError` where a step or a name can't be one."""
        if isinstance(step, bool) or not isinstance(step, int) or step < 0:
            raise InputError(f"A step is a whole number from 0, not {step!r}.")
        known = set(names)
        for name in known:
            if name in _OF_A_ROW or not is_plain(name) or len(name) > _LONGEST:
                raise InputError(f"{name!r} is no name for what is logged: a row has its own type, arm, step and t.")
        if known.intersection(_ACCURACIES) and "n" not in known:
            raise InputError("An accuracy is of n images, and its interval needs to know it: log(step, …, n=…).")

    def of_step(self, step: int, values: Mapping[str, float | None], seconds: float) -> list[dict[str, Any]]:
        """One for the step, and one more where the accuracies of an epoch are among the values."""
        rows = []
        others = {name: value for name, value in values.items() if name not in (*_ACCURACIES, "n", "robust_n", "epoch")}
        epoch = self._epoch(step, values.get("epoch"))
        if others:
            rows.append({"type": "step", "step": step, **others, **epoch})
        accuracies = {name: values.get(name) for name in _ACCURACIES}
        if any(name in values for name in _ACCURACIES):
            self._epochs += 1
            n = int(values.get("n") or 0)
            counts = {"n": n, "robust_n": int(values.get("robust_n") or n)}
            # The last step of an epoch, counted from 0, is a little before its end.
            whole = {name: round(number) for name, number in epoch.items()}
            rows.append({"type": "epoch", "step": step, "epoch": self._epochs, **whole, **accuracies, **counts})
        return self._whole(rows, seconds)

    def of_snapshot(self, step: int, values: Mapping[str, float], seconds: float) -> list[dict[str, Any]]:
        """The row of a snapshot."""
        return self._whole([{"type": "snapshot", "step": step, **values, **self._epoch(step, None)}], seconds)

    def _epoch(self, step: int, said: float | None) -> dict[str, float]:
        if said is not None:
            return {"epoch": said}
        return {} if self._per_epoch is None else {"epoch": step / self._per_epoch}

    def _whole(self, rows: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
        self.last_step = max([self.last_step, *(row["step"] for row in rows)])
        return [{**row, "arm": ARM, "t": round(seconds, 2)} for row in rows]
