#include "pronghorn/ops/shape/rules.h"

#include <algorithm>
#include <utility>

namespace pronghorn::ops {

void expect_operands(const OpCall& call, size_t n) {
  if (call.inputs.size() != n) {
    value_error(call.op.name, ": expected ", n, " operands. Received: ", call.inputs.size(), ".");
  }
}

void expect_float(const OpCall& call, size_t i) {
  if (!is_float(call.inputs[i].dtype)) {
    type_error(call.op.name, ": operand ", i + 1,
               " must be float32, float16 or bfloat16. Received: dtype=", call.inputs[i].dtype,
               ".");
  }
}

void expect_integer(const OpCall& call, size_t i) {
  if (!is_integer(call.inputs[i].dtype)) {
    type_error(call.op.name, ": operand ", i + 1,
               " must be an integer. Received: dtype=", call.inputs[i].dtype, ".");
  }
}

void expect_same_dtype(const OpCall& call, size_t i, size_t j) {
  if (call.inputs[i].dtype != call.inputs[j].dtype) {
    type_error(call.op.name, ": operands must have the same dtype. Received: dtypes ",
               call.inputs[i].dtype, " and ", call.inputs[j].dtype, ".");
  }
}

TensorType result_like(const OpCall& call, size_t i) {
  const TensorType& type = call.inputs[i];
  const bool widens = call.attrs.integer("float32_result", 0) != 0;
  return {widens ? DType::kFloat32 : type.dtype, type.shape};
}

std::vector<int64_t> sorted_axes(std::string_view op, const std::vector<int64_t>& axes, int rank) {
  std::vector<int64_t> sorted;
  sorted.reserve(axes.size());
  for (const int64_t axis : axes) sorted.push_back(normalize_axis(op, axis, rank));
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    value_error(op, ": axes must differ. Received: axis ", *twice, " twice.");
  return sorted;
}

Shape strides_of(const Shape& shape) {
  Shape strides = shape;
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    step *= shape[i];
  }
  return strides;
}

Value widened(Builder& g, std::string_view op, std::span<const Value> inputs, const Attrs& attrs,
              bool cast_back) {
  const DType dtype = g.dtype(inputs[0]);
  if (!is_half(dtype)) return {};
  std::vector<Value> wide;
  for (const Value x : inputs) wide.push_back(is_half(g.dtype(x)) ? g.cast(x, DType::kFloat32) : x);
  const Value y = g.apply_all(find_op(op), wide, attrs)[0];
  return cast_back ? g.cast(y, dtype) : y;
}

Value with_axis_last(Builder& g, std::string_view op, std::span<const Value> inputs,
                     const Attrs& attrs) {
  const int rank = g.shape(inputs[0]).rank();
  const int axis = normalize_axis(op, attrs.integer("axis"), rank);
  if (axis == rank - 1) return {};
  std::vector<int64_t> order(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) order[static_cast<size_t>(i)] = i;
  std::swap(order[static_cast<size_t>(axis)], order.back());
  std::vector<Value> moved;
  for (const Value x : inputs) moved.push_back(g.apply("transpose", {x}, {{"axes", order}}));
  Attrs last = attrs;
  last.set("axis", int64_t{rank - 1});
  const Value y = g.apply_all(find_op(op), moved, last)[0];
  return g.apply("transpose", {y}, {{"axes", order}});
}

}  // namespace pronghorn::ops
