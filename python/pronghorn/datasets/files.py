"""Where files of a data set are: a given path, PRONGHORN_DATA, Debian, the cache, a download."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

from pronghorn.utils.download import download


def cache_folder() -> Path:
    """Returns the folder of downloads: `datasets` in `KERAS_HOME` or `~/.keras`."""
    home = os.environ.get("KERAS_HOME")
    return (Path(home) if home else Path.home() / ".keras") / "datasets"


def find(
    name: str, url: str, sha256: str, path: str | None = None, folders: tuple[str, ...] = ()
) -> Path:
    """Returns the path of a file of a data set, downloaded into the cache if it is nowhere.

    Args:
        name: File name; relative to the cache it may hold a folder.
        url: Where to download it.
        sha256: Hash of its content (of what is inside, for a `.gz`).
        path: A file, or a folder that holds it: the only place looked at if given.
        folders: Folders to look into, such as Debian's.

    Raises:
        FileNotFoundError: It is not at `path`, or nowhere and cannot be downloaded: the message
            says which file to put where.
        ValueError: Its content has another hash.
    """
    base = Path(name).name
    if path is not None:
        given = Path(path).expanduser()
        found = given / base if given.is_dir() else given
        if not found.is_file():
            raise FileNotFoundError(
                f"datasets: expected a file at {found}. Received: path={path!r}."
            )
        return _checked(found, sha256)
    data = os.environ.get("PRONGHORN_DATA")
    cached = cache_folder() / name
    places = [*([Path(data) / name, Path(data) / base] if data else [])]
    places += [Path(folder) / base for folder in folders]
    places.append(cached)
    for place in places:
        if place.is_file():
            return _checked(place, sha256)
    _download(url, cached, sha256, places)
    return cached


def _checked(path: Path, sha256: str) -> Path:
    _check(path, path.suffix, sha256)
    return path


def _check(path: Path, suffix: str, sha256: str) -> None:
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if suffix == ".gz" else raw
        found = hashlib.sha256(content).hexdigest()
    except (gzip.BadGzipFile, EOFError, OSError) as e:
        raise ValueError(
            f"datasets: {path} cannot be read ({e}). Delete it to get a new copy."
        ) from e
    if found != sha256:
        raise ValueError(
            f"datasets: {path} is not the expected file. Received: SHA-256 {found}, "
            f"expected {sha256}. Delete it to get a new copy."
        )


def _download(url: str, target: Path, sha256: str, places: list[Path]) -> None:
    try:
        download(url, str(target), lambda path: _check(Path(path), target.suffix, sha256))
    except OSError as e:
        where = "\n  ".join(str(place) for place in places)
        raise FileNotFoundError(
            f"datasets: could not download {url} ({e}). "
            f"Put the file at one of these places:\n  {where}"
        ) from e
