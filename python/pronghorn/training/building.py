"""One thread at a time builds and traces models, whichever they are: layers may be shared."""

from __future__ import annotations

import os
import threading
from typing import Any


class _Building:
    lock = threading.RLock()


def build_lock() -> Any:
    """The lock to hold while layers are built and steps are traced."""
    return _Building.lock


def _forget() -> None:
    # The thread that held it may not exist in a forked child.
    _Building.lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
