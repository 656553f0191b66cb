// slice(x) {begin, end, strides}: y(i, ...) = x(begin + i * stride, ...). 0 <= begin <= end <=
// size, strides >= 1.
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& x = call.inputs[0];
  const std::vector<int64_t>& begin = call.attrs.integers("begin");
  const std::vector<int64_t>& end = call.attrs.integers("end");
  const std::vector<int64_t>& strides = call.attrs.integers("strides");
  const size_t rank = static_cast<size_t>(x.shape.rank());
  if (begin.size() != rank || end.size() != rank || strides.size() != rank) {
    value_error(
        "slice: begin, end and strides must have one entry per dimension. Received: x.shape=",
        x.shape, ", ", begin.size(), ", ", end.size(), " and ", strides.size(), " entries.");
  }
  Shape shape = x.shape;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t size = x.shape[static_cast<int>(i)];
    if (begin[i] < 0 || begin[i] > end[i] || end[i] > size || strides[i] < 1) {
      value_error(
          "slice: expected 0 <= begin <= end <= size and strides >= 1. Received: begin=", begin[i],
          ", end=", end[i], ", strides=", strides[i], ", size=", size, " in dimension ", i, ".");
    }
    shape[static_cast<int>(i)] = (end[i] - begin[i] + strides[i] - 1) / strides[i];
  }
  return {{x.dtype, shape}};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Shape x = g.shape(call.inputs[0]);
  const Shape y = g.shape(call.outputs[0]);
  const std::vector<int64_t>& strides = call.node.attrs.integers("strides");
  if (y.size() == 0) return {g.zeros_like(call.inputs[0])};
  std::vector<int64_t> low = call.node.attrs.integers("begin");
  std::vector<int64_t> high;
  std::vector<int64_t> interior;
  for (int i = 0; i < x.rank(); ++i) {
    const int64_t stride = strides[static_cast<size_t>(i)];
    high.push_back(x[i] - low[static_cast<size_t>(i)] - ((y[i] - 1) * stride + 1));
    interior.push_back(stride - 1);
  }
  return {g.apply("pad", {call.d_outputs[0]},
                  {{"low", low}, {"high", high}, {"interior", interior}, {"value", 0.0}})};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape shape = g.shape(inputs[0]);
  for (int i = 0; i < shape.rank(); ++i) {
    const size_t at = static_cast<size_t>(i);
    if (attrs.integers("begin")[at] != 0 || attrs.integers("end")[at] != shape[i]) return {};
    if (attrs.integers("strides")[at] != 1 && shape[i] > 1) return {};
  }
  return inputs[0];
}

Prepared prepare(const OpCall& call) {
  const Shape from = strides_of(call.inputs[0].shape);
  const Shape& y = call.outputs[0].shape;
  Shape src = from;
  int64_t offset = 0;
  for (int i = 0; i < y.rank(); ++i) {
    src[i] = from[i] * call.attrs.integers("strides")[static_cast<size_t>(i)];
    offset += from[i] * call.attrs.integers("begin")[static_cast<size_t>(i)];
  }
  return {.plan = std::make_shared<const StridedCopy>(
              plan_copy(size_of(call.inputs[0].dtype), y, src, strides_of(y), offset))};
}

void run(const Launch& launch) noexcept {
  copy_strided(launch.plan_as<StridedCopy>(), launch.inputs[0], launch.outputs[0]);
}

}  // namespace

OpDef slice_op() {
  return {.name = "slice",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify};
}

}  // namespace pronghorn::ops
