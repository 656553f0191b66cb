"""Runs a bench once for each instruction set and number of threads, in processes of their own."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--isa", default="", help="levels, with commas; default: the best one")
    parser.add_argument("--threads", default="", help="numbers, with commas; default: the usual")
    parser.add_argument("--json", default="", help="also write the figures to this file")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)


def each(module: str, a: argparse.Namespace, arguments: list[str]) -> Iterator[Any]:
    """What `python -m module --here arguments` prints last, as JSON, for each setting."""
    for isa in a.isa.split(","):
        for threads in a.threads.split(","):
            environment = dict(os.environ)
            if isa:
                environment["PRONGHORN_ISA"] = isa
            if threads:
                environment["PRONGHORN_NUM_THREADS"] = threads
            command = [sys.executable, "-m", module, "--here", *arguments]
            run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
            if run.returncode:
                raise SystemExit(run.returncode)
            yield json.loads(run.stdout.splitlines()[-1])
