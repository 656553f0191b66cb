// What the recurrent ops share. They take x: the sums of the inputs of all time steps, (batch,
// time, gates * units), which a matrix product made; the recurrent weights, packed by
// recurrent_pack; the initial state; and, as last operand, a mask (batch, time) of bools or
// nothing: where it is false a step leaves the state as it is. y (batch, time, units) is the state
// after each step. With go_backwards the last step is taken first; x and y keep their order. With
// bfloat16 the operands of products are rounded to it, where the machine has such products.
#pragma once

#include <string_view>
#include <vector>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ir/builder.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {

struct RecurrentPlan {
  int64_t batch = 0;
  int64_t time = 0;
  int64_t units = 0;
  int64_t gates = 0;  // columns of x / units
  bool go_backwards = false;
  bool has_mask = false;
  bool has_dy = false;  // of a gradient op: which gradients are operands
  bool has_dh = false;
  bool has_dc = false;
  GateFunctions functions{};
  // Rows are cut into pieces; each runs through all steps on one thread. One piece: its steps are
  // cut by columns instead.
  int64_t pieces = 0;
  int64_t row_floats = 0;  // scratch memory of a row
  int64_t step_cost = 0;   // operations of a row's step
  int64_t parts = 0;       // of the products on AMX: 3, or 1 in bfloat16; 0: multiply-adds
  int64_t tiles_at = 0;    // of the workspace: weights as tiles, in bytes
  int64_t workspace = 0;   // bytes

  int64_t step_time(int64_t step) const { return go_backwards ? time - 1 - step : step; }
  // Rows of a (batch, time, columns) tensor at a time step.
  FloatRows rows(float* tensor, int64_t columns, int64_t row0, int64_t t) const {
    if (tensor == nullptr) return {};
    return {tensor + (row0 * time + t) * columns, time * columns};
  }
  ConstRows rows(const float* tensor, int64_t columns, int64_t row0, int64_t t) const {
    if (tensor == nullptr) return {};
    return {tensor + (row0 * time + t) * columns, time * columns};
  }
  RowMask mask(const uint8_t* tensor, int64_t row0, int64_t t) const {
    if (tensor == nullptr) return {};
    return {tensor + row0 * time + t, time};
  }
};

inline ConstRows constant(FloatRows m) { return {m.at, m.stride}; }

// Recurrent weights (depth, cols) of a run.
struct StepWeights {
  const float* packed;
  const char* tiles;  // null: multiply-adds are used
  int64_t depth;
  int64_t cols;
};

// Floats of a packed matrix.
int64_t packed_floats(int64_t depth, int64_t cols);

// Distance of rows of scratch memory: a multiple of cache lines, not of 4 KB.
int64_t scratch_stride(int64_t columns);

// Sizes from x (or its gradient) (batch, time, gates * units). A step multiplies by weights of
// units * gates * units elements, in one product or in several that share a side.
RecurrentPlan plan_recurrent(const OpCall& call, const Shape& x, int64_t gates,
                             int64_t scratch_columns);

// The weights of operand `operand` (depth, cols) for the steps of this run, as tiles if the plan
// says so and their values allow it. `others`: those that were asked for before.
StepWeights step_weights(const Launch& launch, size_t operand, int64_t depth, int64_t cols,
                         const StepWeights* others = nullptr);

// Calls body(row0, rows, scratch) for each piece; scratch: rows * row_floats floats.
template <typename F>
void for_pieces(const RecurrentPlan& plan, void* workspace, F&& body) {
  const int64_t cost = plan.step_cost * plan.time * plan.batch;
  parallel_for(plan.pieces, cost / (plan.pieces + 1), [&](int64_t i) {
    const int64_t row0 = plan.batch * i / plan.pieces;
    const int64_t end = plan.batch * (i + 1) / plan.pieces;
    body(row0, end - row0, static_cast<float*>(workspace) + row0 * plan.row_floats);
  });
}

// c = base + a u for the rows of a piece, cut by columns if there is one piece. c may be base.
void step_product(const RecurrentPlan& plan, const StepWeights& u, ConstRows a, ConstRows base,
                  FloatRows c, int64_t rows);

// Calls f(begin, end) for rows of a step; in parallel if there is one piece.
template <typename F>
void step_rows(const RecurrentPlan& plan, int64_t rows, F&& f) {
  if (plan.pieces > 1) return f(0, rows);
  parallel_ranges(rows, 4, plan.units * plan.gates * 40, std::forward<F>(f));
}

// Rows of scratch memory: `columns` floats each, taken from the front of `scratch`.
FloatRows take_rows(float** scratch, int64_t rows, int64_t columns);

void copy_rows(ConstRows from, int64_t rows, int64_t columns, FloatRows to);
void zero_rows(FloatRows to, int64_t rows, int64_t columns);

// Shape rules: each throws unless the operand is what it must be.
void expect_operand(const OpCall& call, size_t i, DType dtype, const Shape& shape,
                    std::string_view what);
// x, its units; throws unless x is (batch, time, gates * units) in float32.
int64_t expect_sums(const OpCall& call, int64_t gates);
void expect_packed(const OpCall& call, size_t i, int64_t depth, int64_t cols);
void expect_mask(const OpCall& call, size_t i, const Shape& x);
GateFunction gate_function(const OpCall& call, std::string_view attribute);

// Of a gradient rule: gradients that exist, as operands, and their flags.
struct GradientOperands {
  std::vector<Value> values;
  Attrs attrs;

  void add(const char* flag, Value v);
};

// (batch, time, columns) -> (batch * time, columns), and the gradient of the recurrent weights of
// this node, h_before^T dz.
Value as_rows(Builder& g, Value v);
Value weights_gradient(const GradientCall& call, Value h_before, Value dz);

// Throws: these ops have no second gradient.
std::vector<Value> no_second_gradient(const GradientCall& call);
// Throws if the loss depends on an output from `first` on, which only the gradient op reads.
void expect_no_gradient(const GradientCall& call, size_t first);

}  // namespace pronghorn::ops
