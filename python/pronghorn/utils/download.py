"""Downloads: into a file beside the target, which it becomes when it is whole and checked."""

from __future__ import annotations

import http.client
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from pronghorn.saving.atomic_write import atomic_write

TIMEOUT_SECONDS = 20
_SCHEMES = ("http", "https", "ftp", "file")
_BLOCK = 2**20


def download(
    url: str,
    path: str,
    check: Callable[[str], None],
    progress: Callable[[int, int | None], Any] | None = None,
) -> None:
    """Writes what a URL gives to a file. After an error the file at `path` is as it was.

    Args:
        url: An `http`, `https`, `ftp` or `file` URL.
        path: Path of the file, whose folder is made.
        check: Called with the path of the new file before it replaces the old one; raises.
        progress: Called after each block with the bytes so far and in all, `None` if unknown.

    Raises:
        ValueError: The URL is of another kind.
        OSError: It cannot be read, or ends early.
    """
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme not in _SCHEMES:
        raise ValueError(f"download: expected a URL of {', '.join(_SCHEMES)}. Received: {url}.")
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with atomic_write(path) as beside:
        try:
            with (
                urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response,
                open(beside, "wb") as file,
            ):
                length = response.headers.get("Content-Length")
                size = int(length) if length is not None and length.isdigit() else None
                done = 0
                while block := response.read(_BLOCK):
                    file.write(block)
                    done += len(block)
                    if progress is not None:
                        progress(done, size)
        except http.client.HTTPException as error:
            raise OSError(f"{url}: {error!r}") from error
        if size is not None and done != size:
            raise OSError(f"{url} ended after {done} of {size} bytes")
        check(beside)
