// Shape rules and execution that the elementwise ops share. Operands broadcast as in NumPy; float
// results are computed in float32 and rounded to the operands' dtype.
#pragma once

#include <optional>

#include "pronghorn/ir/builder.h"
#include "pronghorn/ir/op_def.h"

namespace pronghorn::ops {

// infer: which dtypes are taken, and the dtype of the result.
std::vector<TensorType> infer_float(const OpCall& call);    // float -> same
std::vector<TensorType> infer_number(const OpCall& call);   // any -> same
std::vector<TensorType> infer_test(const OpCall& call);     // any -> bool
std::vector<TensorType> infer_logical(const OpCall& call);  // bool -> bool
std::vector<TensorType> infer_integer(const OpCall& call);  // integer or bool -> same
std::vector<TensorType> infer_where(const OpCall& call);
std::vector<TensorType> infer_same(const OpCall& call);  // one operand of any type -> its type
std::vector<TensorType> infer_cast(const OpCall& call);

// Floats and bools run as a tile program of one instruction, integers in loops of their own.
Prepared prepare_elementwise(const OpCall& call);
void run_elementwise(const Launch& launch) noexcept;
bool may_share_elementwise(const OpCall& call, int output, int input);

Prepared prepare_cast(const OpCall& call);

// The number that a constant of one element holds.
std::optional<double> constant_of(Builder& g, Value v);

// Rewrites with constant operands (x + 0, x * 1, power(x, 2), ...); by name of the op, no value
// where nothing applies.
using Simplify = Value (*)(Builder&, std::span<const Value>, const Attrs&);
Simplify simplify_rule(std::string_view op);

}  // namespace pronghorn::ops
