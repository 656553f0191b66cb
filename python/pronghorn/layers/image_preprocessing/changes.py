"""The changes that RandAugment and AugMix choose from."""

from __future__ import annotations

from typing import Any

from pronghorn import ops
from pronghorn.layers.image_preprocessing.auto_contrast import AutoContrast
from pronghorn.layers.image_preprocessing.equalization import Equalization
from pronghorn.layers.image_preprocessing.random_brightness import RandomBrightness
from pronghorn.layers.image_preprocessing.random_color_degeneration import RandomColorDegeneration
from pronghorn.layers.image_preprocessing.random_contrast import RandomContrast
from pronghorn.layers.image_preprocessing.random_posterization import RandomPosterization
from pronghorn.layers.image_preprocessing.random_rotation import RandomRotation
from pronghorn.layers.image_preprocessing.random_sharpness import RandomSharpness
from pronghorn.layers.image_preprocessing.random_shear import RandomShear
from pronghorn.layers.image_preprocessing.random_translation import RandomTranslation
from pronghorn.layers.image_preprocessing.solarization import Solarization


def make_changes(owner: Any, all_ops: bool = True) -> dict[str, Any]:
    """Returns layers by name.

    Args:
        owner: The layer that chooses: its factor, value range, interpolation, data format and dtype
            are those of the changes.
        all_ops: Whether brightness, colour degeneration, contrast and sharpness are among them.
    """
    own: dict[str, Any] = {"data_format": owner.data_format, "dtype": owner.dtype_policy}
    moves = {**own, "interpolation": owner.interpolation}
    colors = {**own, "value_range": owner.value_range}
    f = owner.factor
    found = {
        "random_shear": RandomShear(f, f, **moves),
        "random_translation": RandomTranslation(f, f, **moves),
        "random_rotation": RandomRotation(f, **moves),
        "random_posterization": RandomPosterization(max(1, int(8 * f[1])), **colors),
        "solarization": Solarization(f, f, **colors),
        "auto_contrast": AutoContrast(**colors),
        "equalization": Equalization(**colors),
    }
    if all_ops:
        found["random_brightness"] = RandomBrightness(f, **colors)
        found["random_color_degeneration"] = RandomColorDegeneration(f, **colors)
        found["random_contrast"] = RandomContrast(f, **colors)
        found["random_sharpness"] = RandomSharpness(f, **colors)
    return found


def draw_changes(changes: dict[str, Any], data: Any, seed: Any) -> dict[str, Any]:
    """Returns a transformation of each change, by name.

    All are drawn, whichever is applied, so that traced and eager calls draw the same numbers.

    Args:
        changes: The layers.
        data: What they are applied to.
        seed: Where random numbers come from.
    """
    return {
        name: change.get_random_transformation(data, True, seed) for name, change in changes.items()
    }


def apply_change(
    changes: dict[str, Any], drawn: Any, transformations: dict[str, Any], images: Any, method: str
) -> Any:
    """Returns images, or masks, changed by the layer whose number was drawn.

    Args:
        changes: The layers.
        drawn: The number; one that is none of theirs changes nothing.
        transformations: What `draw_changes` returned.
        images: Images or masks.
        method: `"transform_images"` or `"transform_segmentation_masks"`.
    """
    found = images
    for number, (name, change) in enumerate(changes.items()):
        if not drawn.is_symbolic and int(drawn) != number:
            continue
        changed = getattr(change, method)(images, transformations[name])
        # A program has no branches: there all are computed and one is selected.
        found = ops.where(drawn == number, changed, found) if drawn.is_symbolic else changed
    return found
