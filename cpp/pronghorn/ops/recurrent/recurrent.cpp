#include "pronghorn/ops/recurrent/recurrent.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "pronghorn/base/precision.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"

namespace pronghorn::ops {
namespace {

// Weights up to here stay in the L2 cache of each thread that runs a piece.
constexpr int64_t kResidentBytes = 3 << 19;
constexpr int64_t kPieceRows = 6;  // of multiply-adds
constexpr int64_t kTileRows = 16;  // on AMX

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

// Pieces of the batch: powers of two, an even share for any usual number of threads. One for
// weights that do not stay in a cache.
int64_t pieces_of(int64_t batch, int64_t rows, int64_t weight_bytes) {
  if (batch < 2 || weight_bytes > kResidentBytes) return std::min<int64_t>(batch, 1);
  int64_t pieces = 2;
  while (batch >= pieces * 2 * rows && pieces < 64) pieces *= 2;
  return pieces;
}

// Bytes of weights as tiles, for whole panels of 32 columns.
int64_t tile_bytes(int64_t depth, int64_t cols) {
  return divide_up(cols, kX3Lines) * divide_up(depth, kX3Depth) * kX3StepBytes;
}

// What the products of all steps cost, in cycles of one thread. Multiply-adds: 16 lanes, two a
// cycle, at the 0.85 of the peak that few rows reach. AMX: 16 cycles a product of tiles, a quarter
// more for results that are waited for; packing the weights and splitting the rows by what they
// write. Weights that do not stay in a cache come at 8 bytes a cycle.
double fma_cycles(const RecurrentPlan& plan, int64_t pieces) {
  const double weights = static_cast<double>(plan.units * plan.gates * plan.units);
  const double step = static_cast<double>(plan.batch) * weights / (32 * 0.85);
  return static_cast<double>(plan.time) * (pieces > 1 ? step : std::max(step, weights / 2));
}
double tile_cycles(const RecurrentPlan& plan, int64_t parts, int64_t pieces) {
  const int64_t columns = plan.gates * plan.units;
  const int64_t row_tiles = pieces * divide_up(divide_up(plan.batch, pieces), kTileRows);
  const int64_t weight_tiles = divide_up(columns, kTileRows) * divide_up(plan.units, kX3Depth);
  const int64_t products = parts == 3 ? 6 : 1;
  const double weights = static_cast<double>(plan.units * columns);
  double step =
      1.25 * static_cast<double>(row_tiles * weight_tiles * 16 * products + plan.batch * columns);
  if (pieces == 1) step = std::max(step, weights * static_cast<double>(parts) / 4);
  return static_cast<double>(plan.time) * step + weights;
}

}  // namespace

int64_t packed_floats(int64_t depth, int64_t cols) {
  return depth * ((cols + kPackedRound - 1) / kPackedRound * kPackedRound);
}

int64_t scratch_stride(int64_t columns) {
  return (columns + kPackedRound - 1) / kPackedRound * kPackedRound + kPackedRound;
}

RecurrentPlan plan_recurrent(const OpCall& call, const Shape& x, int64_t gates,
                             int64_t scratch_columns) {
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
  const int64_t columns = gates * plan.units;
  plan.step_cost = 2 * plan.units * columns + 30 * columns;
  const int64_t packed_bytes = packed_floats(plan.units, columns) * 4;
  plan.pieces = pieces_of(plan.batch, kPieceRows, packed_bytes);
  plan.tiles_at = round_up(plan.batch * plan.row_floats * 4, 64);
  plan.workspace = plan.tiles_at;
  const bool bfloat16 = call.attrs.integer("bfloat16", 0) != 0;
  if (kernels().tile_product == nullptr || (strict_float32() && !bfloat16) || plan.batch == 0)
    return plan;
  const int64_t parts = bfloat16 ? 1 : 3;
  const int64_t pieces = pieces_of(plan.batch, kTileRows, packed_bytes / 2 * 3);
  if (tile_cycles(plan, parts, pieces) >= fma_cycles(plan, plan.pieces)) return plan;
  plan.parts = parts;
  plan.pieces = pieces;
  // Two products whose weights have a side of units each, or one: whatever is rounded up.
  plan.workspace += tile_bytes(round_up(plan.units, kX3Depth), round_up(columns, kX3Lines) + 128);
  return plan;
}

StepWeights step_weights(const Launch& launch, size_t operand, int64_t depth, int64_t cols,
                         const StepWeights* others) {
  const RecurrentPlan& plan = launch.plan_as<RecurrentPlan>();
  StepWeights u{launch.input<float>(static_cast<int>(operand)), nullptr, depth, cols};
  if (plan.parts == 0 || (others != nullptr && others->tiles == nullptr)) return u;
  char* tiles = static_cast<char*>(launch.workspace) + plan.tiles_at;
  if (others != nullptr) tiles += tile_bytes(others->depth, others->cols);
  std::atomic<bool> usable{true};
  parallel_for(divide_up(cols, kPackedPanel), depth * kPackedPanel * 4, [&](int64_t i) {
    const int64_t col = i * kPackedPanel;
    if (!kernels().pack_tiles(u.packed + col * depth, depth, std::min(kPackedPanel, cols - col),
                              tiles + tile_bytes(depth, col))) {
      usable = false;
    }
  });
  if (usable) u.tiles = tiles;
  return u;
}

void step_product(const RecurrentPlan& plan, const StepWeights& u, ConstRows a, ConstRows base,
                  FloatRows c, int64_t rows) {
  TileProduct tiles{.a = nullptr,
                    .scales = nullptr,
                    .b = u.tiles,
                    .parts = plan.parts,
                    .depth = u.depth,
                    .base = base,
                    .c = c,
                    .rows = rows,
                    .col0 = 0,
                    .col1 = u.cols};
  bool in_tiles = false;
  if (u.tiles != nullptr) {
    const int64_t bytes = round_up(rows, kTileRows) * round_up(u.depth, kX3Depth) * 2 * plan.parts;
    char* scratch = reinterpret_cast<char*>(thread_scratch(bytes / 4 + round_up(rows, kTileRows)));
    float* scales = reinterpret_cast<float*>(scratch + bytes);
    in_tiles = kernels().split_rows({a, rows, u.depth, plan.parts, scratch, scales});
    tiles.a = scratch;
    tiles.scales = scales;
  }
  const auto columns = [&](int64_t col0, int64_t col1) {
    if (in_tiles) {
      TileProduct part = tiles;
      part.col0 = col0;
      part.col1 = col1;
      return kernels().tile_product(part);
    }
    kernels().packed_product({a, u.packed, u.depth, base, c, rows, col0, col1});
  };
  if (plan.pieces > 1) return columns(0, u.cols);
  parallel_for(divide_up(u.cols, kPackedPanel), 2 * rows * u.depth * kPackedPanel, [&](int64_t i) {
    columns(i * kPackedPanel, std::min(u.cols, (i + 1) * kPackedPanel));
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

Value weights_gradient(const GradientCall& call, Value h_before, Value dz) {
  Builder& g = call.g;
  Attrs attrs{{"transpose_a", int64_t{1}}, {"transpose_b", int64_t{0}}};
  if (call.node.attrs.integer("bfloat16", 0) != 0 && takes_bfloat16()) {
    attrs.set("float32_result", int64_t{1});
    h_before = g.cast(h_before, DType::kBfloat16);
    dz = g.cast(dz, DType::kBfloat16);
  }
  return g.apply("matmul", {as_rows(g, h_before), as_rows(g, dz)}, attrs);
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
