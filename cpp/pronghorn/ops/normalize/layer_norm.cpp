// layer_norm(x (..., n), gamma (n), beta (n)) {epsilon} -> y, mean (...), rstd (...): over the last
// axis, y = (x - mean) rstd gamma + beta, rstd = 1 / sqrt(variance + epsilon), variance biased.
// rms_norm(x, gamma) {epsilon} -> y, rstd: y = x rstd gamma, rstd = 1 / sqrt(mean(x^2) + epsilon).
// layer_norm_grad(x, gamma, mean, rstd, dy) -> dx, dgamma, dbeta; rms_norm_grad(x, gamma, rstd, dy)
// -> dx, dgamma.
#include <limits>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/normalize/rules.h"
#include "pronghorn/ops/rows/row_blocks.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t rows;
  int64_t n;
  int64_t block;  // rows
  int64_t blocks;
  float epsilon;
  RowBlocks operands;
};

Plan plan_for(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  Plan plan{.rows = x.size(0, x.rank() - 1),
            .n = x.back(),
            .block = 0,
            .blocks = 0,
            .epsilon = static_cast<float>(call.attrs.number("epsilon", 0.0)),
            .operands = {}};
  plan.block = std::max<int64_t>(32, 16'384 / std::max<int64_t>(plan.n, 1));
  plan.blocks = (plan.rows + plan.block - 1) / plan.block;
  return plan;
}

Prepared prepare(const OpCall& call, int own_inputs) {
  auto plan = std::make_shared<Plan>(plan_for(call));
  plan->operands = row_blocks(call, plan->n, {0}, own_inputs);
  return {.plan = plan};
}
Prepared prepare_layer(const OpCall& call) { return prepare(call, 3); }
Prepared prepare_rms(const OpCall& call) { return prepare(call, 2); }

// Sums of each block for dgamma and dbeta.
Prepared prepare_grad(const OpCall& call, int dy) {
  auto plan = std::make_shared<Plan>(plan_for(call));
  plan->operands = row_blocks(call, plan->n, {0, dy}, dy + 1);
  return {.plan = plan,
          .workspace = static_cast<size_t>(plan->blocks * 2 * plan->n) * sizeof(float)};
}
Prepared prepare_layer_grad(const OpCall& call) { return prepare_grad(call, 4); }
Prepared prepare_rms_grad(const OpCall& call) { return prepare_grad(call, 3); }

Shape check(const OpCall& call, size_t operands) {
  expect_operands(call, operands);
  const Shape& x = call.inputs[0].shape;
  if (x.rank() < 1)
    value_error(call.op.name, ": expected rank 1 or more. Received: x.shape=", x, ".");
  expect_float32(call, 0, x, "x");
  expect_float32(call, 1, Shape{x.back()}, "gamma");
  return Shape(x.dims().first(static_cast<size_t>(x.rank() - 1)));
}

std::vector<TensorType> infer_layer(const OpCall& call) {
  const TensorType rows{DType::kFloat32, check(call, 3)};
  expect_float32(call, 2, call.inputs[1].shape, "beta");
  return {result_like(call, 0), rows, rows};
}

std::vector<TensorType> infer_rms(const OpCall& call) {
  const TensorType rows{DType::kFloat32, check(call, 2)};
  return {result_like(call, 0), rows};
}

std::vector<TensorType> infer_layer_grad(const OpCall& call) {
  const Shape rows = check(call, 5);
  expect_float32(call, 2, rows, "mean");
  expect_float32(call, 3, rows, "rstd");
  expect_float32(call, 4, call.inputs[0].shape, "dy");
  return {result_like(call, 0), call.inputs[1], call.inputs[1]};
}

std::vector<TensorType> infer_rms_grad(const OpCall& call) {
  const Shape rows = check(call, 4);
  expect_float32(call, 2, rows, "rstd");
  expect_float32(call, 3, call.inputs[0].shape, "dy");
  return {result_like(call, 0), call.inputs[1]};
}

// (...) as (..., 1).
Value column(Builder& g, Value v) {
  Shape shape = g.shape(v);
  shape.push_back(1);
  return g.reshape(v, shape);
}

// d(rstd)/dx = -rstd^3 (x - mean) / n; mean has no value in rms_norm.
Expr rstd_term(Builder& g, Value x, Value mean, Value rstd, Value d_rstd) {
  const Expr r(g, column(g, rstd));
  const Expr d(g, column(g, d_rstd));
  const Expr centered = mean ? Expr(g, x) - Expr(g, column(g, mean)) : Expr(g, x);
  const double n = static_cast<double>(std::max<int64_t>(g.shape(x).back(), 1));
  return centered * (d * (r * r * r) * (-1.0 / n));
}

void add_to(Builder& g, Value& dx, const Expr& term, const Shape& shape) {
  const Value v = g.broadcast_to(term.value, shape);
  dx = dx ? g.apply("add", {dx, v}) : v;
}

std::vector<Value> layer_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value x = call.inputs[0];
  const Value mean = call.outputs[1];
  const Value rstd = call.outputs[2];
  const Shape shape = g.shape(x);
  std::vector<Value> result(3);
  if (const Value dy = call.d_outputs[0]) {
    const Value operands[] = {x, call.inputs[1], mean, rstd, dy};
    result = g.apply_all(find_op("layer_norm_grad"), operands, {});
  }
  if (call.d_outputs[1]) {
    const double n = static_cast<double>(std::max<int64_t>(shape.back(), 1));
    add_to(g, result[0], Expr(g, column(g, call.d_outputs[1])) / n, shape);
  }
  if (call.d_outputs[2])
    add_to(g, result[0], rstd_term(g, x, mean, rstd, call.d_outputs[2]), shape);
  return result;
}

