"""Dense, EinsumDense, Embedding, Lambda, Identity, Masking."""

from __future__ import annotations

import numpy as np
import pytest
from check_layer import check_layer, check_mask

import pronghorn as keras
from pronghorn import layers


def dense(x, kernel, bias=None):
    y = x @ kernel + (0 if bias is None else bias)
    return np.maximum(y, 0) if bias is not None else y


def test_dense() -> None:
    args = {"units": 6, "activation": "relu"}
    layer = check_layer(layers.Dense, args, (5, 4), reference=dense)
    assert [w.name for w in layer.weights] == ["kernel", "bias"]
    assert layer.kernel.shape == (4, 6)


def test_dense_works_on_the_last_axis_of_any_rank() -> None:
    check_layer(layers.Dense, {"units": 3, "use_bias": False}, (2, 3, 4, 5), reference=dense)


def test_dense_without_bias_and_activation() -> None:
    layer = layers.Dense(2, use_bias=False)
    layer.build((None, 2))
    layer.set_weights([np.array([[1.0, -2.0], [3.0, -4.0]])])
    assert layer.bias is None
    assert layer(np.array([[-1.0, 2.0]])).numpy().tolist() == [[5.0, -6.0]]


def test_dense_keeps_the_mask_and_adds_regularization() -> None:
    layer = layers.Dense(2, kernel_regularizer="l2", bias_regularizer="l1")
    assert check_mask(layer, (2, 3, 4), np.ones((2, 3), bool)).shape == (2, 3)
    assert len(layer.losses) == 2


@pytest.mark.parametrize("units", [0, -3, 2.5, None, "64", True])
def test_dense_refuses_units(units) -> None:
    with pytest.raises(ValueError, match="Dense: units must be a positive integer"):
        layers.Dense(units)


def test_dense_errors_name_layer_and_shape() -> None:
    layer = layers.Dense(2, name="head")
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"Dense 'head'.*incompatible.*size 3.*shape=\(1, 5\)"):
        layer(np.ones((1, 5)))
    with pytest.raises(ValueError, match="must have a known size"):
        layers.Dense(2)(keras.KerasTensor((2, None)))
    with pytest.raises(NotImplementedError, match="quantization is not supported"):
        layers.Dense(2, quantization_config="int8")


def test_lora_trains_two_small_matrices() -> None:
    layer = layers.Dense(6)
    layer.build((None, 4))
    x = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    before = layer(x).numpy()
    layer.enable_lora(2, lora_alpha=3.0)
    assert [w.name for w in layer.trainable_weights] == ["bias", "lora_kernel_a", "lora_kernel_b"]
    np.testing.assert_array_equal(layer(x).numpy(), before)
    layer.lora_kernel_b.assign(np.ones((2, 6)))
    update = 1.5 * layer.lora_kernel_a.numpy() @ np.ones((2, 6))
    expected = layer._kernel.numpy() + update
    np.testing.assert_allclose(np.asarray(layer.kernel), expected, rtol=1e-5, atol=1e-6)
    store: dict[str, np.ndarray] = {}
    layer.save_own_variables(store)
    plain = layers.Dense(6)
    plain.build((None, 4))
    plain.load_own_variables(store)
    np.testing.assert_allclose(plain(x).numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-6)
    config = layer.get_config()
    assert (config["lora_rank"], config["lora_alpha"]) == (2, 3.0)
    with pytest.raises(ValueError, match="lora is already enabled"):
        layer.enable_lora(2)


def test_lora_of_other_layers() -> None:
    conv = layers.Conv2D(5, 3, lora_rank=2)
    conv.build((None, 6, 6, 2))
    assert conv.lora_kernel_a.shape == (3, 3, 2, 2)
    assert conv(np.ones((1, 6, 6, 2))).shape == (1, 4, 4, 5)
    table = layers.Embedding(5, 4, lora_rank=2)
    assert table(np.array([1, 2])).shape == (2, 4)
    einsum = layers.EinsumDense("abc,cde->abde", (None, 3, 4), lora_rank=2)
    assert einsum(np.ones((1, 2, 5))).shape == (1, 2, 3, 4)
    assert einsum.lora_kernel_b.shape == (2, 4)
    with pytest.raises(ValueError, match="incompatible with kernel constraints"):
        layers.Dense(2, kernel_constraint="non_neg").enable_lora(1)
    with pytest.raises(ValueError, match="isn't yet built"):
        layers.Dense(2).enable_lora(1)


def test_einsum_dense() -> None:
    def reference(x, kernel, bias):
        return np.einsum("abc,cde->abde", x, kernel) + bias

    args = {"equation": "abc,cde->abde", "output_shape": (None, 3, 4), "bias_axes": "e"}
    layer = check_layer(layers.EinsumDense, args, (2, 6, 5), reference=reference)
    assert layer.bias.shape == (4,)


