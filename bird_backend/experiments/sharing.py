"""What the runs of one process have in common, kept in memory by what it depends on, so that it is made once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

__all__ = ["Shared"]

_Content = TypeVar("_Content")


class Shared:
    """At most so many bytes, of which those go first that were used longest ago; none at all unless it is told.

    A key says all that the content depends on, by content too (`runs.identity`): a name is not enough. Nothing that is
    kept may be written to.
    """

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self._kept: OrderedDict[Hashable, tuple[int, Any]] = OrderedDict()

    @property
    def used(self) -> int:
        """Bytes that are kept."""
        return sum(size for size, _ in self._kept.values())

    def find(self, key: Hashable) -> Any | None:
        """What is kept under a key, none where nothing is."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][1]

    def keep(self, key: Hashable, content: object, size: int) -> None:
        """Keep `content`, which takes `size` bytes; what would not fit by itself is not kept."""
        self._kept.pop(key, None)
        if size > self.limit:
            return
        self._kept[key] = size, content
        while self.used > self.limit:
            self._kept.popitem(last=False)

    def take(self, key: Hashable, make: Callable[[], _Content], size: Callable[[_Content], int]) -> _Content:
        """What is kept under a key, else what `make` makes, which is kept then."""
        found = self.find(key)
        if found is None:
            found = make()
            self.keep(key, found, size(found))
        return cast(_Content, found)
