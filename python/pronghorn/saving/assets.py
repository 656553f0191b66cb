"""The assets of a model's objects in an archive: files that are neither config nor weights."""

from __future__ import annotations

import os
import tempfile
import zipfile
from typing import Any

from pronghorn.ops.operation import is_default
from pronghorn.saving.archive import ASSETS, Archive
from pronghorn.saving.state_groups import state_groups

MAX_ASSET_BYTES = 2**30


def write_assets(archive: zipfile.ZipFile, model: Any) -> None:
    """Writes what the objects of `model` save as assets into an archive.

    Args:
        archive: The archive, opened for writing.
        model: The model.
    """
    for group, owner in state_groups(model):
        if not has_assets(owner, "save_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            owner.save_assets(folder)
            for parent, _, names in os.walk(folder):
                for name in sorted(names):
                    path = os.path.join(parent, name)
                    inner = os.path.relpath(path, folder).replace(os.sep, "/")
                    archive.write(path, f"{ASSETS}{group}/{inner}" if group else ASSETS + inner)


def load_assets(archive: Archive, model: Any) -> None:
    """Gives the objects of `model` their assets.

    Each gets a folder of its own with copies of its files: no path of the archive is used.

    Args:
        archive: The archive.
        model: The model.

    Raises:
        ValueError: If an asset is damaged or larger than 1 GiB.
    """
    if not any(name.startswith(ASSETS) for name in archive.members):
        return
    for group, owner in state_groups(model):
        prefix = f"{ASSETS}{group}/" if group else ASSETS
        own = [n for n in archive.members if n.startswith(prefix) and not n.endswith("/")]
        if not own or not has_assets(owner, "load_assets"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for name in own:
                path = os.path.join(folder, *name[len(prefix) :].split("/"))
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "wb") as file:
                    file.write(archive.read(name, MAX_ASSET_BYTES))
            owner.load_assets(folder)


def has_assets(owner: Any, method: str) -> bool:
    from pronghorn.layers.layer import Layer

    found = getattr(owner, method, None)
    return (
        found is not None
        and not is_default(found)
        and getattr(type(owner), method) is not getattr(Layer, method, None)
    )
