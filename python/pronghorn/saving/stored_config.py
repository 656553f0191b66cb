"""The config of a model in a file, and how it was compiled: checked, in the form of Keras 3."""

from __future__ import annotations

from typing import Any

from pronghorn.config_errors import INTERNAL_ERRORS, one_line, shown
from pronghorn.saving import legacy_compile, legacy_config
from pronghorn.saving.archive import CONFIG, Archive
from pronghorn.saving.checked_hdf5 import CheckedHdf5
from pronghorn.saving.checked_json import MAX_BYTES, parse_json


class StoredConfig:
    """The config that a file holds for a model.

    Args:
        model: Config of the model, as it is stored.
        training: How it was compiled, as it is stored, or `None`.
        version: Version of Keras that wrote it, as far as the file says so.
        in_hdf5: Whether it is from an `.h5` file, where Keras 3 leaves modules out.
        source: What the file is, for errors.

    Raises:
        ValueError: If there is no config of a model.
    """

    def __init__(self, model: Any, training: Any, version: str, in_hdf5: bool, source: str) -> None:
        is_model = isinstance(model, dict) and isinstance(model.get("class_name"), str)
        if not is_model or not isinstance(model.get("config"), (dict, list)):
            raise ValueError(f"{source}: expected the config of a model. Received: {shown(model)}.")
        self.model: dict[str, Any] = model
        self.training = training
        self.version = version
        self.in_hdf5 = in_hdf5
        self.source = source

    def translated(
        self, with_training: bool = True
    ) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Returns the config of the model in the form of Keras 3, and arguments of `compile`.

        Args:
            with_training: Whether the arguments of `compile` are asked for.

        Raises:
            ValueError: If a layer has no counterpart, or the config is malformed.
        """
        model = {k: v for k, v in self.model.items() if k != "compile_config"}
        training = self.training if with_training else None
        if training is not None and not isinstance(training, dict):
            raise ValueError(
                f"{self.source}: expected the arguments of `compile`. Received: {shown(training)}."
            )
        try:
            if self.in_hdf5:
                is_keras_3 = self.version.startswith("3")
                translate = legacy_config.with_modules if is_keras_3 else legacy_config.model_config
                model = translate(model)
                is_legacy = True
            else:
                is_legacy = legacy_config.is_legacy(model)
                model = legacy_config.model_config(model) if is_legacy else model
            if is_legacy and training is not None:
                training = legacy_compile.compile_config(training)
        except (TypeError, *INTERNAL_ERRORS) as error:
            raise ValueError(
                f"{self.source} is refused: its config is malformed: {one_line(error)}."
            ) from error
        return model, training


def archive_config(archive: Archive) -> StoredConfig:
    """Returns the config in a `.keras` file.

    Raises:
        ValueError: If there is none, or it is refused.
    """
    source = f"'{archive.path}'"
    model = parse_json(archive.read(CONFIG, MAX_BYTES), f"{source}, member config.json")
    training = model.get("compile_config") if isinstance(model, dict) else None
    return StoredConfig(model, training, "", False, source)


def h5_config(file: CheckedHdf5) -> StoredConfig | None:
    """Returns the config in an `.h5` file, `None` if it holds weights only.

    Raises:
        ValueError: If it is refused.
    """
    model = _json(file, "model_config")
    if model is None:
        return None
    # Before 2.0 Keras wrote no version.
    version = text(file.root.attrs.get("keras_version", "1"))
    return StoredConfig(model, _json(file, "training_config"), version, True, file.source)


def text(value: Any) -> str:
    """Returns an attribute as a string."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _json(file: CheckedHdf5, name: str) -> Any:
    found = file.root.attrs.get(name)
    if found is None:
        return None
    return parse_json(text(found).encode("utf-8"), f"{file.source}, attribute {name}")
