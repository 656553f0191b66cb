"""`get_file`: a file of the internet, kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import urllib.parse
from typing import Any

from pronghorn.utils.download import download
from pronghorn.utils.output import is_terminal, print_msg
from pronghorn.utils.progbar import Progbar
from pronghorn.utils.unpack import FORMATS, unpack

_ALGORITHMS = ("auto", "sha256", "sha512", "sha1", "md5")
_ENDINGS = (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tar", ".zip")


def get_file(
    fname: str | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: Any = "auto",
    cache_dir: str | None = None,
    force_download: bool = False,
) -> str:
    """Returns the path of a file, downloaded into the cache if it is not there.

    The file is at its place when all of it has come and its hash is right. Archives are unpacked
    in `utils.unpack`: no member leaves the folder, none is a link.

    Args:
        fname: Name of the file in the cache; by default the last part of `origin`.
        origin: URL.
        untar: As `extract`, of a tar archive.
        md5_hash: MD5 of the file, in hexadecimal digits.
        file_hash: Hash of the file; a cached file of another one is downloaded again.
        cache_subdir: Folder in the cache.
        hash_algorithm: `"sha256"`, `"sha512"`, `"sha1"`, `"md5"`; `"auto"` takes what has as many
            digits.
        extract: Whether to unpack the file, an archive.
        archive_format: `"tar"`, `"zip"`, a list of them, `"auto"` for both, `None` for neither.
        cache_dir: The cache; by default `KERAS_HOME`, or `~/.keras`.
        force_download: Whether a cached file is downloaded again.

    Returns:
        Path of the file; with `extract` or `untar` of the folder that it was unpacked into:
        `<name>_extracted`, or `fname` if that has no ending.

    Raises:
        ValueError: No `origin`, `fname` with a folder, a file of another hash, an unknown
            `hash_algorithm`, or an archive that is refused or of none of the formats.
        NotImplementedError: An unknown `archive_format`.
        OSError: If the file cannot be had.

    Example:

    >>> import pathlib, tempfile
    >>> import pronghorn as keras
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "words.txt").write_text("a b c")
    >>> url = (folder / "words.txt").as_uri()
    >>> path = keras.utils.get_file(origin=url, cache_dir=folder / "cache")  # doctest: +ELLIPSIS
    Downloading data from file://...
    >>> pathlib.Path(path).read_text()
    'a b c'
    """
    if not origin:
        raise ValueError(
            'Please specify the "origin" argument (URL of the file to download). '
            f"Received: origin={origin!r}."
        )
    name = _name(fname, origin)
    formats = _formats(archive_format) if extract else ("tar",) if untar else ()
    algorithm, wanted = _hash(file_hash, md5_hash, hash_algorithm)
    home = cache_dir or os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    folder = os.path.join(os.path.expanduser(os.fspath(home)), cache_subdir)
    unpacked = None
    if extract or untar:
        stem = _without_ending(name)
        unpacked = os.path.join(folder, name if stem == name else f"{stem}_extracted")
        name = f"{name}_archive" if stem == name else name
    path = os.path.join(folder, name)

    def check(file: str) -> None:
        found = _digest(file, algorithm) if wanted else ""
        if found != wanted:
            raise ValueError(
                f"get_file: Incomplete or corrupted file detected. The {algorithm} file hash of "
                f"{origin} does not match the provided value of {wanted}. Received: {found}."
            )

    is_fresh = False
    if (
        force_download
        or not os.path.exists(path)
        or (wanted and _digest(path, algorithm) != wanted)
    ):
        print_msg(f"Downloading data from {origin}")
        _download(origin, path, check)
        is_fresh = True
    if unpacked is None:
        return path
    if is_fresh:
        shutil.rmtree(unpacked, ignore_errors=True)
    if formats and not os.path.exists(unpacked) and not unpack(path, unpacked, formats):
        raise ValueError(
            f"get_file: expected an archive of {' or '.join(formats)}. Received: {path}."
        )
    return unpacked


def _download(origin: str, path: str, check: Any) -> None:
    bar: Progbar | None = None

    def progress(done: int, size: int | None) -> None:
        nonlocal bar
        bar = bar or Progbar(size, verbose=1 if is_terminal() else 0)
        bar.update(done, finalize=done == size)

    try:
        download(origin, path, check, progress)
    except OSError as error:
        raise OSError(f"get_file: URL fetch failure on {origin}: {error}.") from error


def _name(fname: Any, origin: str) -> str:
    if fname:
        name = os.fspath(fname)
        if os.path.basename(name) != name or "\\" in name or name in (".", ".."):
            raise ValueError(
                "Paths are no longer accepted as the `fname` argument. To specify the file's "
                f"parent directory, use the `cache_dir` argument. Received: fname={fname}"
            )
        return str(name)
    name = urllib.parse.unquote(urllib.parse.urlsplit(origin).path).rpartition("/")[2]
    if not name or "\\" in name or name in (".", ".."):
        raise ValueError(
            f"Can't parse the file name from the origin provided: '{origin}'. "
            "Please specify the `fname` argument."
        )
    return name


def _formats(archive_format: Any) -> tuple[str, ...]:
    if archive_format is None:
        return ()
    given = (archive_format,) if isinstance(archive_format, str) else tuple(archive_format)
    for one in given:
        if one not in (*FORMATS, "auto"):
            raise NotImplementedError(
                f"get_file: expected archive_format of {FORMATS} or 'auto'. Received: {one!r}."
            )
    return FORMATS if "auto" in given else given


def _hash(file_hash: Any, md5_hash: Any, algorithm: str) -> tuple[str, str]:
    if algorithm not in _ALGORITHMS:
        raise ValueError(
            f"get_file: expected hash_algorithm of {_ALGORITHMS}. Received: {algorithm!r}."
        )
    if file_hash is None and md5_hash is not None:
        return "md5", str(md5_hash).lower()
    wanted = str(file_hash or "").lower()
    if algorithm == "auto":
        algorithm = {128: "sha512", 64: "sha256", 40: "sha1"}.get(len(wanted), "md5")
    return algorithm, wanted


def _digest(path: str, algorithm: str) -> str:
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _without_ending(name: str) -> str:
    for ending in _ENDINGS:
        if name.endswith(ending):
            return name[: -len(ending)]
    return os.path.splitext(name)[0]