@pytest.mark.parametrize(
    ("equation", "output_shape", "bias_axes", "shape", "kernel", "bias", "output"),
    [
        ("ab,b->a", (), None, (2, 5), (5,), None, (2,)),
        ("...b,bc->...c", (4,), "c", (2, 3, 5), (5, 4), (4,), (2, 3, 4)),
        ("...bc,bc->...b", (3,), None, (2, 3, 5), (3, 5), None, (2, 3)),
        ("bc...,cde->bde...", (3, 4), "d", (2, 1, 2), (1, 3, 4), (3, 1, 1), (2, 3, 4, 2)),
        ("abc,cde->abde", (7, 3, 4), "be", (2, 7, 2), (2, 3, 4), (7, 1, 4), (2, 7, 3, 4)),
        ("i,d->id", (2,), None, (3,), (2,), None, (3, 2)),
    ],
)
def test_einsum_dense_shapes(equation, output_shape, bias_axes, shape, kernel, bias, output):
    layer = layers.EinsumDense(equation, output_shape=output_shape, bias_axes=bias_axes)
    assert layer(np.ones(shape)).shape == output
    assert layer.kernel.shape == kernel
    assert (None if layer.bias is None else layer.bias.shape) == bias
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *output[1:])


@pytest.mark.parametrize(
    ("equation", "output_shape", "match"),
    [
        ("ab", 3, "must have the form"),
        ("abc,cb->abe", (6, 3), "axis 'e' of the output"),
        ("abc,ce->abd", (6, 3), "axis 'e' of the kernel"),
        ("abc,cd->abd", (3,), "output_shape must have 2 sizes"),
        ("abc,cd->abd", (9, 4), "axis 'b' is 6 in the input and 9 in output_shape"),
        ("abcd,cd->ab", 6, "input must have 4 axes"),
    ],
)
def test_einsum_dense_errors(equation, output_shape, match) -> None:
    with pytest.raises(ValueError, match=match):
        layers.EinsumDense(equation, output_shape=output_shape)(np.ones((2, 6, 5)))


def test_embedding() -> None:
    def reference(x, embeddings):
        return embeddings[x]

    args = {"input_dim": 7, "output_dim": 3}
    check_layer(layers.Embedding, args, (4, 5), dtype="int32", high=7, reference=reference)


def test_embedding_mask_and_weights() -> None:
    table = np.arange(6.0).reshape(3, 2)
    layer = layers.Embedding(3, 2, mask_zero=True, weights=table)
    assert layer.built
    y = layer(np.array([[2, 0]]))
    assert y.numpy().tolist() == [[[4.0, 5.0], [0.0, 1.0]]]
    assert y._keras_mask.numpy().tolist() == [[True, False]]
    assert layers.Embedding(3, 2).compute_mask(np.array([1])) is None


@pytest.mark.parametrize("name", ["input_dim", "output_dim"])
def test_embedding_refuses_sizes(name) -> None:
    for bad in (0, -1, 2.5, None):
        with pytest.raises(ValueError, match=f"`{name}` must be a positive integer"):
            layers.Embedding(**{"input_dim": 3, "output_dim": 2, name: bad})


def test_lambda() -> None:
    layer = layers.Lambda(lambda x, factor: x * factor, arguments={"factor": 3.0})
    assert layer(np.ones((1, 2))).numpy().tolist() == [[3.0, 3.0]]
    config = layer.get_config()
    with pytest.raises(ValueError, match="Lambda.*safe_mode"):
        layers.Lambda.from_config(config)
    again = layers.Lambda.from_config(config, safe_mode=False)
    assert again(np.ones((1, 2))).numpy().tolist() == [[3.0, 3.0]]
    shaped = layers.Lambda(lambda x: x, output_shape=(2,), mask=lambda inputs, mask: mask)
    assert shaped.compute_output_shape((None, 2)) == (None, 2)
    assert shaped.supports_masking
    assert layers.Lambda(lambda x: x[:, :1]).compute_output_shape((None, 2)) == (None, 1)
    spec = layers.Lambda(lambda x: keras.ops.argmax(x, axis=-1))(keras.KerasTensor((None, 2)))
    assert (spec.shape, spec.dtype) == ((None,), "int32")
    assert not layers.Lambda(lambda x: x).supports_masking
    with pytest.raises(TypeError, match="function must be callable"):
        layers.Lambda(3)


def test_identity() -> None:
    layer = check_layer(layers.Identity, {}, (2, 3), reference=lambda x: x)
    assert layer.built
    assert layer(keras.KerasTensor((None, 2), dtype="int32")).dtype == "int32"


def test_masking() -> None:
    x = np.ones((1, 3, 2), "float32")
    x[0, 1] = 0
    x[0, 2, 0] = 0
    y = layers.Masking()(x)
    assert y._keras_mask.numpy().tolist() == [[True, False, True]]
    check_layer(layers.Masking, {"mask_value": 2.0}, (2, 3, 4), reference=lambda x: x)


@pytest.mark.parametrize("tie_weights", [True, False])
def test_reversible_embedding(tie_weights) -> None:
    def reference(x, embeddings, reverse_embeddings=None):
        kernel = embeddings.T if tie_weights else reverse_embeddings
        return 5 * np.tanh(x @ kernel / 5)

    args = {"input_dim": 7, "output_dim": 3, "tie_weights": tie_weights, "logit_soft_cap": 5.0}
    layer = layers.ReversibleEmbedding(**args)
    y = layer(layer(np.array([[1, 2]])), reverse=True)
    weights = {w.name: w.numpy() for w in layer.weights}
    expected = reference(weights["embeddings"][None, [1, 2]], **weights)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-5, atol=1e-6)
    assert layer(keras.KerasTensor((None, 4, 3)), reverse=True).shape == (None, 4, 7)
    check_layer(layers.ReversibleEmbedding, {**args, "tie_weights": True}, (2, 4), dtype="int32")
