// matmul(a, b) {transpose_a, transpose_b}: (..., m, k) x (..., k, n) -> (..., m, n); leading
// dimensions broadcast.
#include "pronghorn/ops/matmul/product.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Sizes {
  int64_t m, n, k;
  bool transpose_a, transpose_b;
};

Sizes sizes_of(const Shape& a, const Shape& b, const Attrs& attrs) {
  const bool ta = attrs.integer("transpose_a", 0) != 0;
  const bool tb = attrs.integer("transpose_b", 0) != 0;
  return {a[a.rank() - (ta ? 1 : 2)], b[b.rank() - (tb ? 2 : 1)], a[a.rank() - (ta ? 2 : 1)], ta,
          tb};
}

// bfloat16 operands, whose product stays float32.
bool keeps_float32(const Attrs& attrs) { return attrs.integer("float32_result", 0) != 0; }

std::vector<TensorType> infer(const OpCall& call) {
  if (call.payload == nullptr) expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  const Shape& a = call.inputs[0].shape;
  const Shape& b = call.inputs[1].shape;
  if (a.rank() < 2 || b.rank() < 2) {
    value_error("matmul: expected operands of rank 2 or more. Received: x.shape=", a,
                ", w.shape=", b, ".");
  }
  const Sizes s = sizes_of(a, b, call.attrs);
  const int64_t k = b[b.rank() - (s.transpose_b ? 1 : 2)];
  if (k != s.k) {
    const char* hint = s.transpose_a || s.transpose_b ? " (transposed)" : "";
    value_error("matmul: inner dimensions must match. Received: x.shape=", a, ", w.shape=", b, hint,
                ".");
  }
  Shape out = broadcast_shapes("matmul", leading(a), leading(b));
  out.push_back(s.m);
  out.push_back(s.n);
  return {{keeps_float32(call.attrs) ? DType::kFloat32 : call.inputs[0].dtype, out}};
}

Attrs transposes(bool a, bool b, bool float32) {
  Attrs attrs = {{"transpose_a", int64_t{a}}, {"transpose_b", int64_t{b}}};
  if (float32) attrs.set("float32_result", int64_t{1});
  return attrs;
}

// (..., rows, cols) -> (rows of all, cols)
Value flatten(Builder& g, Value x) {
  const Shape& shape = g.shape(x);
  return g.reshape(x, Shape{shape.size(0, shape.rank() - 1), shape.back()});
}

// x in another dtype, without the detour over float32.
Value rounded(Builder& g, Value x, DType to) {
  const Node* node = g.producer(x, "cast");
  return node != nullptr && g.dtype(node->inputs[0]) == to ? node->inputs[0] : g.cast(x, to);
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value a = call.inputs[0];
  const Value b = call.inputs[1];
  // Of a float32 product of bfloat16: both products are of bfloat16 again.
  const bool float32 = keeps_float32(call.node.attrs);
  const DType dtype = g.dtype(a);
  const Value dc = float32 ? rounded(g, call.d_outputs[0], dtype) : call.d_outputs[0];
  const auto product = [&](Value x, Value y, bool transpose_x, bool transpose_y) {
    return g.apply("matmul", {x, y}, transposes(transpose_x, transpose_y, float32));
  };
  const auto reduced = [&](Value x, const Shape& shape) {
    return g.cast(g.sum_to_shape(x, shape), dtype);
  };
  const Shape a_shape = g.shape(a);
  const Shape b_shape = g.shape(b);
  const Sizes s = sizes_of(a_shape, b_shape, call.node.attrs);
  const Value da =
      s.transpose_a ? product(b, dc, s.transpose_b, true) : product(dc, b, false, !s.transpose_b);
  // One weight matrix for all leading dimensions: its gradient is one product, not a sum of many.
  if (leading(b_shape).size() == 1 && !s.transpose_a) {
    const Value rows = flatten(g, a);
    const Value d_rows = flatten(g, dc);
    const Value db =
        s.transpose_b ? product(d_rows, rows, true, false) : product(rows, d_rows, true, false);
    return {reduced(da, a_shape), g.cast(g.reshape(db, b_shape), dtype)};
  }
  const Value db =
      s.transpose_b ? product(dc, a, true, s.transpose_a) : product(a, dc, !s.transpose_a, false);
  return {reduced(da, a_shape), reduced(db, b_shape)};
}

// If x is a transposition of the last two dimensions: what it transposes.
Value untransposed(Builder& g, Value x) {
  const Node* node = g.producer(x, "transpose");
  if (node == nullptr) return {};
  const std::vector<int64_t>& axes = node->attrs.integers("axes");
  const int64_t rank = static_cast<int64_t>(axes.size());
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t expected = i < rank - 2 ? i : i == rank - 2 ? rank - 1 : rank - 2;
    if ((axes[static_cast<size_t>(i)] + rank) % rank != expected) return {};
  }
  return node->inputs[0];
}

