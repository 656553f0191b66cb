"""The zip archive of a `.keras` file: checked before anything in it is read."""

from __future__ import annotations

from typing import Any

from pronghorn.saving.checked_zip import CheckedZip

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
ASSETS = "assets/"


class Archive(CheckedZip):
    """A `.keras` file opened for reading.

    Args:
        path: Path of the file.

    Raises:
        ValueError: If the file is refused.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, "a `.keras` zip archive")

    def check_name(self, name: str) -> None:
        """Raises a ValueError for members in folders but the assets."""
        if "/" in name.rstrip("/") and not name.startswith(ASSETS):
            raise self.refuse(name, "is in a folder that no `.keras` file has")

    @property
    def weights_size(self) -> int:
        """Bytes of the weights, as they are unpacked."""
        info = self.members.get(WEIGHTS)
        return info.file_size if info is not None else 0

    def open_weights(self, name: str = WEIGHTS) -> Any:
        """Returns a seekable file of the weights.

        Raises:
            ValueError: If there is no such member, or it is damaged.
        """
        return self.open(name)
