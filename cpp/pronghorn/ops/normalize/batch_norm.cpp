// batch_norm(x (..., c), gamma (c), beta (c)) {epsilon} -> y, mean (c), variance (c): over all axes
// but the last, y = (x - mean) / sqrt(variance + epsilon) gamma + beta, variance biased.
// batch_norm_grad(x, gamma, mean, variance, dy) {epsilon} -> dx, dgamma, dbeta.
// Moments are taken per block of rows around the block's own mean and merged: Chan, Golub, LeVeque,
// "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
#include <cmath>

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
  double epsilon;
  RowBlocks sources;   // x, or x and dy, for the sums
  RowBlocks operands;  // the same with the first output
};

Plan plan_for(const Shape& x, double epsilon) {
  Plan plan{.rows = x.size(0, x.rank() - 1),
            .n = x.back(),
            .block = 0,
            .blocks = 0,
            .epsilon = epsilon,
            .sources = {},
            .operands = {}};
  plan.block = std::max<int64_t>(64, 16'384 / std::max<int64_t>(plan.n, 1));
  plan.blocks = (plan.rows + plan.block - 1) / plan.block;
  return plan;
}

// Two vectors of n per block, and three more.
Prepared prepare(const OpCall& call, std::initializer_list<int> operands, int own_inputs) {
  auto plan = std::make_shared<Plan>(plan_for(call.inputs[0].shape, call.attrs.number("epsilon")));
  plan->operands = row_blocks(call, plan->n, operands, own_inputs);
  plan->sources = plan->operands;
  plan->sources.epilogue = nullptr;
  plan->sources.has_result = false;
  return {.plan = plan,
          .workspace = static_cast<size_t>((plan->blocks * 2 + 3) * plan->n) * sizeof(float)};
}

Prepared prepare_forward(const OpCall& call) { return prepare(call, {0}, 3); }
Prepared prepare_grad(const OpCall& call) { return prepare(call, {0, 4}, 5); }

void check(const OpCall& call, size_t operands) {
  expect_operands(call, operands);
  const Shape& x = call.inputs[0].shape;
  if (x.rank() < 1)
    value_error(call.op.name, ": expected rank 1 or more. Received: x.shape=", x, ".");
  expect_float32(call, 0, x, "x");
  expect_float32(call, 1, Shape{x.back()}, "gamma");
}

std::vector<TensorType> infer(const OpCall& call) {
  check(call, 3);
  const TensorType& x = call.inputs[0];
  const TensorType channels{DType::kFloat32, Shape{x.shape.back()}};
  expect_float32(call, 2, channels.shape, "beta");
  return {result_like(call, 0), channels, channels};
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  check(call, 5);
  const TensorType& x = call.inputs[0];
  const TensorType channels{DType::kFloat32, Shape{x.shape.back()}};
  expect_float32(call, 2, channels.shape, "mean");
  expect_float32(call, 3, channels.shape, "variance");
  expect_float32(call, 4, x.shape, "dy");
  return {result_like(call, 0), channels, channels};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value x = call.inputs[0];
  const Value mean = call.outputs[1];
  const Shape shape = g.shape(x);
  const int64_t rows = shape.size(0, shape.rank() - 1);
  std::vector<Value> result(3);
  if (const Value dy = call.d_outputs[0]) {
    const Value operands[] = {x, call.inputs[1], mean, call.outputs[2], dy};
    result = g.apply_all(find_op("batch_norm_grad"), operands, call.node.attrs);
  }
  const auto add = [&](const Expr& dx) {
    const Value v = g.broadcast_to(dx.value, shape);
    result[0] = result[0] ? g.apply("add", {result[0], v}) : v;
  };
  const double count = static_cast<double>(std::max<int64_t>(rows, 1));
  if (call.d_outputs[1]) add(Expr(g, call.d_outputs[1]) / count);
  if (call.d_outputs[2])
    add((Expr(g, x) - Expr(g, mean)) * (Expr(g, call.d_outputs[2]) * (2.0 / count)));
  return result;
}

std::vector<Value> grad_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Expr variance(g, call.inputs[3]);
  const Expr rstd = (variance + call.node.attrs.number("epsilon")).apply("rsqrt");
  const Shape channels = g.shape(call.inputs[1]);
  std::vector<Value> d =
      norm_grad_gradient(g, {.x = call.inputs[0],
                             .gamma = call.inputs[1],
                             .mean = call.inputs[2],
                             .rstd = rstd.value,
                             .dy = call.inputs[4],
                             .d_dx = call.d_outputs[0],
                             .d_dgamma = call.d_outputs[1],
                             .d_dbeta = call.d_outputs[2],
                             .axes = leading_axes(g.shape(call.inputs[0]).rank())});
  d[2] = g.reshape(d[2], channels);
  const Expr d_rstd(g, g.reshape(d[3], channels));
  d[3] = (d_rstd * (rstd * rstd * rstd) * -0.5).value;
  return d;
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t n = plan.n;
  const float* gamma = launch.input<float>(1);
  const float* beta = launch.input<float>(2);
  float* mean = launch.output<float>(1);
  float* variance = launch.output<float>(2);
  float* parts = static_cast<float*>(launch.workspace);
  float* scale = parts + plan.blocks * 2 * n;
  const int64_t rows_at_once = std::max<int64_t>(16, rows_in_cache(n));
  parallel_for(plan.blocks, plan.block * n * 4, [&](int64_t b) {
    const int64_t end = std::min((b + 1) * plan.block, plan.rows);
    plan.sources.run(launch, b * plan.block, end, plan.block, [&](const RowBlock& block) {
      kernels().column_moments(block.x[0], block.rows, n, parts + b * 2 * n,
                               parts + (b * 2 + 1) * n);
    });
  });
  for (int64_t j = 0; j < n; ++j) {
    double sum = 0;
    for (int64_t b = 0; b < plan.blocks; ++b) {
      sum += static_cast<double>(parts[b * 2 * n + j]) *
             static_cast<double>(std::min(plan.block, plan.rows - b * plan.block));
    }
    const double m = sum / static_cast<double>(plan.rows);
    double m2 = 0;
    for (int64_t b = 0; b < plan.blocks; ++b) {
      const double d = static_cast<double>(parts[b * 2 * n + j]) - m;
      m2 += static_cast<double>(parts[(b * 2 + 1) * n + j]) +
            d * d * static_cast<double>(std::min(plan.block, plan.rows - b * plan.block));
    }
    const double v = m2 / static_cast<double>(plan.rows);
    mean[j] = static_cast<float>(m);
    variance[j] = static_cast<float>(v);
    scale[j] = static_cast<float>(static_cast<double>(gamma[j]) / std::sqrt(v + plan.epsilon));
  }
  parallel_for(plan.blocks, plan.block * n * 4, [&](int64_t b) {
    const int64_t end = std::min((b + 1) * plan.block, plan.rows);
    plan.operands.run(launch, b * plan.block, end, rows_at_once, [&](const RowBlock& block) {
      kernels().batch_norm_columns(block.x[0], block.rows, n, mean, scale, beta, block.y);
    });
  });
}

