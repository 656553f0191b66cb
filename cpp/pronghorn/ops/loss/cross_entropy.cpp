// sparse_cross_entropy(probs (..., c), labels (...)) {epsilon} -> loss (...) = -log(q[label]) and
// cross_entropy(probs (..., c), target (..., c)) {epsilon} -> loss (...) = -sum(target * log(q)),
// with q = clip(probs / sum(probs), epsilon, 1 - epsilon). Both are always rewritten while the
// graph is built: to the form on logits, exact and cheaper, if probs comes straight from a softmax
// over the last axis; else to smaller ops.
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

constexpr double kEpsilon = 1e-7;

Shape loss_shape(const Shape& probs) {
  return Shape(probs.dims().first(static_cast<size_t>(probs.rank() - 1)));
}

std::vector<TensorType> infer_sparse(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  expect_integer(call, 1);
  const Shape& probs = call.inputs[0].shape;
  if (probs.rank() == 0 || call.inputs[1].shape != loss_shape(probs)) {
    value_error(
        call.op.name,
        ": labels must have the shape of the probabilities without the last dimension. Received: ",
        "probs.shape=", probs, ", labels.shape=", call.inputs[1].shape, ".");
  }
  return {{DType::kFloat32, call.inputs[1].shape}};
}

std::vector<TensorType> infer_dense(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  const Shape& probs = call.inputs[0].shape;
  if (probs.rank() == 0 || call.inputs[1].shape != probs) {
    value_error(call.op.name,
                ": probabilities and target must have the same shape of rank 1 or more. Received: ",
                "probs.shape=", probs, ", target.shape=", call.inputs[1].shape, ".");
  }
  return {{DType::kFloat32, loss_shape(probs)}};
}

// The operand of the softmax over the last axis that made v, as float32 of v's shape; no value if
// there is none.
Value logits_of(Builder& g, Value v) {
  const Shape shape = g.shape(v);
  while (true) {
    const Node& node = g.graph().node(v);
    const std::string_view op = node.op->name;
    if (v.index != 0 || node.inputs.empty()) return {};
    const Value x = node.inputs[0];
    const Shape& before = g.shape(x);
    if (op == "softmax") {
      return node.attrs.integer("axis") == before.rank() - 1
                 ? g.reshape(g.cast(x, DType::kFloat32), shape)
                 : Value{};
    }
    const bool keeps_rows = before.rank() > 0 && before.back() == shape.back();
    const bool is_trivial = op == "identity" || (op == "reshape" && keeps_rows) ||
                            (op == "cast" && is_float(g.dtype(x)));
    if (!is_trivial) return {};
    v = x;
  }
}

Expr clipped(const Expr& q, double epsilon) {
  return q.apply("maximum", q.number(epsilon)).apply("minimum", q.number(1.0 - epsilon));
}

Value simplify_sparse(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Value labels = inputs[1];
  if (const Value logits = logits_of(g, inputs[0]))
    return g.apply("sparse_softmax_cross_entropy", {logits, labels});
  const Expr probs(g, g.cast(inputs[0], DType::kFloat32));
  const Shape shape = g.shape(labels);
  Shape column = shape;
  column.push_back(1);
  const int64_t last = shape.rank();
  const Expr sum(g, g.reduce_sum(probs.value, {last}, true));
  const Expr at_label(
      g, g.apply("take_along_axis", {probs.value, g.reshape(labels, column)}, {{"axis", last}}));
  const Expr loss = -clipped(at_label / sum, attrs.number("epsilon", kEpsilon)).apply("log");
  return g.reshape(loss.value, shape);
}

Value simplify_dense(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Expr target(g, g.cast(inputs[1], DType::kFloat32));
  if (const Value logits = logits_of(g, inputs[0]))
    return g.apply("softmax_cross_entropy", {logits, target.value});
  const Expr probs(g, g.cast(inputs[0], DType::kFloat32));
  const int64_t last = g.shape(probs.value).rank() - 1;
  const Expr sum(g, g.reduce_sum(probs.value, {last}, true));
  const Expr log_q = clipped(probs / sum, attrs.number("epsilon", kEpsilon)).apply("log");
  return (-Expr(g, g.reduce_sum((target * log_q).value, {last}, false))).value;
}

}  // namespace

OpDef sparse_cross_entropy_op() {
  return {.name = "sparse_cross_entropy", .infer = infer_sparse, .simplify = simplify_sparse};
}

OpDef cross_entropy_op() {
  return {.name = "cross_entropy", .infer = infer_dense, .simplify = simplify_dense};
}

}  // namespace pronghorn::ops
