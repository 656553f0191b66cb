"""Messages to the user: standard output, or `logging` where interactive logging is switched off."""

from __future__ import annotations

import logging
import sys

from pronghorn import config


def is_terminal() -> bool:
    """Whether a line on standard output can be rewritten: a terminal, or a notebook."""
    if not config.is_interactive_logging_enabled():
        return False
    if "ipykernel" in sys.modules:
        return True
    isatty = getattr(sys.stdout, "isatty", None)
    return bool(isatty()) if isatty is not None else False


def print_msg(message: str, line_break: bool = True) -> None:
    """Writes a message to standard output, or logs it.

    Args:
        message: the text.
        line_break: whether a line feed follows.
    """
    if not config.is_interactive_logging_enabled():
        logging.getLogger("pronghorn").info(message)
        return
    if sys.stdout is None:  # a program without a console
        return
    text = message + "\n" if line_break else message
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        # A console that cannot show the bar's characters.
        sys.stdout.write(text.encode("ascii", errors="replace").decode("ascii"))
    sys.stdout.flush()
