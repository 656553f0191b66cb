"""Cases of losses, regularizers and initializers, the same for the script that stores Keras's
numbers and for the tests that compare with them. Plain data."""

import numpy as np

_rng = np.random.default_rng(11)
_logits = _rng.normal(size=(5, 4)).astype("float32")
_probs = (np.exp(_logits) / np.exp(_logits).sum(-1, keepdims=True)).astype("float32")
_one_hot = np.eye(4, dtype="float32")[_rng.integers(0, 4, 5)]
_labels = _rng.integers(0, 4, 5).astype("int32")
_signs = np.sign(_rng.normal(size=(5, 4))).astype("float32")
_zero_one = (_signs + 1) / 2
_real = _rng.normal(size=(5, 4)).astype("float32")
_positive = _rng.random((5, 4)).astype("float32")
_unit = (_real / np.linalg.norm(_real, axis=1, keepdims=True)).astype("float32")
_pixels = _rng.normal(size=(2, 3, 3, 4)).astype("float32")
_pixel_labels = _rng.integers(-1, 4, (2, 3, 3)).astype("int32")

# name -> (class, arguments, targets, predictions)
LOSSES = {
    "mse": ("MeanSquaredError", {}, _real, _logits),
    "mae": ("MeanAbsoluteError", {}, _real, _logits),
    "mape": ("MeanAbsolutePercentageError", {}, _real, _logits),
    "msle": ("MeanSquaredLogarithmicError", {}, _positive, _probs),
    "cosine": ("CosineSimilarity", {}, _real, _logits),
    "cosine_axis": ("CosineSimilarity", {"axis": 0}, _real, _logits),
    "huber": ("Huber", {}, _real, _logits),
    "huber_delta": ("Huber", {"delta": 0.3}, _real, _logits),
    "log_cosh": ("LogCosh", {}, _real * 30, _logits),
    "bce": ("BinaryCrossentropy", {}, _zero_one, _probs),
    "bce_logits": ("BinaryCrossentropy", {"from_logits": True}, _zero_one, _logits * 20),
    "bce_smooth": ("BinaryCrossentropy", {"label_smoothing": 0.2}, _zero_one, _probs),
    "bce_axis": ("BinaryCrossentropy", {"axis": 0}, _zero_one, _probs),
    "cce": ("CategoricalCrossentropy", {}, _one_hot, _probs),
    "cce_not_normalized": ("CategoricalCrossentropy", {}, _one_hot, _positive),
    "cce_logits": ("CategoricalCrossentropy", {"from_logits": True}, _one_hot, _logits * 20),
    "cce_smooth": ("CategoricalCrossentropy", {"label_smoothing": 0.2}, _one_hot, _probs),
    "cce_smooth_logits": (
        "CategoricalCrossentropy",
        {"label_smoothing": 0.2, "from_logits": True},
        _one_hot,
        _logits,
    ),
    "cce_axis": ("CategoricalCrossentropy", {"axis": 0}, _positive, _probs),
    "scce": ("SparseCategoricalCrossentropy", {}, _labels, _probs),
    "scce_column": ("SparseCategoricalCrossentropy", {}, _labels[:, None], _probs),
    "scce_not_normalized": ("SparseCategoricalCrossentropy", {}, _labels, _positive),
    "scce_logits": ("SparseCategoricalCrossentropy", {"from_logits": True}, _labels, _logits * 20),
    "scce_pixels": (
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        np.abs(_pixel_labels),
        _pixels,
    ),
    "scce_ignore": (
        "SparseCategoricalCrossentropy",
        {"from_logits": True, "ignore_class": -1},
        _pixel_labels,
        _pixels,
    ),
    "bfce": ("BinaryFocalCrossentropy", {}, _zero_one, _probs),
    "bfce_all": (
        "BinaryFocalCrossentropy",
        {
            "apply_class_balancing": True,
            "alpha": 0.4,
            "gamma": 1.5,
            "from_logits": True,
            "label_smoothing": 0.1,
        },
        _zero_one,
        _logits,
    ),
    "cfce": ("CategoricalFocalCrossentropy", {}, _one_hot, _probs),
    "cfce_all": (
        "CategoricalFocalCrossentropy",
        {"alpha": 0.4, "gamma": 1.5, "from_logits": True, "label_smoothing": 0.1},
        _one_hot,
        _logits,
    ),
    "gce": ("CategoricalGeneralizedCrossEntropy", {}, _labels, _probs),
    "gce_q": ("CategoricalGeneralizedCrossEntropy", {"q": 0.8}, _labels, _probs),
    "hinge": ("Hinge", {}, _signs, _real),
    "hinge_zero_one": ("Hinge", {}, _zero_one, _real),
    "squared_hinge": ("SquaredHinge", {}, _signs, _real),
    "categorical_hinge": ("CategoricalHinge", {}, _one_hot, _real),
    "kld": ("KLDivergence", {}, _positive, _probs),
    "poisson": ("Poisson", {}, _positive * 5, _positive + _probs),
    "dice": ("Dice", {}, _positive, _probs),
    "dice_axis": ("Dice", {"axis": 1}, _positive, _probs),
    "tversky": ("Tversky", {"alpha": 0.3, "beta": 0.8}, _positive, _probs),
    "tversky_axis": ("Tversky", {"axis": (1,)}, _positive, _probs),
    "circle": ("Circle", {}, np.array([0, 1, 1, 0, 2], "int32"), _unit),
    "circle_all": (
        "Circle",
        {"gamma": 4.0, "margin": 0.2, "remove_diagonal": False},
        np.array([0, 1, 1, 0, 2], "int32"),
        _unit,
    ),
}
REDUCTIONS = ("sum_over_batch_size", "sum", "none", "mean", "mean_with_sample_weight")
# Losses that are also computed with each reduction, with sample weights and with a mask.
WEIGHTED = ("mse", "scce_logits", "scce_pixels", "scce_ignore", "cce")


def sample_weight(shape):
    """Returns weights for losses of that shape."""
    rng = np.random.default_rng(3)
    return rng.random(shape).astype("float32")


def mask(shape):
    """Returns a mask for losses of that shape."""
    return np.arange(int(np.prod(shape))).reshape(shape) % 3 != 1


REGULARIZERS = {
    "l1": ("L1", {"l1": 0.3}),
    "l2": ("L2", {"l2": 0.3}),
    "l1_l2": ("L1L2", {"l1": 0.1, "l2": 0.2}),
    "orthogonal_rows": ("OrthogonalRegularizer", {"factor": 0.3}),
    "orthogonal_columns": ("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
}
CONSTRAINTS = {
    "max_norm": ("MaxNorm", {"max_value": 1.5}),
    "max_norm_axis": ("MaxNorm", {"max_value": 1.0, "axis": 1}),
    "unit_norm": ("UnitNorm", {}),
    "min_max_norm": ("MinMaxNorm", {"min_value": 0.8, "max_value": 1.2, "rate": 0.7}),
    "non_neg": ("NonNeg", {}),
}
WEIGHT = _real
ACTIVATIONS = [
    "celu",
    "elu",
    "exponential",
    "gelu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh",
    "tanh_shrink",
]
ACTIVATION_INPUT = np.concatenate(
    [_real * 3, [[0.0, 6.5, -30.0, 30.0], [0.5, -0.5, 1.0, -1.0]]]
).astype("float32")
STFT = {
    "hann": {},
    "imag": {"side": "imag", "window": "hamming", "scaling": "spectrum"},
    "periodic": {"window": "blackman", "scaling": None, "periodic": True},
    "tukey": {"window": "tukey"},
    "none": {"window": None},
}
