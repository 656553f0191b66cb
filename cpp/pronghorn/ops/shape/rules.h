// Checks and rewrites that the rules of many ops share.
#pragma once

#include <string_view>
#include <vector>

#include "pronghorn/ir/builder.h"

namespace pronghorn::ops {

// A ValueError unless the op got n operands.
void expect_operands(const OpCall& call, size_t n);

// A TypeError unless operand i is float32, or a 16-bit float (which `simplify` then widens).
void expect_float(const OpCall& call, size_t i);
// A TypeError unless operand i is an integer.
void expect_integer(const OpCall& call, size_t i);
// A TypeError unless operands i and j have the same dtype.
void expect_same_dtype(const OpCall& call, size_t i, size_t j);

// The type of a result that is like operand i, of an op with half_inputs.
TensorType result_like(const OpCall& call, size_t i);

// The attribute `name` as sorted axes in [0, rank), without duplicates (a ValueError).
std::vector<int64_t> sorted_axes(std::string_view op, const std::vector<int64_t>& axes, int rank);

// Strides in elements of a contiguous tensor.
Shape strides_of(const Shape& shape);

inline std::vector<int64_t> to_vector(const Shape& shape) { return {shape.begin(), shape.end()}; }

// Rewrites op(x16, rest...) to cast(op(cast(x16, float32), rest...), dtype of x16), where x16 is
// operand 0; every 16-bit operand is widened. No value if operand 0 is not a 16-bit float.
// `cast_back` false: the result keeps its dtype.
Value widened(Builder& g, std::string_view op, std::span<const Value> inputs, const Attrs& attrs,
              bool cast_back = true);

// Rewrites op(x) {axis} with another axis than the last to transpose(op(transpose(x))); every
// operand is transposed. No value if the axis is the last one.
Value with_axis_last(Builder& g, std::string_view op, std::span<const Value> inputs,
                     const Attrs& attrs);

}  // namespace pronghorn::ops
