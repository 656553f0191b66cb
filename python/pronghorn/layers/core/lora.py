"""Low-rank adaptation (LoRA) of one weight of a layer: the base of `Dense`, `EinsumDense`, ....

W' = W + (alpha / rank) * A @ B with W frozen. Source: Hu et al., "LoRA: Low-Rank Adaptation of
Large Language Models", 2021, section 4.1.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pronghorn import ops
from pronghorn.layers.arguments import owner_name
from pronghorn.layers.layer import Layer
from pronghorn.naming import name_scope


class LoraLayer(Layer):
    """A layer with one large weight that `enable_lora` can freeze and adapt.

    A subclass names its weight in `lora_target` ("kernel" or "embeddings"), stores the variable in
    the attribute `_<lora_target>` and reads it through `effective_weight()`.
    """

    lora_target: ClassVar[str] = "kernel"
    lora_owner: ClassVar[str] = "kernel"

    lora_enabled: bool
    lora_rank: int | None
    lora_alpha: float | None

    def _init_lora(self, lora_rank: int | None, lora_alpha: float | None) -> None:
        self.lora_rank = lora_rank
        self.lora_alpha = lora_alpha if lora_alpha is not None else lora_rank
        self.lora_enabled = False

    def _lora_factors(self) -> tuple[Any, Any]:
        return (
            getattr(self, f"lora_{self.lora_target}_a"),
            getattr(self, f"lora_{self.lora_target}_b"),
        )

    def _base_weight(self) -> Any:
        return getattr(self, f"_{self.lora_target}", None)

    def effective_weight(self) -> Any:
        """Returns the weight that `call` uses: the variable, or W + (alpha / rank) * A @ B."""
        weight = self._base_weight()
        if weight is None:
            raise AttributeError(
                f"{owner_name(self)}: You must build the layer before accessing "
                f"`{self.lora_target}`."
            )
        if not self.lora_enabled:
            return weight
        a, b = self._lora_factors()
        return ops.add(weight, ops.multiply(self._lora_scale(), ops.matmul(a, b)))

    def _lora_scale(self) -> float:
        if self.lora_alpha is None or self.lora_rank is None:
            return 1.0
        return self.lora_alpha / self.lora_rank

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Freezes the layer's large weight W and trains a low-rank update of it instead.

        The layer computes with W + (alpha / rank) * A @ B. A has the shape of W with its last
        dimension replaced by `rank`, B is `(rank, last dimension of W)`.

        Args:
            rank: Rank of the update, a positive integer.
            lora_alpha: Scale alpha of the update. `None` stands for `rank`.
            a_initializer: Initializer of A.
            b_initializer: Initializer of B; zeros leave the layer's function unchanged at first.

        Raises:
            ValueError: If the weight has a constraint, the layer is not built, or LoRA is on.
        """
        constraint = getattr(self, f"{self.lora_target}_constraint", None)
        if constraint is not None:
            raise ValueError(
                f"{owner_name(self)}: Lora is incompatible with {self.lora_owner} constraints. "
                f"Received: {self.lora_target}_constraint={constraint!r}."
            )
        if not self.built:
            raise ValueError(
                f"{owner_name(self)}: Cannot enable lora on a layer that isn't yet built. "
                "Call build() first."
            )
        if self.lora_enabled:
            raise ValueError(
                f"{owner_name(self)}: lora is already enabled. This can only be done once per "
                f"layer."
            )
        if not isinstance(rank, int) or isinstance(rank, bool) or rank < 1:
            raise ValueError(
                f"{owner_name(self)}: rank must be a positive integer. Received: rank={rank!r}."
            )
        weight = self._base_weight()
        name = f"lora_{self.lora_target}"
        self._tracker.unlock()
        regularizer = getattr(self, f"{self.lora_target}_regularizer", None)
        parent = (self.path or self.name).rpartition("/")[0]
        with name_scope(self.name, caller=self, override_parent=parent):
            a = self.add_weight(
                name=f"{name}_a",
                shape=(*weight.shape[:-1], rank),
                initializer=a_initializer,
                regularizer=regularizer,
            )
            b = self.add_weight(
                name=f"{name}_b",
                shape=(rank, weight.shape[-1]),
                initializer=b_initializer,
                regularizer=regularizer,
            )
        setattr(self, f"{name}_a", a)
        setattr(self, f"{name}_b", b)
        weight.trainable = False
        self._lock_state()
        self.lora_enabled = True
        self.lora_rank = rank
        self.lora_alpha = lora_alpha if lora_alpha is not None else rank

    def _saved_variables(self) -> list[Any]:
        factors = self._lora_factors() if self.lora_enabled else ()
        return [v for v in self.weights if not any(v is f for f in factors)]

    def save_own_variables(self, store: Any) -> None:
        """Writes the weights into `store`, with a low-rank update merged into its weight.

        Args:
            store: Mapping from the number of a weight, as a string, to its value.
        """
        base = self._base_weight()
        for i, variable in enumerate(self._saved_variables()):
            value = self.effective_weight() if variable is base else variable
            store[str(i)] = ops.convert_to_numpy(value)

    def load_own_variables(self, store: Any) -> None:
        """Reads the weights from `store` and sets a low-rank update to zero.

        Args:
            store: Mapping from the number of a weight, as a string, to its value.

        Raises:
            ValueError: If the number of weights differs.
        """
        if not self.lora_enabled:
            super().load_own_variables(store)
            return
        variables = self._saved_variables()
        if len(store.keys()) != len(variables):
            raise ValueError(
                f"{owner_name(self)}: expected {len(variables)} variables. Received: "
                f"{len(store.keys())} variables in the store."
            )
        for i, variable in enumerate(variables):
            variable.load(store[str(i)])
        for factor in self._lora_factors():
            factor.assign(ops.zeros(factor.shape))

    def _lora_config(self) -> dict[str, Any]:
        if not self.lora_rank:
            return {}
        return {"lora_rank": self.lora_rank, "lora_alpha": self.lora_alpha}
