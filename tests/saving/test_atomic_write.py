"""Files written beside their target: links, permissions, left-overs, the order of flushes."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys

import pytest

from pronghorn.saving.atomic_write import atomic_write

posix = pytest.mark.skipif(os.name == "nt", reason="links and permissions are those of POSIX")


def write(path, text="new", **kwargs) -> None:
    with atomic_write(str(path), **kwargs) as beside, open(beside, "w") as file:
        file.write(text)


def names(folder):
    return sorted(p.name for p in folder.iterdir())


def test_new_and_old(tmp_path) -> None:
    write(tmp_path / "a", "1")
    write(tmp_path / "a", "2", previous=str(tmp_path / "b"))
    assert (tmp_path / "a").read_text() == "2" and (tmp_path / "b").read_text() == "1"
    with pytest.raises(ZeroDivisionError), atomic_write(str(tmp_path / "a")):
        raise ZeroDivisionError
    assert names(tmp_path) == ["a", "b"] and (tmp_path / "a").read_text() == "2"


@posix
def test_a_symbolic_link_stays(tmp_path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "real")
    (tmp_path / "second").symlink_to("link")
    write(tmp_path / "second")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "second").is_symlink()
    assert (tmp_path / "far" / "real").read_text() == "new"
    (tmp_path / "dangling").symlink_to(tmp_path / "far" / "later")
    write(tmp_path / "dangling")
    assert (tmp_path / "far" / "later").read_text() == "new"
    assert names(tmp_path) == ["dangling", "far", "link", "second"]
    assert names(tmp_path / "far") == ["later", "real"]
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    with pytest.raises(OSError, match="in a circle"):
        write(tmp_path / "x")
    (tmp_path / "nowhere").symlink_to(tmp_path / "missing" / "file")
    with pytest.raises(FileNotFoundError, match="an existing folder"):
        write(tmp_path / "nowhere")


@posix
def test_other_names_of_a_file_keep_the_old_one(tmp_path) -> None:
    (tmp_path / "a").write_text("old")
    os.link(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new" and (tmp_path / "b").read_text() == "old"


@posix
def test_permissions(tmp_path) -> None:
    mask = os.umask(0o027)
    try:
        write(tmp_path / "a")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    os.chmod(tmp_path / "a", 0o604)
    write(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o604


@posix
@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
def test_owner(tmp_path) -> None:
    write(tmp_path / "a")
    os.chown(tmp_path / "a", 1234, 2345)
    write(tmp_path / "a")
    status = (tmp_path / "a").stat()
    assert (status.st_uid, status.st_gid) == (1234, 2345)


@posix
def test_a_read_only_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "a").write_text("old")
    os.chmod(tmp_path / "a", 0o444)
    if os.geteuid() == 0:  # who may write anything
        monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="Cannot write '.*a': the file is read-only"):
        write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "old" and names(tmp_path) == ["a"]


@posix
def test_a_read_only_folder(tmp_path, monkeypatch) -> None:
    if os.geteuid() == 0:
        opened = os.open

        def refuse(path, flags, *rest):
            if flags & os.O_CREAT:
                raise PermissionError(13, "Permission denied", path)
            return opened(path, flags, *rest)

        monkeypatch.setattr(os, "open", refuse)
    os.chmod(tmp_path, 0o555)
    with pytest.raises(PermissionError, match="Cannot write '.*/a': Permission denied"):
        write(tmp_path / "a")
    os.chmod(tmp_path, 0o755)
    assert names(tmp_path) == []


@posix
def test_no_file(tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="Received: a folder"):
        write(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/null"):
        with pytest.raises(OSError, match="a device or a pipe"):
            write(path)
    with pytest.raises(FileNotFoundError, match="an existing folder"):
        write(tmp_path / "missing" / "a")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileNotFoundError, match="an existing folder"):
        write(tmp_path / "file" / "a")


@posix
def test_left_overs_of_killed_processes(tmp_path) -> None:
    code = (
        "import os, sys\n"
        "from pronghorn.saving.atomic_write import atomic_write\n"
        "writing = [atomic_write(name) for name in sys.argv[1:]]\n"
        "for each in writing:\n"
        "    each.__enter__()\n"
        "os._exit(0)\n"
    )
    paths = [str(tmp_path / name) for name in ("a", "ab", "é" * 120)]
    subprocess.run([sys.executable, "-c", code, *paths], check=True, capture_output=True)
    assert len(names(tmp_path)) == 3
    alive = tmp_path / re.sub(r"\.\d+-", f".{os.getpid()}-", min(names(tmp_path), key=len))
    alive.write_text("of a process that runs")
    other = tmp_path / re.sub(r"-[0-9a-f]{8}-", "-00000000-", min(names(tmp_path), key=len))
    other.write_text("of another machine")
    write(tmp_path / "a")
    assert len(names(tmp_path)) == 5  # only the one of "a" is gone
    for path in paths:
        write(path)
    assert set(names(tmp_path)) == {"a", "ab", "é" * 120, alive.name, other.name}


def test_order_of_the_flushes(tmp_path, monkeypatch) -> None:
    calls = []
    fsync, replace = os.fsync, os.replace

    def kind(descriptor):
        return "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"

    monkeypatch.setattr(os, "fsync", lambda d: (calls.append(f"flush {kind(d)}"), fsync(d)))
    monkeypatch.setattr(os, "replace", lambda a, b: (calls.append("rename"), replace(a, b)))
    write(tmp_path / "a")
    after = [] if os.name == "nt" else ["flush folder"]
    assert calls == ["flush file", "rename", *after]


SAVES = """
import sys
import pronghorn as keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
model.save(sys.argv[1] + "/a.keras")
model.save(sys.argv[1] + "/a.h5")
model.save_weights(sys.argv[1] + "/a.weights.h5")
model.save_weights(sys.argv[1] + "/a.safetensors")
model.save_weights(sys.argv[1] + "/a.npz")
keras.utils.plot_model(model, sys.argv[1] + "/a.svg")
"""


def test_order_that_the_system_sees(tmp_path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is missing: apt-get install strace")
    log = tmp_path / "log"
    calls = "trace=fsync,rename,renameat,renameat2,openat,write,pwrite64"
    words = [strace, "-f", "-y", "-o", str(log), "-e", calls, sys.executable, "-c", SAVES]
    found = subprocess.run([*words, str(tmp_path)], capture_output=True, text=True)
    if not log.exists() or "ptrace" in found.stderr:
        pytest.skip(f"processes cannot be traced here: {found.stderr[:200]}")
    assert found.returncode == 0, found.stderr
    lines = log.read_text(errors="replace").splitlines()
    for ending in (".keras", ".h5", ".weights.h5", ".safetensors", ".npz", ".svg"):
        beside = re.compile(rf"/\.a{re.escape(ending)}\.\d+-[0-9a-f]+-[0-9a-f]+\.tmp")
        own = [i for i, line in enumerate(lines) if beside.search(line)]
        writes = [i for i in own if re.search(r"\bp?write(64)?\(", lines[i])]
        (flush,) = [i for i in own if "fsync(" in lines[i]]
        (rename,) = [i for i in own if "rename" in lines[i]]
        last = [i for i, x in enumerate(lines) if "fsync(" in x and f"<{tmp_path}>" in x]
        folder = next(i for i in last if i > rename)
        assert max(writes) < flush < rename < folder, ending
        assert f'"{tmp_path}/a{ending}"' in lines[rename]
