// flip(x) {axes}: reversed order along the axes.
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  sorted_axes("flip", call.attrs.integers("axes"), call.inputs[0].shape.rank());
  return {call.inputs[0]};
}

std::vector<Value> gradient(const GradientCall& call) {
  return {call.g.apply("flip", {call.d_outputs[0]}, call.node.attrs)};
}

// The operand, if every axis has one element.
Value without_effect(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape shape = g.shape(inputs[0]);
  for (const int64_t axis : sorted_axes("flip", attrs.integers("axes"), shape.rank())) {
    if (shape[static_cast<int>(axis)] > 1) return {};
  }
  return inputs[0];
}

// flip(flip(x)) is x: a backward layer of Bidirectional flips what it then flips back.
Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Node* inner = g.producer(inputs[0], "flip");
  if (inner != nullptr && inner->attrs == attrs) return inner->inputs[0];
  return without_effect(g, inputs, attrs);
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const Shape strides = strides_of(x);
  Shape src = strides;
  int64_t offset = 0;
  for (const int64_t axis : sorted_axes("flip", call.attrs.integers("axes"), x.rank())) {
    const int i = static_cast<int>(axis);
    offset += (x[i] - 1) * strides[i];
    src[i] = -strides[i];
  }
  return {.plan = std::make_shared<const StridedCopy>(
              plan_copy(size_of(call.inputs[0].dtype), x, src, strides, offset))};
}

void run(const Launch& launch) noexcept {
  copy_strided(launch.plan_as<StridedCopy>(), launch.inputs[0], launch.outputs[0]);
}

}  // namespace

OpDef flip_op() {
  return {.name = "flip",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify};
}

}  // namespace pronghorn::ops