std::vector<Value> rms_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value x = call.inputs[0];
  const Value rstd = call.outputs[1];
  std::vector<Value> result(2);
  if (const Value dy = call.d_outputs[0]) {
    const Value operands[] = {x, call.inputs[1], rstd, dy};
    result = g.apply_all(find_op("rms_norm_grad"), operands, {});
  }
  if (call.d_outputs[1])
    add_to(g, result[0], rstd_term(g, x, {}, rstd, call.d_outputs[1]), Shape(g.shape(x)));
  return result;
}

std::vector<Value> layer_grad_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Shape rows = g.shape(call.inputs[2]);
  std::vector<Value> d = norm_grad_gradient(g, {.x = call.inputs[0],
                                                .gamma = call.inputs[1],
                                                .mean = column(g, call.inputs[2]),
                                                .rstd = column(g, call.inputs[3]),
                                                .dy = call.inputs[4],
                                                .d_dx = call.d_outputs[0],
                                                .d_dgamma = call.d_outputs[1],
                                                .d_dbeta = call.d_outputs[2],
                                                .axes = {g.shape(call.inputs[0]).rank() - 1}});
  d[2] = g.reshape(d[2], rows);
  d[3] = g.reshape(d[3], rows);
  return d;
}

std::vector<Value> rms_grad_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const std::vector<Value> d =
      norm_grad_gradient(g, {.x = call.inputs[0],
                             .gamma = call.inputs[1],
                             .mean = {},
                             .rstd = column(g, call.inputs[2]),
                             .dy = call.inputs[3],
                             .d_dx = call.d_outputs[0],
                             .d_dgamma = call.d_outputs[1],
                             .d_dbeta = {},
                             .axes = {g.shape(call.inputs[0]).rank() - 1}});
  return {d[0], d[1], g.reshape(d[3], Shape(g.shape(call.inputs[2]))), d[4]};
}

template <bool is_centered>
void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.n == 0) {  // moments of nothing
    for (int k = 1; k < (is_centered ? 3 : 2); ++k) {
      std::fill_n(launch.output<float>(k), plan.rows, std::numeric_limits<float>::quiet_NaN());
    }
    return;
  }
  const float* gamma = launch.input<float>(1);
  parallel_ranges(plan.rows, plan.block, plan.n * 8, [&](int64_t begin, int64_t end) {
    plan.operands.run(launch, begin, end, rows_in_cache(plan.n), [&](const RowBlock& block) {
      if constexpr (is_centered) {
        kernels().layer_norm_rows(block.x[0], gamma, launch.input<float>(2), block.rows, plan.n,
                                  plan.epsilon, block.y, launch.output<float>(1) + block.row,
                                  launch.output<float>(2) + block.row);
      } else {
        kernels().rms_norm_rows(block.x[0], gamma, block.rows, plan.n, plan.epsilon, block.y,
                                launch.output<float>(1) + block.row);
      }
    });
  });
}

template <bool is_centered>
void run_grad(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t n = plan.n;
  if (n == 0) return;
  const float* gamma = launch.input<float>(1);
  const float* rstd = launch.input<float>(is_centered ? 3 : 2);
  float* parts = static_cast<float*>(launch.workspace);
  parallel_for(plan.blocks, plan.block * n * 16, [&](int64_t b) {
    const int64_t end = std::min((b + 1) * plan.block, plan.rows);
    float* dgamma = parts + b * 2 * n;
    plan.operands.run(launch, b * plan.block, end, plan.block, [&](const RowBlock& block) {
      const auto& [x, dy] = block.x;
      if constexpr (is_centered) {
        kernels().layer_norm_grad_rows(x, gamma, launch.input<float>(2) + block.row,
                                       rstd + block.row, dy, block.rows, n, block.y, dgamma,
                                       dgamma + n);
      } else {
        kernels().rms_norm_grad_rows(x, gamma, rstd + block.row, dy, block.rows, n, block.y,
                                     dgamma);
      }
    });
  });
  for (int k = 0; k < (is_centered ? 2 : 1); ++k) {
    float* total = launch.output<float>(1 + k);
    if (plan.blocks == 0) {
      std::fill_n(total, n, 0.0f);
    } else {
      kernels().reduce_columns(ReduceKind::kSum, parts + k * n, plan.blocks, 2 * n, n, total);
    }
  }
}

}  // namespace

OpDef layer_norm_op() {
  return {.name = "layer_norm",
          .infer = infer_layer,
          .gradient = layer_gradient,
          .prepare = prepare_layer,
          .run = run<true>,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 0b1,
          .epilogue_has_outputs = true};
}

OpDef layer_norm_grad_op() {
  return {.name = "layer_norm_grad",
          .infer = infer_layer_grad,
          .gradient = layer_grad_gradient,
          .prepare = prepare_layer_grad,
          .run = run_grad<true>,
          .in_place_inputs = 0b10001,
          .takes_epilogue = true,
          .half_inputs = 0b10001,
          .epilogue_has_outputs = true};
}

OpDef rms_norm_op() {
  return {.name = "rms_norm",
          .infer = infer_rms,
          .gradient = rms_gradient,
          .prepare = prepare_rms,
          .run = run<false>,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 0b1,
          .epilogue_has_outputs = true};
}

OpDef rms_norm_grad_op() {
  return {.name = "rms_norm_grad",
          .infer = infer_rms_grad,
          .gradient = rms_grad_gradient,
          .prepare = prepare_rms_grad,
          .run = run_grad<false>,
          .in_place_inputs = 0b1001,
          .takes_epilogue = true,
          .half_inputs = 0b1001,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
