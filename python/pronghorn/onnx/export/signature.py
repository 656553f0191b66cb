"""What an exported model takes: names, shapes with named unknown dimensions, dtypes."""

from __future__ import annotations

import dataclasses
from typing import Any

from pronghorn import tree
from pronghorn.dtypes import TENSOR_DTYPES, tensor_dtype
from pronghorn.layers.input_spec import InputSpec
from pronghorn.onnx.export.sizes import BATCH
from pronghorn.ops.keras_tensor import KerasTensor


@dataclasses.dataclass(frozen=True)
class Input:
    """One input: a dimension is a size, or the name of one that is unknown."""

    name: str
    dims: tuple[int | str, ...]
    dtype: str


@dataclasses.dataclass(frozen=True)
class Signature:
    """The inputs of a model.

    `arguments` are those of the model's call: structures with the numbers of the inputs at their
    leaves.
    """

    inputs: tuple[Input, ...]
    arguments: tuple[Any, ...]

    def names_of_dims(self) -> list[str]:
        """Returns the names of the unknown dimensions in order."""
        names = [d for x in self.inputs for d in x.dims if isinstance(d, str)]
        return list(dict.fromkeys(names))


def signature_of(model: Any, input_signature: Any, owner: str) -> Signature:
    """Returns the signature of a model.

    Args:
        model: A built layer or model.
        input_signature: Structure of `InputSpec`, KerasTensor or arrays: the first argument of the
            model's call, or a list of its arguments. By default the inputs of a functional or
            sequential model, or what a subclass was built for.
        owner: Who asks, for errors.

    Raises:
        ValueError: The inputs are not known, or of a kind that ONNX or the core cannot take.
    """
    graph = model.__dict__.get("_functional") or model
    own = getattr(graph, "_inputs_struct", None)
    required = _required_arguments(model) if own is None else [""]
    if input_signature is not None:
        arguments = _given(input_signature, own, required)
        arguments = tree.map_structure(lambda leaf: _checked(leaf, owner), arguments)
    elif own is not None:
        arguments = (tree.map_structure(_of_tensor, own),)
    else:
        arguments = _of_shapes(model, required, owner)
    leaves = tree.flatten(arguments)
    if not leaves:
        raise ValueError(f"{owner}: expected at least one input. Received: none.")
    if own is not None:
        names = getattr(graph, "input_names", None)
    else:
        names = required if len(required) == len(leaves) > 1 else None
    names = _names(leaves, names)
    inputs = tuple(
        Input(name, _dims(spec, i, len(leaves)), _dtype(spec, owner))
        for i, (name, spec) in enumerate(zip(names, leaves))
    )
    numbers = iter(range(len(leaves)))
    return Signature(inputs, tuple(tree.map_structure(lambda _: next(numbers), list(arguments))))


def _required_arguments(model: Any) -> list[str]:
    """Names of the arguments that a call cannot do without."""
    signature = model._call_signature
    names = [n for n in signature.names if n not in signature.defaults]
    return [n for n in names if n not in ("training", "mask")] if not signature.variadic else [""]


def _given(given: Any, own: Any, required: list[str]) -> tuple[Any, ...]:
    """The arguments that an `input_signature` describes."""
    if not isinstance(given, (list, tuple)):
        return (given,)
    if len(required) > 1 and len(given) == len(required):
        return tuple(given)
    takes_one = own is None or isinstance(own, KerasTensor)
    if len(given) == 1 and (takes_one or tree.is_nested(given[0])):
        return (given[0],)
    return (given,)


def _of_tensor(x: KerasTensor) -> InputSpec:
    return InputSpec(shape=x.shape, dtype=x.dtype, name=x.name)


def _checked(leaf: Any, owner: str) -> InputSpec:
    if isinstance(leaf, InputSpec):
        if leaf.shape is None or leaf.dtype is None:
            raise ValueError(
                f"{owner}: expected an `InputSpec` with `shape` and `dtype` in `input_signature`. "
                f"Received: {leaf}."
            )
        return leaf
    if isinstance(leaf, KerasTensor):
        return _of_tensor(leaf)
    if hasattr(leaf, "shape") and hasattr(leaf, "dtype"):
        shape = tuple(leaf.shape)
        dtype = str(getattr(leaf.dtype, "name", leaf.dtype))
        return InputSpec(shape=(None, *shape[1:]) if shape else (), dtype=dtype)
    raise ValueError(
        f"{owner}: expected `InputSpec`, KerasTensor or arrays in `input_signature`. "
        f"Received: {type(leaf).__name__}."
    )


def _of_shapes(model: Any, required: list[str], owner: str) -> tuple[Any, ...]:
    found = getattr(model, "_build_shapes_dict", None) or {}
    shapes = {name.removesuffix("_shape"): shape for name, shape in found.items()}
    if len(required) == 1 and len(shapes) == 1:
        shapes = {required[0]: next(iter(shapes.values()))}
    if set(required) - set(shapes):
        raise ValueError(
            f"{owner}: the shapes of the inputs are not known. Pass `input_signature`, a list of "
            f"`InputSpec`, one for each argument of the call: {', '.join(required)}."
        )
    dtype = getattr(model, "input_dtype", None)
    dtype = dtype if isinstance(dtype, str) else "float32"
    return tuple(
        tree.map_shape_structure(
            lambda s: InputSpec(shape=(None, *s[1:]) if s else (), dtype=dtype), shapes[name]
        )
        for name in required
    )


def _names(specs: list[InputSpec], own: list[str] | None) -> list[str]:
    names: list[str] = []
    for i, spec in enumerate(specs):
        name = own[i] if own is not None and i < len(own) else spec.name
        name = str(name or ("input" if len(specs) == 1 else f"input_{i}"))
        while name in names:
            name = f"{name}_{i}"
        names.append(name)
    return names


def _dims(spec: InputSpec, number: int, count: int) -> tuple[int | str, ...]:
    assert spec.shape is not None
    place = "" if count == 1 else f"input_{number}_"
    return tuple(
        d if d is not None else BATCH if axis == 0 else f"{place}dim_{axis}"
        for axis, d in enumerate(spec.shape)
    )


def _dtype(spec: InputSpec, owner: str) -> str:
    dtype = str(spec.dtype)
    if dtype == "string" or tensor_dtype(dtype) not in TENSOR_DTYPES:
        raise ValueError(
            f"{owner}: inputs of dtype {dtype} cannot be exported: lookup of strings is done in "
            "Python. Export the part of the model behind it, which takes the numbers."
        )
    return tensor_dtype(dtype)
