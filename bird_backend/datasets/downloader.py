"""One file from the network, whole and checked, or a sentence saying what to do instead.

pooch fetches, checks and puts it in place; here is what a run needs besides: progress, a stop between two pieces, and
words for what went wrong. A stopped download begins anew, since pooch does not go on with half a file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bird_backend.datasets.dataset import Progress
from bird_backend.errors import RunError

__all__ = ["Archive", "fetch"]

_CHUNK = 2**18
_HEADERS = {"User-Agent": "bird-explorer", "Accept-Encoding": "identity"}
"""As it lies there: a server that packs or unpacks on the way would change the checksum."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """Where a file comes from, where it goes, and the MD5 its publisher gives for it."""

    url: str
    path: Path
    md5: str


def fetch(archive: Archive, progress: Progress, *, timeout: float = 30.0) -> None:
    """Download `archive` unless the right file is there already; nothing but the right file ever stands at its path.

    `timeout` is in seconds of silence. A `RunError` names the address, and where the file may be put by hand.
    """
    import pooch  # noqa: PLC0415 - with requests almost a second, which only downloads pay

    pooch.get_logger().setLevel("WARNING")  # or it tells on stderr of each file
    with _in_words(archive), contextlib.ExitStack() as opened:
        downloader = pooch.HTTPDownloader(
            progressbar=_Told(archive.path.name, progress),
            chunk_size=_CHUNK,
            timeout=timeout,
            headers=_HEADERS,
            # pooch leaves the connection open where a download is stopped.
            hooks={"response": lambda response, **_: opened.enter_context(response)},
        )
        pooch.retrieve(
            archive.url,
            known_hash=f"md5:{archive.md5}",
            fname=archive.path.name,
            path=archive.path.parent,
            downloader=downloader,
        )


class _Told:
    """What pooch takes for a progress bar."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress
        self._received = 0
        self.total = 0

    def update(self, size: int) -> None:
        """So many bytes more. Whoever listens may raise, and nothing is left of the download."""
        self._received += size
        # pooch counts whole pieces, of which the last is smaller.
        received = min(self._received, self.total) if self.total else self._received
        share = received / self.total if self.total else 0.0
        self._progress(f"Downloading {self._name}, {received / 1e6:.1f} MB", share)

    def reset(self) -> None:
        self._received = 0

    def close(self) -> None:
        pass


@contextlib.contextmanager
def _in_words(archive: Archive) -> Iterator[None]:
    import requests  # noqa: PLC0415

    by_hand = f"if you can get the file another way, put it at {archive.path}."
    try:
        yield
    except requests.RequestException as error:  # an OSError too, so it comes first
        raise RunError(f"{archive.url} could not be downloaded ({_cause(error)}); {by_hand}") from error
    except OSError as error:
        raise RunError(f"{archive.path} can't be written: {error}.") from error
    except ValueError as error:
        raise RunError(
            f"What {archive.url} sent was thrown away, for it is not the file that was expected ({error}); {by_hand}"
        ) from error


def _cause(error: Exception) -> str:
    import requests  # noqa: PLC0415

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"HTTP status {error.response.status_code}"
    if isinstance(error, requests.Timeout) or "timed out" in str(error):
        return "the server was silent and timed out"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection ended early"
    return "the connection was refused" if "refused" in str(error) else str(error)
