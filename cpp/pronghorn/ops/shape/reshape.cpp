// reshape(x) {shape}: the same elements under another shape.
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

Shape target(const Attrs& attrs) {
  return Shape(std::span<const int64_t>(attrs.integers("shape")));
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& x = call.inputs[0];
  const Shape shape = target(call.attrs);
  const bool negative =
      std::any_of(shape.begin(), shape.end(), [](int64_t dim) { return dim < 0; });
  if (negative || shape.size() != x.shape.size()) {
    value_error("reshape: the number of elements must stay the same. Received: x.shape=", x.shape,
                ", shape=", shape, ".");
  }
  return {{x.dtype, shape}};
}

std::vector<Value> gradient(const GradientCall& call) {
  return {call.g.reshape(call.d_outputs[0], Shape(call.g.shape(call.inputs[0])))};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape shape = target(attrs);
  if (g.shape(inputs[0]) == shape) return inputs[0];
  if (const Node* inner = g.producer(inputs[0], "reshape"))
    return g.reshape(inner->inputs[0], shape);
  return {};
}

}  // namespace

OpDef reshape_op() {
  return {.name = "reshape",
          .infer = infer,
          .gradient = gradient,
          .simplify = simplify,
          .is_view = true};
}

}  // namespace pronghorn::ops
