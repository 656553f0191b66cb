// transpose(x) {axes}: y.shape[i] = x.shape[axes[i]].
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

// axes in [0, rank), checked to be a permutation.
std::vector<int> permutation(const Attrs& attrs, int rank) {
  const std::vector<int64_t>& axes = attrs.integers("axes");
  std::vector<int> order;
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  for (const int64_t axis : axes) {
    const int at = normalize_axis("transpose", axis, rank);
    if (seen[static_cast<size_t>(at)])
      value_error("transpose: axes must differ. Received: axis ", axis, " twice.");
    seen[static_cast<size_t>(at)] = true;
    order.push_back(at);
  }
  if (static_cast<int>(axes.size()) != rank) {
    value_error("transpose: axes must name every dimension once. Received: ", axes.size(),
                " axes, rank=", rank, ".");
  }
  return order;
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& x = call.inputs[0];
  Shape shape;
  for (const int axis : permutation(call.attrs, x.shape.rank())) shape.push_back(x.shape[axis]);
  return {{x.dtype, shape}};
}

std::vector<Value> gradient(const GradientCall& call) {
  const std::vector<int> order = permutation(call.node.attrs, call.g.shape(call.inputs[0]).rank());
  std::vector<int64_t> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    inverse[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
  return {call.g.apply("transpose", {call.d_outputs[0]}, {{"axes", inverse}})};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape shape = g.shape(inputs[0]);
  const std::vector<int> order = permutation(attrs, shape.rank());
  // Without the dimensions of size 1, in order: the elements do not move.
  int last = -1;
  bool moves = false;
  Shape to;
  for (const int axis : order) {
    to.push_back(shape[axis]);
    if (shape[axis] == 1) continue;
    moves |= axis < last;
    last = axis;
  }
  if (!moves) return g.reshape(inputs[0], to);
  if (const Node* inner = g.producer(inputs[0], "transpose")) {
    const std::vector<int> first = permutation(inner->attrs, shape.rank());
    std::vector<int64_t> both;
    for (const int axis : order) both.push_back(first[static_cast<size_t>(axis)]);
    return g.apply("transpose", {inner->inputs[0]}, {{"axes", both}});
  }
  return {};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const Shape& y = call.outputs[0].shape;
  const Shape from = strides_of(x);
  Shape src;
  for (const int axis : permutation(call.attrs, x.rank())) src.push_back(from[axis]);
  return {.plan = std::make_shared<const StridedCopy>(
              plan_copy(size_of(call.inputs[0].dtype), y, src, strides_of(y)))};
}

void run(const Launch& launch) noexcept {
  copy_strided(launch.plan_as<StridedCopy>(), launch.inputs[0], launch.outputs[0]);
}

}  // namespace

OpDef transpose_op() {
  return {.name = "transpose",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify};
}

}  // namespace pronghorn::ops