void run_grad(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t n = plan.n;
  const float* gamma = launch.input<float>(1);
  const float* mean = launch.input<float>(2);
  const float* variance = launch.input<float>(3);
  float* dgamma = launch.output<float>(1);
  float* dbeta = launch.output<float>(2);
  float* parts = static_cast<float*>(launch.workspace);
  float* scale = parts + plan.blocks * 2 * n;
  float* mean_dy = scale + n;
  float* slope = mean_dy + n;
  const int64_t rows_at_once = std::max<int64_t>(16, rows_in_cache(n));
  parallel_for(plan.blocks, plan.block * n * 8, [&](int64_t b) {
    const int64_t end = std::min((b + 1) * plan.block, plan.rows);
    plan.sources.run(launch, b * plan.block, end, plan.block, [&](const RowBlock& block) {
      kernels().batch_norm_grad_sums(block.x[0], block.x[1], block.rows, n, mean, parts + b * 2 * n,
                                     parts + (b * 2 + 1) * n);
    });
  });
  const double count = static_cast<double>(std::max<int64_t>(plan.rows, 1));
  for (int64_t j = 0; j < n; ++j) {
    double sum_dy = 0;
    double sum_dy_x = 0;
    for (int64_t b = 0; b < plan.blocks; ++b) {
      sum_dy += static_cast<double>(parts[b * 2 * n + j]);
      sum_dy_x += static_cast<double>(parts[(b * 2 + 1) * n + j]);
    }
    const double rstd = 1.0 / std::sqrt(static_cast<double>(variance[j]) + plan.epsilon);
    const double g = static_cast<double>(gamma[j]) * rstd;
    dbeta[j] = static_cast<float>(sum_dy);
    dgamma[j] = static_cast<float>(sum_dy_x * rstd);
    scale[j] = static_cast<float>(g);
    mean_dy[j] = static_cast<float>(sum_dy / count);
    slope[j] = static_cast<float>(g * rstd * rstd * sum_dy_x / count);
  }
  parallel_for(plan.blocks, plan.block * n * 8, [&](int64_t b) {
    const int64_t end = std::min((b + 1) * plan.block, plan.rows);
    plan.operands.run(launch, b * plan.block, end, rows_at_once, [&](const RowBlock& block) {
      kernels().batch_norm_grad_columns(block.x[0], block.x[1], block.rows, n, mean, scale, mean_dy,
                                        slope, block.y);
    });
  });
}

}  // namespace

OpDef batch_norm_op() {
  return {.name = "batch_norm",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare_forward,
          .run = run,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 1,
          .epilogue_has_outputs = true};
}

OpDef batch_norm_grad_op() {
  return {.name = "batch_norm_grad",
          .infer = infer_grad,
          .gradient = grad_gradient,
          .prepare = prepare_grad,
          .run = run_grad,
          .in_place_inputs = 0b10001,
          .takes_epilogue = true,
          .half_inputs = 0b10001,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
