"""Arguments of the command `pronghorn`, and what is printed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from pronghorn.cli.usage import UsageError
from pronghorn.version import __version__

_FILE = "a .keras, .h5, .weights.h5, .onnx, .safetensors or .npz file"
_MODEL = "a model: .keras, .h5 or .onnx"
_WEIGHTS = ".weights.h5, .safetensors or .npz"
_DESCRIPTION = "Looks into files of models, checks them, converts them; measures the machine."


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: Words after `pronghorn`; by default those of the process.

    Returns:
        The exit code: 0; 1 where a file is refused or cannot be read or written; 2 where the
        arguments are wrong; 130 after Ctrl-C.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:  # argparse has printed why, or the help
        return int(end.code or 0)
    try:
        return _run(options)
    except KeyboardInterrupt:
        _print(f"pronghorn {options.command}: interrupted", sys.stderr)
        return 130


def _run(options: Any) -> int:
    action: Callable[[Any], dict[str, Any]] = options.action
    try:
        if "-" in (getattr(options, "file", None), getattr(options, "source", None)):
            raise UsageError("expected the path of a file: standard input is not read.")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            found = action(options)
    except UsageError as error:
        _print(f"pronghorn {options.command}: {error}", sys.stderr)
        return 2
    except (OSError, ValueError, TypeError, NotImplementedError, ImportError, MemoryError) as error:
        _print(f"pronghorn {options.command}: {error or type(error).__name__}", sys.stderr)
        return 1
    for warning in caught:
        _print(f"pronghorn {options.command}: warning: {warning.message}", sys.stderr)
    text = json.dumps(found, indent=2) if options.json else "\n".join(_lines(found))
    try:
        _print(text, sys.stdout)
    except OSError as error:
        _print(f"pronghorn {options.command}: cannot write the output: {error}", sys.stderr)
        _drop(sys.stdout)
        return 1
    return 1 if found.get("refused") else 0


def _print(text: str, stream: Any) -> None:
    """Prints lines; what no terminal should get of a file's names, as its code."""
    if stream is None:  # closed by who started the process
        return
    lines = ["".join(c if c.isprintable() else _code(c) for c in t) for t in text.split("\n")]
    whole = "\n".join(lines) + "\n"
    encoding = getattr(stream, "encoding", None) or "utf-8"
    try:
        stream.write(whole.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        # Whoever reads has seen enough. Nothing is left for the interpreter to flush at its end.
        _drop(stream)


def _drop(stream: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _code(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pronghorn", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"pronghorn {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, action: Callable[[Any], dict[str, Any]], text: str) -> Any:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--json", action="store_true", help="print data in place of text")
        command.set_defaults(action=action)
        return command

    info = add("info", _info, "what is in a file, without building the model")
    info.add_argument("file", help=_FILE)
    scan = add("scan", _scan, "whether a file would be loaded, and if not, why; nothing is built")
    scan.add_argument("file", help=_FILE)
    convert = add("convert", _convert, "a file in another format, which the endings say")
    convert.add_argument("source", help=f"{_MODEL}; or weights: {_WEIGHTS}, with --model")
    convert.add_argument("target", help=f"{_MODEL}; or its weights: {_WEIGHTS}")
    convert.add_argument("--model", help="for weights as source: a model that they fit")
    convert.add_argument("--force", action="store_true", help="replace an existing target")
    add("bench", _bench, "what this machine reaches: products, memory, threads")
    return parser


def _info(options: Any) -> dict[str, Any]:
    from pronghorn.cli.inspect_file import describe

    return describe(options.file)


def _scan(options: Any) -> dict[str, Any]:
    from pronghorn.cli.inspect_file import scan

    return scan(options.file)


def _convert(options: Any) -> dict[str, Any]:
    from pronghorn.cli.convert import convert

    return convert(options.source, options.target, options.model, options.force)


def _bench(options: Any) -> dict[str, Any]:
    from pronghorn.machine import figures

    return figures()


def _lines(found: dict[str, Any], indent: str = "") -> list[str]:
    """Returns nested data as indented lines; a list of rows as a table."""
    lines: list[str] = []
    for key, value in found.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
            lines.append(f"{indent}{key}:")
            lines += _table(value, indent + "  ")
        elif isinstance(value, list):
            lines.append(f"{indent}{key}: {', '.join(map(str, value)) if value else 'none'}")
        else:
            lines.append(f"{indent}{key}: {value}")
    return lines


def _table(rows: list[dict[str, Any]], indent: str) -> list[str]:
    columns = list(rows[0])
    texts = [[_cell(row.get(c, "")) for c in columns] for row in rows]
    widths = [max(len(t[i]) for t in texts) for i in range(len(columns))]
    return [
        indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
        for row in texts
    ]


def _cell(value: Any) -> str:
    """Returns a shape, which is a list in data, as `(3, 2)`; what is not known as a word."""
    if isinstance(value, list):
        sizes = ["?" if size is None else str(size) for size in value]
        return f"({sizes[0]},)" if len(sizes) == 1 else f"({', '.join(sizes)})"
    return "unknown" if value is None else str(value)
