"""Mutations of JSON trees that keep them JSON: what configurations and headers are made of."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

NUMBERS = [
    *(0, -1, 1, 2, 3, 7, 64, 255, 4096, 10**6, 2**31 - 1, 2**31, 2**32, 2**40, 2**53, 10**9),
    *(2**62, 2**63 - 1, 2**63, -(2**63), -(2**31), 10**30, 10**400, True, False),
    *(0.0, -0.5, 0.5, 1.5, 1e-320, 1e-30, 1e30, 1e308, -1e308),
    *(float("nan"), float("inf"), float("-inf")),
]
STRINGS = [
    *("", " ", "a/b", "../x", "../../../tmp/x", "/etc/passwd", ".", "..", "a.b", "x" * 300),
    *("\ud800", "\0", "\n", "é", "None", "null", "1", "-1", "float32", "float64", "int8", "object"),
    *("relu", "softmax", "channels_first", "same", "valid", "causal", "auto", "mixed_float16"),
    *("bfloat16", "string", "int32", "V2", "tf-idf", "int", "one_hot", "adam", "mse", "accuracy"),
    *("glorot_uniform", "identity", "orthogonal", "l2", "max_norm", "ij,jk->ik", "...ab->...ba"),
    *("eval", "__class__", "__init__", "os", "keras.layers", "keras.src.models.functional"),
]
EMPTY = [None, [], {}, [[]], [None], [{}], {"": None}, [0, 0], [1] * 40, {"class_name": "x"}]
KEYS = [
    *("units", "filters", "kernel_size", "strides", "padding", "rate", "axis", "axes", "name"),
    *("dtype", "trainable", "vocabulary", "function", "activation", "kernel_initializer", "layers"),
    *("weights", "module", "class_name", "config", "registered_name", "build_config", "shape"),
    *("compile_config", "inbound_nodes", "shared_object_id", "input_shape", "seed", "value"),
    *("batch_shape", "input_dim", "output_dim", "num_heads", "key_dim", "data_format", "start"),
]
WRAPPERS = [
    *("__tuple__", "__numpy__", "__tensor__", "__slice__", "__bytes__", "__ellipsis__"),
    *("__lambda__", "__keras_tensor__", "__typespec__", "function", "__else__"),
]
MODULES = [
    *("keras", "keras.layers", "keras.models", "keras.ops", "keras.initializers", "keras.utils"),
    *("keras.src.ops.numpy", "keras.src.models.functional", "keras.optimizers", "keras.saving"),
    *("keras.optimizers.schedules", "keras.losses", "keras.metrics", "keras.config", "builtins"),
    *("keras.random", "keras.callbacks", "keras.datasets", "pronghorn", "pronghorn.config", "os"),
    *("subprocess", "numpy", "", None, 3, "keras.src", "keras.dtype_policies", "tf_keras.layers"),
]


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Returns `(container, key)` of every value in a tree."""
    found: list[tuple[Any, Any]] = []
    todo = [tree]
    while todo:
        node = todo.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        for key in keys:
            found.append((node, key))
            if isinstance(node[key], (dict, list)):
                todo.append(node[key])
    return found


def mutate(tree: Any, random: Random, pool: list[Any], names: list[str], count: int = 0) -> Any:
    """Returns a changed copy of a tree.

    Args:
        tree: The tree, a dict or list.
        random: Where choices come from.
        pool: Other trees, parts of which are put in.
        names: Names of classes and functions.
        count: Number of changes, by default one to four.
    """
    tree = copy.deepcopy(tree)
    for _ in range(count or random.choice([1, 1, 1, 2, 2, 3, 4])):
        found = places(tree)
        if not found:
            return random.choice([copy.deepcopy(random.choice(pool)), {}, []]) if pool else {}
        container, key = random.choice(found)
        random.choice(_CHANGES)(container, key, random, pool, names, found)
    return tree


def value(random: Random, names: list[str]) -> Any:
    """Returns a value that code may not expect."""
    kind = random.randrange(5)
    if kind < 2:
        return random.choice(NUMBERS)
    if kind == 2:
        return random.choice(STRINGS)
    if kind == 3:
        return copy.deepcopy(random.choice(EMPTY))
    return random.choice(names)


def _replace(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    container[key] = value(random, names)


def _number(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    numbers = [(c, k) for c, k in found if isinstance(c[k], (int, float))]
    if numbers:
        container, key = random.choice(numbers)
        container[key] = random.choice(NUMBERS)


def _delete(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    del container[key]


def _repeat(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    if isinstance(container, list):
        again = copy.deepcopy(container[key])
        container[key:key] = [again] * random.choice([1, 2, 50])
    else:
        container[random.choice(KEYS)] = copy.deepcopy(container[key])


def _swap(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    other, other_key = random.choice(found)
    a, b = copy.deepcopy(container[key]), copy.deepcopy(other[other_key])
    container[key] = b
    if other_key in other if isinstance(other, dict) else other_key < len(other):
        other[other_key] = a


def _graft(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    source = random.choice(pool)
    at = places(source)
    if at:
        other, other_key = random.choice(at)
        container[key] = copy.deepcopy(other[other_key])


def _rename(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    objects = [(c, k) for c, k in found if k in ("class_name", "module", "registered_name")]
    if objects:
        container, key = random.choice(objects)
        container[key] = random.choice(MODULES if key == "module" else names)


def _wrap(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    inner = container[key]
    kind = random.choice(WRAPPERS)
    if kind == "__tuple__":
        container[key] = {"class_name": kind, "items": [inner]}
        return
    dtype = random.choice(["float32", "int64", "object", "S9999999", "float128", 7])
    config = {"value": inner, "dtype": dtype, "start": inner, "shape": inner}
    container[key] = {"class_name": kind, "config": config}


def _nest(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    inner = container[key]
    for _ in range(random.choice([1, 2, 10, 60, 250])):
        inner = [inner] if random.random() < 0.5 else {random.choice(KEYS): inner}
    container[key] = inner


def _insert(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    if isinstance(container, dict):
        container[random.choice(KEYS)] = value(random, names)
    else:
        container.insert(key, value(random, names))


def _share(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    for other, other_key in found:
        if isinstance(other[other_key], dict) and "class_name" in other[other_key]:
            other[other_key]["shared_object_id"] = random.choice([1, 1, 2, -1, "x", [], 1.5])


def _retype(container: Any, key: Any, random: Random, pool: Any, names: Any, found: Any) -> None:
    old = container[key]
    forms = [str(old)[:1000], [old], {"0": old}, [old, old], not old, {"items": old}]
    container[key] = random.choice(forms)


_CHANGES = [
    *(_replace, _replace, _replace, _number, _number, _number, _delete, _repeat, _swap, _graft),
    *(_graft, _rename, _rename, _wrap, _nest, _insert, _insert, _share, _retype, _retype),
]
