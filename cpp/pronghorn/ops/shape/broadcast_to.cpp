// broadcast_to(x) {shape}: x repeated by NumPy's broadcasting.
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"
#include "pronghorn/tile/opcodes.h"

namespace pronghorn::ops {
namespace {

Shape target(const Attrs& attrs) {
  return Shape(std::span<const int64_t>(attrs.integers("shape")));
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& x = call.inputs[0];
  const Shape shape = target(call.attrs);
  const int added = shape.rank() - x.shape.rank();
  bool fits = added >= 0;
  for (int i = 0; fits && i < shape.rank(); ++i) {
    fits =
        shape[i] >= 0 && (i < added || x.shape[i - added] == 1 || x.shape[i - added] == shape[i]);
  }
  if (!fits)
    value_error("broadcast_to: x must broadcast to shape. Received: x.shape=", x.shape,
                ", shape=", shape, ".");
  return {{x.dtype, shape}};
}

std::vector<Value> gradient(const GradientCall& call) {
  return {call.g.sum_to_shape(call.d_outputs[0], Shape(call.g.shape(call.inputs[0])))};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape shape = target(attrs);
  if (g.shape(inputs[0]) == shape) return inputs[0];
  if (g.shape(inputs[0]).size() == shape.size()) return g.reshape(inputs[0], shape);
  if (const Node* inner = g.producer(inputs[0], "broadcast_to"))
    return g.broadcast_to(inner->inputs[0], shape);
  return {};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const Shape& y = call.outputs[0].shape;
  const Shape from = strides_of(x);
  const int added = y.rank() - x.rank();
  Shape src = y;
  for (int i = 0; i < y.rank(); ++i) src[i] = i < added || x[i - added] == 1 ? 0 : from[i - added];
  return {.plan = std::make_shared<const StridedCopy>(
              plan_copy(size_of(call.inputs[0].dtype), y, src, strides_of(y)))};
}

void run(const Launch& launch) noexcept {
  copy_strided(launch.plan_as<StridedCopy>(), launch.inputs[0], launch.outputs[0]);
}

}  // namespace

OpDef broadcast_to_op() {
  return {
      .name = "broadcast_to",
      .infer = infer,
      .gradient = gradient,
      .prepare = prepare,
      .run = run,
      .simplify = simplify,
      .tile_opcode = static_cast<int16_t>(kTileCopy)};  // read where it is by what fuses with it
}

}  // namespace pronghorn::ops
