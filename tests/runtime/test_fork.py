"""A process may fork at any moment, whatever its other threads are doing with programs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_SCRIPT = """
import faulthandler, os, threading, time
import numpy as np
import pronghorn as keras
from pronghorn import config, layers

faulthandler.dump_traceback_later(20, exit=True)
x = np.ones((64, 300), np.float32)
stopped = False

def work():
    while not stopped:
        model = keras.Sequential([keras.Input((300,)), layers.Dense(300), layers.Dense(300)])
        for precision in ("strict", "default"):
            model.predict(x, batch_size=64, verbose=0)
            config.set_float32_precision(precision)
            model.predict(x, batch_size=64, verbose=0)

thread = threading.Thread(target=work)
thread.start()
end = time.monotonic() + 2
while time.monotonic() < end:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
stopped = True
thread.join(10)
os._exit(int(thread.is_alive()))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_forks_while_programs_are_planned_again() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
