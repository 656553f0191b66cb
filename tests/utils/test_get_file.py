"""utils.get_file: downloads, hashes, and archives that try to leave their folder."""

import doctest
import hashlib
import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

import pronghorn as keras
from pronghorn.utils import cached_file
from pronghorn.utils import unpack as unpacking


@pytest.fixture
def origin(tmp_path):
    folder = tmp_path / "origin"
    folder.mkdir()
    (folder / "words.txt").write_text("a b c")
    with tarfile.open(folder / "data.v2.tar.gz", "w:gz") as archive:
        archive.add(folder / "words.txt", "inner/words.txt")
    with zipfile.ZipFile(folder / "data.zip", "w") as archive:
        archive.write(folder / "words.txt", "inner/words.txt")
    return folder


def get(origin, name, tmp_path, **kwargs):
    return Path(
        keras.utils.get_file(
            origin=(origin / name).as_uri(), cache_dir=tmp_path / "cache", **kwargs
        )
    )


def test_the_file_is_kept(origin, tmp_path, capsys) -> None:
    path = get(origin, "words.txt", tmp_path)
    assert path == tmp_path / "cache/datasets/words.txt"
    assert path.read_text() == "a b c"
    assert "Downloading data from file:" in capsys.readouterr().out
    (origin / "words.txt").write_text("new")
    assert get(origin, "words.txt", tmp_path).read_text() == "a b c"
    assert capsys.readouterr().out == ""
    assert get(origin, "words.txt", tmp_path, force_download=True).read_text() == "new"
    assert os.listdir(path.parent) == ["words.txt"]


def test_names_and_folders(origin, tmp_path, monkeypatch) -> None:
    path = get(origin, "words.txt", tmp_path, fname="b.txt", cache_subdir="x/y")
    assert path == tmp_path / "cache/x/y/b.txt"
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    path = keras.utils.get_file("c.txt", (origin / "words.txt").as_uri())
    assert Path(path) == tmp_path / "home/datasets/c.txt"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1", "md5"])
@pytest.mark.parametrize("named", [True, False])
def test_hashes(algorithm, named, origin, tmp_path) -> None:
    digest = hashlib.new(algorithm, b"a b c").hexdigest().upper()
    options = {"file_hash": digest, **({"hash_algorithm": algorithm} if named else {})}
    path = get(origin, "words.txt", tmp_path, **options)
    path.write_text("changed")
    assert get(origin, "words.txt", tmp_path, **options).read_text() == "a b c"
    (origin / "words.txt").write_text("other")
    with pytest.raises(ValueError, match=f"The {algorithm} file hash"):
        get(origin, "words.txt", tmp_path, force_download=True, **options)
    assert path.read_text() == "a b c"
    assert os.listdir(path.parent) == ["words.txt"]


def test_md5_hash(origin, tmp_path) -> None:
    with pytest.raises(ValueError, match="The md5 file hash"):
        get(origin, "words.txt", tmp_path, md5_hash="0" * 32)
    assert os.listdir(tmp_path / "cache/datasets") == []


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("data.v2.tar.gz", {"extract": True}, "data.v2_extracted"),
        ("data.zip", {"extract": True}, "data_extracted"),
        ("data.zip", {"extract": True, "archive_format": ["tar", "zip"]}, "data_extracted"),
        ("data.v2.tar.gz", {"untar": True, "fname": "d"}, "d"),
    ],
)
def test_archives_are_unpacked(name, options, expected, origin, tmp_path) -> None:
    path = get(origin, name, tmp_path, **options)
    assert path == tmp_path / "cache/datasets" / expected
    assert (path / "inner/words.txt").read_text() == "a b c"
    (path / "mine").write_text("kept")
    assert (get(origin, name, tmp_path, **options) / "mine").exists()
    fresh = get(origin, name, tmp_path, force_download=True, **options)
    assert os.listdir(fresh) == ["inner"]


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({}, ValueError, 'specify the "origin"'),
        ({"origin": "http://localhost/"}, ValueError, "file name from the origin"),
        ({"origin": "http://localhost/a/%2e%2e"}, ValueError, "file name from the origin"),
        ({"origin": "file:///a", "fname": "/tmp/a"}, ValueError, "no longer accepted"),
        ({"origin": "file:///a", "fname": "../a"}, ValueError, "no longer accepted"),
        ({"origin": "file:///a", "fname": ".."}, ValueError, "no longer accepted"),
        ({"origin": "file:///a", "hash_algorithm": "crc"}, ValueError, "hash_algorithm"),
        ({"origin": "javascript:a/b"}, ValueError, "expected a URL of http"),
        ({"origin": "data:text/plain/a"}, ValueError, "expected a URL of http"),
        (
            {"origin": "file:///a", "extract": True, "archive_format": "rar"},
            NotImplementedError,
            "archive_format",
        ),
        ({"origin": "file:///nowhere/a"}, OSError, "URL fetch failure"),
    ],
)
def test_errors(arguments, error, match, tmp_path) -> None:
    with pytest.raises(error, match=match):
        keras.utils.get_file(cache_dir=tmp_path, **arguments)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_what_is_no_archive(origin, tmp_path) -> None:
    with pytest.raises(ValueError, match="expected an archive of tar or zip"):
        get(origin, "words.txt", tmp_path, extract=True)
    with pytest.raises(ValueError, match="expected an archive of tar. "):
        get(origin, "data.zip", tmp_path, untar=True)


