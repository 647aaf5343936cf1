"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

__all__ = ["describe"]


def describe() -> str:
    """Processor, cores and the versions that matter, in one line."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line for line in info.read_text("utf-8").splitlines() if line.startswith("model name"))
        name = next((line.partition(":")[2].strip() for line in lines), name)
    packages = ", ".join(f"{package} {version(package)}" for package in ("torch", "streamlit", "plotly"))
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
