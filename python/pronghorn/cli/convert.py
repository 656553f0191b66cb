"""`convert`: a model's file in another format."""

from __future__ import annotations

import os
from typing import Any

MODELS = (".keras", ".h5", ".hdf5", ".onnx")
WEIGHTS = (".weights.h5", ".safetensors", ".npz")


def convert(source: str, target: str, force: bool = False) -> dict[str, Any]:
    """Loads a model and writes it, or its weights, to another file.

    Args:
        source: A whole model: `.keras`, `.h5` or `.onnx`.
        target: `.keras`, or for the weights `.weights.h5`, `.safetensors` or `.npz`.
        force: Whether an existing target is replaced.

    Returns:
        Both paths and the size of the target.

    Raises:
        ValueError: If an ending says no format, or the source is refused.
        FileExistsError: If the target exists and `force` is false.
    """
    from pronghorn import saving

    if not source.endswith(MODELS) or source.endswith(WEIGHTS):
        raise ValueError(
            f"expected a whole model as source, which ends in {', '.join(MODELS)}. "
            f"Received: {source}."
        )
    if not target.endswith((".keras", *WEIGHTS)):
        raise ValueError(
            f"expected a target that ends in .keras, {', '.join(WEIGHTS)}. Received: {target}."
        )
    if os.path.exists(target) and not force:
        raise FileExistsError(f"{target} exists. Use --force to replace it.")
    model = saving.load_model(source)
    if target.endswith(".keras"):
        model.save(target)
    else:
        model.save_weights(target)
    return {"source": source, "target": target, "bytes": os.path.getsize(target)}
