"""The command `pronghorn`: looks into files, checks them, converts them; the machine's figures."""

from pronghorn.cli.main import main

__all__ = ["main"]
