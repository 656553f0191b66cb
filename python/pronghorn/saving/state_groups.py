"""Which objects of a model have state, and the names of their groups in a file, as in Keras 3.

A layer's group is called after its class, numbered within its container, because names of layers
differ from run to run; what hangs on an attribute is in a group of the attribute's name.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from typing import Any

from pronghorn.naming import to_snake_case
from pronghorn.variable import Variable

_CONTAINER = "container"


def state_groups(model: Any, skipped: Iterable[Any] = ()) -> Iterator[tuple[str, Any]]:
    """Yields each layer and optimizer of `model` once, with the path of its group.

    Args:
        model: The model.
        skipped: Objects that are left out, with what they consist of.
    """
    yield from _visit(model, "", {id(x) for x in skipped})


def _visit(owner: Any, group: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
    if id(owner) in seen:
        return
    seen.add(id(owner))
    yield group, owner
    for name, child in _children(owner):
        path = f"{group}/{name}" if group else name
        if _has_state(child):
            yield from _visit(child, path, seen)
        elif isinstance(child, (list, tuple, dict, set)):
            yield from _visit_container(child, path, seen, set())


def _visit_container(
    container: Any, group: str, seen: set[int], containers: set[int]
) -> Iterator[tuple[str, Any]]:
    if id(container) in containers:
        return
    containers.add(id(container))
    values = list(container.values()) if isinstance(container, dict) else list(container)
    used: dict[str, int] = {}
    for value in values:
        if _has_state(value):
            name = _numbered(to_snake_case(type(value).__name__), used)
            yield from _visit(value, f"{group}/{name}", seen)
        elif isinstance(value, (list, tuple, dict)):
            name = _numbered(_CONTAINER, used)
            yield from _visit_container(value, f"{group}/{name}", seen, containers)


def _numbered(name: str, used: dict[str, int]) -> str:
    number = used.get(name, 0)
    used[name] = number + 1
    return f"{name}_{number}" if number else name


def container_group(group: str) -> str | None:
    """Returns the group of the outermost list in a list that `group` is in, or `None`.

    Keras 3.14 and before wrote no layers of lists inside of lists.
    """
    parts = group.split("/")
    for i, part in enumerate(parts):
        if part == _CONTAINER or part.startswith(f"{_CONTAINER}_"):
            return "/".join(parts[: i + 1])
    return None


def _children(owner: Any) -> Iterator[tuple[str, Any]]:
    cls: type = type(owner)
    base, has_layers, properties = _description(cls)
    if has_layers:
        yield "layers", owner.layers
    skipped = _own_attributes(base)
    own = (name for name, value in vars(owner).items() if type(value) not in _PLAIN)
    # Public names first: a property that shows a private attribute gives the group its name.
    for name in sorted({*own, *properties}, key=_public_first):
        if name.startswith("__") or name in skipped:
            continue
        try:
            yield name, getattr(owner, name)
        except Exception:  # noqa: BLE001  (a property that has no value now)
            continue


def _public_first(name: str) -> tuple[bool, str]:
    return name.startswith("_"), name


@functools.cache
def _description(cls: type) -> tuple[type, bool, tuple[str, ...]]:
    """Returns the class of the library that `cls` is one of, whether that lists its layers, and the
    properties that `cls` adds to it."""
    from pronghorn.layers.layer import Layer
    from pronghorn.models.functional import Functional
    from pronghorn.models.model import Model
    from pronghorn.models.sequential import Sequential

    kinds = (Functional, Sequential, Model, Layer)
    base: type = next((kind for kind in kinds if issubclass(cls, kind)), object)
    properties = tuple(
        name
        for ancestor in cls.__mro__
        if ancestor not in base.__mro__
        for name, value in vars(ancestor).items()
        if isinstance(value, property)
    )
    if base is Model:
        # For Keras this is an attribute as those of a subclass: the first of them in the order of
        # the alphabet that has a layer gives it its group.
        properties = (*properties, "layers")
    return base, base in (Functional, Sequential), properties


# Values that hold no state, and no containers of such.
_PLAIN = frozenset({type(None), bool, int, float, str, bytes, Variable})

_skipped: dict[type, frozenset[str]] = {}


def _own_attributes(base: type) -> frozenset[str]:
    """Returns the attributes that each object of `base` has: none of them is a user's."""
    if base not in _skipped:
        names = set(dir(base)) | _RUNTIME_ATTRIBUTES
        names -= {"optimizer"} | {*_description(base)[2]}
        _skipped[base] = frozenset(names)
    return _skipped[base]


# Attributes of instances in which the library keeps layers a second time, or none.
_RUNTIME_ATTRIBUTES = frozenset(
    {
        "_tracker",
        "_layers",
        "_metrics",
        "_losses",
        "_functional",
        "_nodes",
        "_operations",
        "_operations_by_depth",
        "_inbound_nodes",
        "_outbound_nodes",
        "_seed_generators",
        "_trainable_variables",
        "_non_trainable_variables",
        "_compile_loss",
        "_compile_metrics",
        "_compile_config",
        "_loss_tracker",
        "_programs",
        "_evaluation",
        "_optimizer",
        "history",
        "loss",
        "dtype_policy",
        "_dtype_policy",
    }
)


def _has_state(value: Any) -> bool:
    return isinstance(value, _stateful_classes())


@functools.cache
def _stateful_classes() -> tuple[type, ...]:
    from pronghorn.layers.layer import Layer
    from pronghorn.metrics import Metric
    from pronghorn.optimizers import Optimizer

    return Layer, Optimizer, Metric
