"""Lambdas in a layer's configuration: marshalled byte code, as Keras writes it.

Reading one back runs code that a file holds, so only `Lambda.from_config` does it, on request.
"""

from __future__ import annotations

import builtins
import codecs
import marshal
import types
from collections.abc import Callable
from typing import Any


def dump_function(function: Callable[..., Any]) -> dict[str, Any]:
    """Returns the byte code (base64), the defaults and the closure values of a function."""
    code = codecs.encode(marshal.dumps(function.__code__), "base64").decode("ascii")
    cells = function.__closure__
    closure = tuple(c.cell_contents for c in cells) if cells else None
    return {"code": code, "defaults": function.__defaults__, "closure": closure}


def load_function(config: dict[str, Any]) -> Callable[..., Any]:
    """Returns the function that `dump_function` wrote. It sees no global names but builtins."""
    code = marshal.loads(codecs.decode(config["code"].encode("ascii"), "base64"))
    defaults = config.get("defaults")
    closure = config.get("closure")
    return types.FunctionType(
        code,
        {"__builtins__": builtins},
        name=code.co_name,
        argdefs=tuple(defaults) if defaults is not None else None,
        closure=tuple(types.CellType(v) for v in closure) if closure is not None else None,
    )
