"""The process that opens a foreign weights file: it executes nothing of what the file holds, within limits.

`python -m bird_backend.models.foreign.child SOURCE TARGET` with limits as JSON on stdin. Every tensor found goes to
TARGET, a `.safetensors` file in float32 and whole numbers; what else the file says goes to stdout, one JSON object.
Where there is no `/proc`, as on macOS, nothing limits memory but the size that tensors may have.
"""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bird_backend.models.foreign.flattening import NotWeightsError, flatten
from bird_backend.models.foreign.tolerated import tolerated_globals

__all__ = ["main", "open_file"]


def main() -> int:
    """Open, write, tell; a file that can't be opened is told as `problem`, the end of a sentence about it."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    limits = json.load(sys.stdin)
    _limit(memory=limits["memory"], seconds=limits["seconds"], largest=limits["largest"])
    try:
        told = open_file(source, target, limits["largest"])
    except NotWeightsError as error:
        told = {"problem": str(error)}
    except (MemoryError, RuntimeError, OSError) as error:
        if not _for_want_of_memory(error):
            raise
        told = {"problem": f"needs more than the {limits['memory'] / 2**30:.1f} GiB that opening it is given"}
    json.dump(told, sys.stdout)
    return 0


def open_file(source: Path, target: Path, largest: int) -> dict[str, Any]:
    """Writes every tensor of `source` to `target`, at most `largest` bytes of them; returns what else there is to tell.

    What isn't weights, or would take code to open, is a `NotWeightsError`.
    """
    from safetensors.torch import load_file, save_file  # noqa: PLC0415

    with source.open("rb") as file:
        is_safetensors = file.read(9)[8:] == b"{"
    document = load_file(source) if is_safetensors else _load(source)
    found = flatten(document)
    del document
    dtypes: dict[str, int] = {}
    plain: dict[str, Tensor] = {}
    taken: set[int] = set()
    total = 0
    for name, tensor in list(found.tensors.items()):
        spelled = str(tensor.dtype).removeprefix("torch.")
        dtypes[spelled] = dtypes.get(spelled, 0) + 1
        # Before anything is made of it: a view of one number may claim any shape.
        total += tensor.numel() * (4 if tensor.is_floating_point() else tensor.element_size())
        if total > largest:
            raise NotWeightsError(f"holds more than {largest / 2**30:.1f} GiB of tensors, the most that is read")
        plain[name] = _plain(name, tensor, taken)
        del found.tensors[name]
    save_file(plain, target)
    return {
        "format": "safetensors" if is_safetensors else "torch",
        "mappings": found.mappings,
        "classes": found.classes,
        "dtypes": dtypes,
    }


def _load(source: Path) -> Any:
    try:
        with warnings.catch_warnings(), tolerated_globals():
            warnings.simplefilter("ignore")
            return torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:
        if _for_want_of_memory(error):
            raise
        raise NotWeightsError(_why_not(source, str(error))) from error


def _why_not(source: Path, complaint: str) -> str:
    again = "save it again with torch.save(model.state_dict(), PATH)"
    if "TorchScript" in complaint:
        return f"is a TorchScript program, which is code; {again} from the model it was made of"
    if (name := re.search(r"GLOBAL (\S+) (?:was not|whose module)", complaint)) is not None:
        if any(each.startswith("torch.nn.") for each in (name[1], *_unsafe(source))):
            return f"holds a whole module (it names {name[1]}), which takes code to open; {again}, or its own network's"
        return f"needs code to be opened (it names {name[1]}), and none is run; {again}, without other objects"
    if "Weights only load failed" in complaint or "magic number" in complaint:
        return f"is a pickle that torch.save did not write, or needs code to be opened, and none is run; {again}"
    if "central directory" in complaint or "EOF" in complaint or "unpack requires" in complaint or not complaint:
        return "is cut off or damaged: it ends before its weights do; copy or download it again"
    first = next(iter(complaint.strip().splitlines()), "")
    return f"is damaged ({first[:200]})"


def _unsafe(source: Path) -> list[str]:
    try:
        return list(torch.serialization.get_unsafe_globals_in_checkpoint(source))
    except Exception:  # an old file, which it does not read; the complaint named one
        return []


def _plain(name: str, tensor: Tensor, taken: set[int]) -> Tensor:
    """Strided, on the CPU, in memory that is not `taken` by another one, floats as float32."""
    if tensor.is_meta:
        raise NotWeightsError(f"holds no numbers for {name}, only its shape")
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex() or tensor.is_nested:
        raise NotWeightsError(f"holds {name} as a sparse, quantised or complex tensor, which no network here takes")
    kept = (tensor.detach().to(torch.float32) if tensor.is_floating_point() else tensor.detach()).contiguous()
    memory = kept.untyped_storage()
    alone = memory.nbytes() == kept.numel() * kept.element_size() and memory.data_ptr() not in taken
    kept = kept if alone else kept.clone()
    taken.add(kept.untyped_storage().data_ptr())
    return kept


def _limit(*, memory: int, seconds: float, largest: int) -> None:
    """Of this process from now on: bytes besides what it has already, seconds of processor and of clock, file size."""
    status = Path("/proc/self/status")
    if status.exists():
        sizes = dict(re.findall(r"(VmSize|VmData):\s+(\d+) kB", status.read_text("ascii")))
        for kind, name in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
            _lower(kind, int(sizes[name]) * 1024 + memory)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + seconds) + 1)
    _lower(resource.RLIMIT_FSIZE, largest + 2**27)
    _lower(resource.RLIMIT_CORE, 0)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _lower(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (most, most))


def _for_want_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or "allocate memory" in str(error) or "bad_alloc" in str(error)


if __name__ == "__main__":
    sys.exit(main())
