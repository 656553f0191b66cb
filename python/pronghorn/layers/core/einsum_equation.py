"""Shapes of an `EinsumDense`: from the equation and the input to the kernel, bias and output.

An equation is `"input,kernel->output"` with one letter per axis and at most one ellipsis in the
input and the output. The ellipsis is expanded to one letter per axis that it stands for, so that
everything after that works on plain letters.
"""

from __future__ import annotations

import dataclasses
import string
from typing import Any

from pronghorn.layers.arguments import Shape


@dataclasses.dataclass(frozen=True)
class EinsumShapes:
    """What an equation means for one input shape. The output shape includes the batch axis."""

    kernel: Shape
    bias: Shape | None
    output: Shape


def _terms(equation: str) -> tuple[str, str, str]:
    parts = equation.replace(" ", "").split("->")
    terms = parts[0].split(",") if len(parts) == 2 else []
    if len(terms) != 2:
        raise ValueError(
            "EinsumDense: equation must have the form 'ab,bc->ac', '...ab,bc->...ac' or "
            f"'ab...,bc->ac...'. Received: equation={equation!r}."
        )
    source, weight, target = terms[0], terms[1], parts[1]
    plain = [t.replace("...", "", 1) for t in (source, weight, target)]
    letters_only = all(t == "" or (t.isalpha() and t.isascii()) for t in plain)
    if not letters_only or "." in weight or ("..." in source) != ("..." in target):
        raise ValueError(
            "EinsumDense: equation must have letters for axes, and an ellipsis in both the "
            "input and "
            f"the output or in neither. Received: equation={equation!r}."
        )
    return source, weight, target


def _expand(source: str, target: str, rank: int) -> tuple[str, str, str]:
    # Returns the input and output letters without ellipsis, and the letters it stood for.
    if "..." not in source:
        return source, target, ""
    count = rank - len(source.replace("...", ""))
    unused = [c for c in string.ascii_letters if c not in source and c not in target]
    elided = "".join(unused[-count:]) if count > 0 else ""
    return source.replace("...", elided), target.replace("...", elided), elided


def analyze_equation(
    equation: str,
    bias_axes: str | None,
    input_shape: Any,
    output_shape: Any,
    *,
    check_ranks: bool = True,
) -> EinsumShapes:
    """Works out the shapes of an `EinsumDense`.

    Args:
        equation: `"abc,cd->abd"`, `"...c,cd->...d"` or `"ab...,bc->ac..."`.
        bias_axes: Letters of the output axes that the bias has, or `None`.
        input_shape: Shape of the input with its batch axis.
        output_shape: Sizes of the output axes that the equation names, without the batch axis;
            `None` for a size to be taken from the input.
        check_ranks: Whether the equation must have as many letters as there are sizes. Building a
            layer does not ask for it, calling it does, as in Keras.

    Returns:
        An `EinsumShapes`.

    Raises:
        ValueError: If equation, input and output do not fit one another.
    """
    source, weight, target = _terms(equation)
    received = (
        f"Received: equation={equation!r}, input_shape={tuple(input_shape)}, "
        f"output_shape={tuple(output_shape)}."
    )
    ellipsis_first = source.startswith("...")
    source, target, elided = _expand(source, target, len(input_shape))
    if check_ranks and len(source) != len(input_shape):
        raise ValueError(
            f"EinsumDense: the input must have {len(source)} axes for this equation. {received}"
        )
    sizes: dict[str, int | None] = dict(zip(source, input_shape))
    named = [c for c in target if c not in elided]
    if not ellipsis_first and named:
        sizes.setdefault(named[0], input_shape[0])
        named = named[1:]
    if check_ranks and len(named) != len(output_shape):
        raise ValueError(
            f"EinsumDense: output_shape must have {len(named)} sizes for this equation (without "
            f"the batch axis and the axes of an ellipsis). {received}"
        )
    for letter, size in zip(named, output_shape):
        known = sizes.get(letter)
        if known is not None and size is not None and known != size:
            raise ValueError(
                f"EinsumDense: axis '{letter}' is {known} in the input and {size} in output_shape. "
                f"{received}"
            )
        sizes[letter] = size if size is not None else known
    for letter in weight:
        if letter not in sizes:
            raise ValueError(
                f"EinsumDense: axis '{letter}' of the kernel must be in the input or in the "
                f"output. "
                f"{received}"
            )
    for letter in target:
        if letter not in source and letter not in weight and letter not in elided:
            raise ValueError(
                f"EinsumDense: axis '{letter}' of the output must be in the input or in the "
                f"kernel. "
                f"{received}"
            )
    output = tuple(sizes[letter] for letter in target)
    kernel = tuple(sizes[letter] for letter in weight)
    bias: Shape | None = None
    if bias_axes:
        unknown = [letter for letter in bias_axes if letter not in target]
        if unknown:
            raise ValueError(
                f"EinsumDense: axis '{unknown[0]}' of the bias must be in the output. "
                f"Received: bias_axes={bias_axes!r}, equation={equation!r}."
            )
        first = min(target.index(letter) for letter in bias_axes)
        bias = tuple(sizes[c] if c in bias_axes else 1 for c in target[first:])
    return EinsumShapes(kernel, bias, output)
