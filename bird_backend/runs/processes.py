"""Which process a number stands for: a pid alone is given anew after a while, and another machine has the same ones."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessMark"]


@dataclass(frozen=True, kw_only=True)
class ProcessMark:
    """A process of some machine, told from every other that had or will have its number."""

    pid: int
    host: str
    since: str
    """When it started, in a form that means something on its own machine only."""

    @classmethod
    def mine(cls) -> ProcessMark:
        """This process."""
        return cls(pid=os.getpid(), host=socket.gethostname(), since=_since(os.getpid()) or "")

    @property
    def is_alive_here(self) -> bool:
        """Whether this very process lives on this machine. One of another machine does not."""
        return self.host == socket.gethostname() and bool(self.since) and _since(self.pid) == self.since

    def send(self, number: signal.Signals) -> bool:
        """Signal it; false, doing nothing, where it is not here any more or not ours."""
        if not self.is_alive_here:
            return False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, number)
            return True
        return False


def _since(pid: int) -> str | None:
    """When the process of that number started; none where there is none. Zombies have ended."""
    if sys.platform == "linux":
        try:
            # The name, in brackets, may hold anything; after it come the state and, 19 further on, the start in ticks.
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            boot = Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
        except OSError:
            return None
        return None if fields[0] in "ZX" else f"{boot} {fields[19]}"
    said = subprocess.run(  # noqa: S603 - a fixed command
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or None