// Products of bfloat16 stay float32, and what rounds them is part of their epilogue.
Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const bool float32 = keeps_float32(attrs);
  const Sizes s = sizes_of(g.shape(inputs[0]), g.shape(inputs[1]), attrs);
  const int64_t rows =
      s.m * (g.shape(inputs[1]).rank() == 2 ? leading(g.shape(inputs[0])).size() : 1);
  if (g.dtype(inputs[0]) == DType::kBfloat16 && prefers_bfloat16(rows)) {
    if (!float32) {
      Attrs wide = attrs;
      wide.set("float32_result", int64_t{1});
      return g.cast(g.apply("matmul", {inputs[0], inputs[1]}, wide), DType::kBfloat16);
    }
  } else if (const Value wide = widened(g, "matmul", inputs, attrs, !float32)) {
    return wide;
  }
  const Value a = untransposed(g, inputs[0]);
  const Value b = untransposed(g, inputs[1]);
  if (a || b || !attrs.has("transpose_a") || !attrs.has("transpose_b")) {
    return g.apply("matmul", {a ? a : inputs[0], b ? b : inputs[1]},
                   transposes(s.transpose_a != static_cast<bool>(a),
                              s.transpose_b != static_cast<bool>(b), float32));
  }
  return {};
}

// Offsets of all matrices of a batch whose leading dimensions broadcast.
std::vector<GemmBatch> batches(const Shape& a, const Shape& b, const Shape& out) {
  const int rank = out.rank() - 2;
  const int64_t count = out.size(0, rank);
  std::vector<GemmBatch> batch(static_cast<size_t>(count));
  const auto offset = [&](const Shape& operand, int64_t index) {
    int64_t at = 0;
    int64_t stride = operand.size(operand.rank() - 2, operand.rank());
    for (int i = rank - 1; i >= 0; --i) {
      const int64_t coordinate = index % out[i];
      index /= out[i];
      const int j = i - (out.rank() - operand.rank());
      if (j < 0) continue;
      if (operand[j] != 1) at += coordinate * stride;
      stride *= operand[j];
    }
    return at;
  };
  const int64_t m = out[rank];
  for (int64_t i = 0; i < count; ++i) {
    batch[static_cast<size_t>(i)] = {
        .a = offset(a, i), .b = offset(b, i), .c = i * m * out.back(), .row = i * m, .col = 0};
  }
  return batch;
}

// What prepare and prepack plan: operands as they are stored.
GemmShape product_shape(const Shape& a, const Shape& b, const Shape& out, const Sizes& s,
                        DType dtype) {
  GemmShape shape{.m = s.m,
                  .n = s.n,
                  .k = s.k,
                  .transpose_a = s.transpose_a,
                  .transpose_b = s.transpose_b,
                  .a_stride = a.back(),
                  .b_stride = b.back(),
                  .c_stride = s.n,
                  .bfloat16 = dtype == DType::kBfloat16};
  if (out.size() == 0) {
    shape.m = 0;
  } else if (leading(b).size() == 1 && (!s.transpose_a || leading(a).size() == 1)) {
    shape.m = s.m * leading(a).size();
  } else {
    shape.batch = batches(a, b, out);
  }
  return shape;
}

Prepared prepare(const OpCall& call) {
  const Shape& a = call.inputs[0].shape;
  const Shape& b = call.inputs[1].shape;
  return prepare_product(call, product_shape(a, b, own_result(call).shape,
                                             sizes_of(a, b, call.attrs), call.inputs[0].dtype));
}

// One matrix for all rows, the same in every run: packed once.
Value prepack(Builder& g, const Node& node, std::span<const bool> fixed) {
  const Shape a = g.shape(node.inputs[0]);
  const Shape b = g.shape(node.inputs[1]);
  const Shape& out = node.outputs[0].shape;
  const Sizes s = sizes_of(a, b, node.attrs);
  if (fixed[0] || !fixed[1] || s.transpose_a || leading(b).size() != 1 || out.size() == 0)
    return {};
  const DType dtype = g.dtype(node.inputs[1]);
  if (dtype != DType::kFloat32 && dtype != DType::kBfloat16) return {};
  const auto engine = engine_for_packed(product_shape(a, b, out, s, dtype));
  if (!engine) return {};
  const Value w = g.reshape(node.inputs[1], Shape{b[b.rank() - 2], b.back()});
  Attrs attrs = {{"transpose", int64_t{s.transpose_b}}, {"engine", static_cast<int64_t>(*engine)}};
  const Value packed = g.apply("pack_weights", {w}, attrs);
  attrs.set("n", s.n);
  const Value a_value = node.inputs[0];
  const Value product = *engine == GemmEngine::kX3
                            ? g.apply("matmul_packed", {a_value, packed, w}, attrs)
                            : g.apply("matmul_packed", {a_value, packed}, attrs);
  return g.reshape(product, out);
}

// Batches of weights have one set of columns.
Value scale_columns(Builder& g, const Node& node, Value factor) {
  const bool transpose = node.attrs.integer("transpose_b", 0) != 0;
  const Value f = transpose ? g.reshape(factor, Shape{g.shape(factor)[0], 1}) : factor;
  return g.apply("matmul", {node.inputs[0], g.apply("multiply", {node.inputs[1], f})}, node.attrs);
}

}  // namespace

OpDef matmul_op() {
  return {.name = "matmul",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run_product,
          .simplify = simplify,
          .prepack = prepack,
          .scale_columns = scale_columns,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
