"""Adam with weight decay."""

from __future__ import annotations

from typing import Any

from pronghorn.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled weight decay. Source: Loshchilov and Hutter, 2019.

    Each step also takes `weight_decay * learning_rate` of a weight off it. Biases and the like can
    be left out with `exclude_from_weight_decay`.

    Args:
        learning_rate: A number, a `LearningRateSchedule`, or a callable without arguments.
        weight_decay: Part of a weight, times the learning rate, taken off at each step.
        beta_1: Part of the mean of gradients that is kept at each step.
        beta_2: Part of the mean of squares that is kept at each step.
        epsilon: Small number that guards the division.
        amsgrad: Whether to divide by the largest `v` so far (Reddi et al., 2018).
        clipnorm: Largest norm of each gradient.
        clipvalue: Largest magnitude of the elements of gradients.
        global_clipnorm: Largest norm of all gradients together.
        use_ema: Whether to keep moving averages of the weights.
        ema_momentum: Part of the averages kept at each step.
        ema_overwrite_frequency: Steps after which weights are set to their averages.
        loss_scale_factor: Factor of the loss that gradients are divided by.
        gradient_accumulation_steps: Steps over which gradients are averaged before an update.
        name: Name of the optimizer.

    Raises:
        ValueError: If `weight_decay` is `None`.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise ValueError("Argument `weight_decay` must be a float. Received: weight_decay=None")
        super().__init__(
            learning_rate=learning_rate,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            amsgrad=amsgrad,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            clipvalue=clipvalue,
            global_clipnorm=global_clipnorm,
            use_ema=use_ema,
            ema_momentum=ema_momentum,
            ema_overwrite_frequency=ema_overwrite_frequency,
            loss_scale_factor=loss_scale_factor,
            gradient_accumulation_steps=gradient_accumulation_steps,
            name=name,
            **kwargs,
        )