def member(name, **fields):
    info = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(info, field, value)
    return info


HOSTILE_TAR = {
    "parent": [member("../evil", size=4)],
    "deep parent": [member("a/../../evil", size=4)],
    "absolute": [member("/tmp/evil", size=4)],
    "drive": [member("C:evil", size=4)],
    "backslash": [member("..\\evil", size=4)],
    "symbolic link": [member("a", type=tarfile.SYMTYPE, linkname="/etc")],
    "through a link": [
        member("a", type=tarfile.SYMTYPE, linkname=".."),
        member("a/evil", size=4),
    ],
    "hard link": [member("a", type=tarfile.LNKTYPE, linkname="/etc/passwd")],
    "device": [member("a", type=tarfile.CHRTYPE)],
    "pipe": [member("a", type=tarfile.FIFOTYPE)],
    "twice": [member("a", size=4), member("a", size=4)],
    "file as folder": [member("a", size=4), member("a/evil", size=4)],
    "bomb": [member("a", size=2**28)],
}


@pytest.mark.parametrize("members", HOSTILE_TAR.values(), ids=HOSTILE_TAR)
def test_hostile_tar(members, tmp_path) -> None:
    folder = tmp_path / "origin"
    folder.mkdir()
    with tarfile.open(folder / "a.tar.gz", "w:gz") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(b"\0" * info.size) if info.size else None)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ValueError, match="refused"):
        get(folder, "a.tar.gz", tmp_path, extract=True)
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "cache"])
    assert os.listdir(tmp_path / "cache/datasets") == ["a.tar.gz"]


HOSTILE_ZIP = {
    "parent": ("../evil", 0),
    "absolute": ("/tmp/evil", 0),
    "backslash": ("..\\evil", 0),
    "link": ("a", (stat.S_IFLNK | 0o777) << 16),
}


@pytest.mark.parametrize(("name", "attributes"), HOSTILE_ZIP.values(), ids=HOSTILE_ZIP)
def test_hostile_zip(name, attributes, tmp_path) -> None:
    info = zipfile.ZipInfo(name)
    info.external_attr = attributes
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "evil")
    with pytest.raises(unpacking.UnpackError, match="refused"):
        unpacking.unpack(str(tmp_path / "a.zip"), str(tmp_path / "out"), ("zip",))
    assert os.listdir(tmp_path) == ["a.zip"]


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_damaged_archives(kind, origin, tmp_path) -> None:
    name = {"tar": "data.v2.tar.gz", "zip": "data.zip"}[kind]
    data = bytearray((origin / name).read_bytes())
    at = data.index(b"a b c") if kind == "zip" else len(data) - 6
    data[at] ^= 0xFF
    (tmp_path / name).write_bytes(data)
    with pytest.raises(unpacking.UnpackError, match="damaged"):
        unpacking.unpack(str(tmp_path / name), str(tmp_path / "out"), (kind,))
    assert not (tmp_path / "out").exists()


def test_permissions_are_those_of_new_files(tmp_path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(member("run", size=4, mode=0o6777, uid=0), io.BytesIO(b"evil"))
    assert unpacking.unpack(str(tmp_path / "a.tar"), str(tmp_path / "out"), ("tar",))
    assert not (tmp_path / "out/run").stat().st_mode & 0o7111


def test_a_download_that_ends_early(tmp_path, monkeypatch) -> None:
    class Response(io.BytesIO):
        headers = {"Content-Length": "10"}

    monkeypatch.setattr("urllib.request.urlopen", lambda *a, **k: Response(b"short"))
    with pytest.raises(OSError, match="ended after 5 of 10 bytes"):
        keras.utils.get_file(origin="http://localhost/a.bin", cache_dir=tmp_path)
    assert os.listdir(tmp_path / "datasets") == []


def test_example_in_docstring() -> None:
    assert doctest.testmod(cached_file).failed == 0
