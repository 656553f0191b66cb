#include "pronghorn/ops/recurrent/recurrent.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace pronghorn::ops {
namespace {

// Weights up to here stay in the L2 cache of each thread that runs a piece.
constexpr int64_t kResidentBytes = 3 << 19;
constexpr int64_t kPieceRows = 6;

constexpr std::array<std::pair<std::string_view, GateFunction>, 8> kFunctions = {{
    {"linear", GateFunction::kLinear},
    {"tanh", GateFunction::kTanh},
    {"sigmoid", GateFunction::kSigmoid},
    {"relu", GateFunction::kRelu},
    {"hard_sigmoid", GateFunction::kHardSigmoid},
    {"softsign", GateFunction::kSoftsign},
    {"elu", GateFunction::kElu},
    {"softplus", GateFunction::kSoftplus},
}};

}  // namespace

int64_t packed_floats(int64_t depth, int64_t cols) {
  return depth * ((cols + kPackedRound - 1) / kPackedRound * kPackedRound);
}

int64_t scratch_stride(int64_t columns) {
  return (columns + kPackedRound - 1) / kPackedRound * kPackedRound + kPackedRound;
}

RecurrentPlan plan_recurrent(const OpCall& call, const Shape& x, int64_t gates,
                             int64_t scratch_columns, int64_t weight_columns) {
  RecurrentPlan plan;
  plan.batch = x[0];
  plan.time = x[1];
  plan.units = x[2] / gates;
  plan.gates = gates;
  plan.go_backwards = call.attrs.integer("go_backwards", 0) != 0;
  plan.has_mask = call.attrs.integer("has_mask", 0) != 0;
  plan.has_dy = call.attrs.integer("has_dy", 0) != 0;
  plan.has_dh = call.attrs.integer("has_dh", 0) != 0;
  plan.has_dc = call.attrs.integer("has_dc", 0) != 0;
  plan.functions = {gate_function(call, "activation"), GateFunction::kSigmoid};
  if (call.attrs.has("recurrent_activation"))
    plan.functions.recurrent = gate_function(call, "recurrent_activation");
  plan.row_floats = scratch_columns;
  plan.step_cost = 2 * plan.units * weight_columns + 30 * gates * plan.units;
  // Powers of two: an even share for any usual number of threads.
  const bool resident =
      packed_floats(plan.units, weight_columns) * static_cast<int64_t>(sizeof(float)) <=
      kResidentBytes;
  plan.pieces = std::min<int64_t>(plan.batch, 1);
  if (resident && plan.batch >= 2) {
    plan.pieces = 2;
    while (plan.batch >= plan.pieces * 2 * kPieceRows && plan.pieces < 64) plan.pieces *= 2;
  }
  return plan;
}

size_t workspace_bytes(const RecurrentPlan& plan) {
  return static_cast<size_t>(plan.batch * plan.row_floats) * sizeof(float);
}

void step_product(const RecurrentPlan& plan, const PackedProduct& product) {
  if (plan.pieces > 1) return kernels().packed_product(product);
  const int64_t panels = (product.col1 - product.col0 + kPackedPanel - 1) / kPackedPanel;
  parallel_for(panels, 2 * product.rows * product.depth * kPackedPanel, [&](int64_t i) {
    PackedProduct part = product;
    part.col0 = product.col0 + i * kPackedPanel;
    part.col1 = std::min(product.col1, part.col0 + kPackedPanel);
    kernels().packed_product(part);
  });
}

FloatRows take_rows(float** scratch, int64_t rows, int64_t columns) {
  const FloatRows result{*scratch, scratch_stride(columns)};
  *scratch += rows * result.stride;
  return result;
}

void copy_rows(ConstRows from, int64_t rows, int64_t columns, FloatRows to) {
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(from.at + r * from.stride, columns, to.at + r * to.stride);
}

void zero_rows(FloatRows to, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) std::fill_n(to.at + r * to.stride, columns, 0.0f);
}

void expect_operand(const OpCall& call, size_t i, DType dtype, const Shape& shape,
                    std::string_view what) {
  const TensorType& type = call.inputs[i];
  if (type.dtype != dtype) {
    type_error(call.op.name, ": expected ", what, " of dtype ", dtype, ". Received: ", what,
               ".dtype=", type.dtype, ".");
  }
  if (type.shape != shape) {
    value_error(call.op.name, ": expected ", what, " of shape ", shape, ". Received: ", what,
                ".shape=", type.shape, ", x.shape=", call.inputs[0].shape, ".");
  }
}

int64_t expect_sums(const OpCall& call, int64_t gates) {
  const TensorType& x = call.inputs[0];
  if (x.dtype != DType::kFloat32)
    type_error(call.op.name, ": expected float32. Received: x.dtype=", x.dtype, ".");
  if (x.shape.rank() != 3 || x.shape[2] == 0 || x.shape[2] % gates != 0) {
    value_error(call.op.name, ": expected x of shape (batch, time, ", gates,
                " * units). Received: x.shape=", x.shape, ".");
  }
  return x.shape[2] / gates;
}

void expect_packed(const OpCall& call, size_t i, int64_t depth, int64_t cols) {
  expect_operand(call, i, DType::kFloat32, Shape{packed_floats(depth, cols)}, "packed weights");
}

void expect_mask(const OpCall& call, size_t i, const Shape& x) {
  expect_operand(call, i, DType::kBool, Shape{x[0], x[1]}, "mask");
}

GateFunction gate_function(const OpCall& call, std::string_view attribute) {
  const std::string& name = call.attrs.text(attribute);
  for (const auto& [known, function] : kFunctions) {
    if (name == known) return function;
  }
  value_error(call.op.name, ": unknown ", attribute, ". Received: '", name, "'.");
}

void GradientOperands::add(const char* flag, Value v) {
  if (!v) return;
  values.push_back(v);
  attrs.set(flag, int64_t{1});
}

Value as_rows(Builder& g, Value v) {
  const Shape& shape = g.shape(v);
  return g.reshape(v, Shape{shape[0] * shape[1], shape[2]});
}

Value weights_gradient(Builder& g, Value h_before, Value dz) {
  return g.apply("matmul", {as_rows(g, h_before), as_rows(g, dz)}, {{"transpose_a", int64_t{1}}});
}

std::vector<Value> no_second_gradient(const GradientCall& call) {
  value_error(call.node.op->name,
              ": the second derivative of a fused recurrent op is not available. Use RNN with the "
              "layer's cell instead.");
}

void expect_no_gradient(const GradientCall& call, size_t first) {
  for (size_t i = first; i < call.d_outputs.size(); ++i) {
    if (call.d_outputs[i]) value_error(call.node.op->name, ": output ", i, " has no gradient.");
  }
}

}  // namespace pronghorn::ops
