"""The part of a layer about `build`: when it runs, with which shapes, and what holds after it."""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Any

from pronghorn import tree
from pronghorn.layers.layer.call_spec import CallSpec, shape_arguments_for, shapes_by_argument
from pronghorn.layers.layer.state import LayerState
from pronghorn.naming import current_path, name_scope
from pronghorn.ops.keras_tensor import KerasTensor
from pronghorn.ops.operation import default, is_default
from pronghorn.ops.symbolic import compute_output_spec, get_symbolic_scope


def wrap_build(build: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `build` with what has to happen around the outermost `build` of a layer."""

    @functools.wraps(build)
    def wrapper(self: LayerBuilding, *args: Any, **kwargs: Any) -> None:
        if self.__dict__.get("_building", False):
            build(self, *args, **kwargs)
            return
        self._check_super_called()
        mode = self._own_policy.quantization_mode
        if mode is not None:
            raise NotImplementedError(
                f"{type(self).__name__} '{self.name}': quantized layers are not supported. "
                f"Received: dtype={self._own_policy.name}."
            )
        self._building = True
        try:
            with self._open_name_scope():
                self._path = current_path()
                build(self, *args, **kwargs)
        finally:
            self._building = False
        self._remember_build_shapes(build, args, kwargs)
        self.built = True
        self._post_build()
        self._lock_state()

    wrapper._is_build_wrapper = True  # type: ignore[attr-defined]
    return wrapper


_signature = functools.cache(inspect.signature)  # of as many functions as there are classes


class LayerBuilding(LayerState):
    """Building a layer."""

    _building: bool

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        build = cls.build
        if not getattr(build, "_is_build_wrapper", False):
            cls.build = wrap_build(build)  # type: ignore[method-assign]

    @default
    def build(self, input_shape: Any = None) -> None:
        """Makes the weights, for inputs of the given shape.

        Args:
            input_shape: Shape of the first argument of `call`, `None` for unknown dimensions. A
                layer whose `call` takes several tensors may take `<argument>_shape` for each.
        """
        if self._has_unbuilt_state():
            warnings.warn(
                f"`build()` was called on layer '{self.name}', however the layer does not have a "
                "`build()` method implemented and it looks like it has unbuilt state. This will "
                "cause the layer to be marked as built, despite not being actually built, which "
                "may cause failures down the line. Make sure to implement a proper `build()` "
                "method.",
                stacklevel=3,
            )
        self.built = True

    def _build_at_init(self) -> None:
        """Marks a layer without weights as built, unless a subclass has a `build` of its own."""
        if is_default(self.build):
            self.built = True
            self._post_build()
            self._lock_state()

    def _post_build(self) -> None:
        """Runs after `build`, for subclasses of the library."""

    def _has_unbuilt_state(self) -> bool:
        return any(not layer.built for layer in self._layers)

    def _open_name_scope(self) -> name_scope:
        if self._parent_path is None:
            self._parent_path = current_path()
        return name_scope(self.name, caller=self)

    @property
    def path(self) -> str | None:
        """Names of the scopes around the layer and its own, joined by `/`; None before `build`."""
        return self._path

    def _remember_build_shapes(
        self, build: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        if not args and not kwargs and is_default(build):
            return
        try:
            bound = _signature(build).bind(self, *args, **kwargs)
        except TypeError:
            return
        arguments = dict(list(bound.arguments.items())[1:])
        shapes: dict[str, Any] = {}
        for name, value in arguments.items():
            if name == "kwargs" and isinstance(value, dict):
                shapes.update(value)
            else:
                shapes[name] = value
        self._build_shapes_dict = {k: _plain_shape(v) for k, v in shapes.items()}

    def _maybe_build(self, spec: CallSpec) -> None:
        """Builds the layer for a call with the given arguments, if it is not built."""
        if self.built:
            return
        shapes = _unknown_again(shapes_by_argument(spec))
        first_shape = next(iter(shapes.values()), None)
        if not is_default(self.build):
            self.build(**shape_arguments_for(self.build, shapes, spec, type(self).__name__))
            self._assert_input_compatibility(spec.first_arg)
            return
        if self._has_unbuilt_state():
            try:
                compute_output_spec(self.call, **_symbolic(spec.arguments))
            except Exception as e:
                if spec.eager:
                    # The call itself will build the inner layers, or raise this error in context.
                    return
                warnings.warn(
                    f"Layer '{self.name}' looks like it has unbuilt state, but pronghorn is not "
                    "able to trace the layer `call()` in order to build it automatically. Possible "
                    "causes:\n1. The `call()` method of your layer may be crashing. Try to "
                    "`__call__()` the layer eagerly on some test input first to see if it works.\n"
                    "2. If the `call()` method is correct, then you may need to implement the `def "
                    "build(self, input_shape)` method on your layer. It should create all variables"
                    f" used by the layer (e.g. by calling `layer.build()` on all its children "
                    f"layers).\nException encountered: ''{e}''",
                    stacklevel=4,
                )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.build(first_shape)

    def _assert_input_compatibility(self, x: Any) -> None:
        if self.input_spec is not None:
            from pronghorn.layers.input_spec import assert_input_compatibility

            assert_input_compatibility(self.input_spec, x, self)

    def get_build_config(self) -> dict[str, Any] | None:
        """Returns the shapes that the layer was built for, for `build_from_config`."""
        shapes = self._build_shapes_dict
        if shapes is None:
            return None
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds the layer for the shapes that `get_build_config` gave."""
        if config:
            if "input_shape" in config:
                self.build(config["input_shape"])
            elif "shapes_dict" in config:
                self.build(**config["shapes_dict"])


def _plain_shape(shape: Any) -> Any:
    """Returns `shape` with plain containers, shapes themselves as tuples."""
    if isinstance(shape, dict):
        return {k: _plain_shape(v) for k, v in shape.items()}
    if isinstance(shape, (list, tuple)):
        if all(d is None or isinstance(d, int) for d in shape):
            return tuple(shape)
        return (
            type(shape)(_plain_shape(s) for s in shape)
            if type(shape) in (list, tuple)
            else [_plain_shape(s) for s in shape]
        )
    return shape


def _unknown_again(shapes: dict[str, Any]) -> dict[str, Any]:
    """Puts `None` for the batch where shape inference put a size in its place."""
    scope = get_symbolic_scope()
    if scope is None or scope.fill is None:
        return shapes
    fill = scope.fill

    def unknown(shape: Any) -> Any:
        return (None, *shape[1:]) if shape and shape[0] == fill else shape

    result: dict[str, Any] = tree.map_shape_structure(unknown, shapes)
    return result


def _symbolic(arguments: dict[str, Any]) -> dict[str, Any]:
    """Returns the call arguments with a KerasTensor for each eager tensor."""
    from pronghorn.tensor import Tensor

    def spec_of(x: Any) -> Any:
        return KerasTensor(x.shape, x.dtype) if isinstance(x, Tensor) else x

    return {k: tree.map_structure(spec_of, v) for k, v in arguments.items()}
