"""RemoteMonitor: sends the logs of each epoch to a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

import numpy as np

from pronghorn.callbacks.callback import Callback, Logs

_SECONDS = 10  # an unreachable server must not hold up training for longer


class RemoteMonitor(Callback):
    """Posts the logs of each epoch to `root + path`, as JSON.

    A server that does not answer is a warning, and training goes on.

    Args:
        root: address of the server.
        path: path below it.
        field: name of the form's field that holds the JSON text.
        headers: dict of HTTP headers.
        send_as_json: whether the JSON text is the whole body, with the content type
            `application/json`, in place of a form.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if not root.startswith(("http://", "https://")):
            raise ValueError(
                "RemoteMonitor: root must be an http:// or https:// address. "
                f"Received: root={root!r}."
            )
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        send: dict[str, Any] = {"epoch": epoch}
        for name, value in (logs or {}).items():
            send[name] = value.item() if isinstance(value, (np.ndarray, np.generic)) else value
        text = json.dumps(send)
        headers = dict(self.headers or {})
        if self.send_as_json:
            body = text.encode()
            headers.setdefault("Content-Type", "application/json")
        else:
            body = urllib.parse.urlencode({self.field: text}).encode()
        request = urllib.request.Request(self.root + self.path, body, headers, method="POST")
        try:
            urllib.request.urlopen(request, timeout=_SECONDS).close()
        except (urllib.error.URLError, OSError) as error:
            warnings.warn(
                f"Could not reach RemoteMonitor root server at {self.root}: {error}", stacklevel=2
            )
