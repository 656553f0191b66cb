// softmax(x), log_softmax(x) {axis}; softmax_grad(y, dy): the gradient of softmax over the last
// axis.
#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/rows/row_blocks.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  int64_t rows;
  int64_t n;
  RowBlocks operands;
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  expect_float(call, 0);
  normalize_axis(call.op.name, call.attrs.integer("axis", -1), call.inputs[0].shape.rank());
  return {result_like(call, 0)};
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  if (call.attrs.integer("float32_result", 0) == 0) expect_same_dtype(call, 0, 1);
  if (call.inputs[0].shape != call.inputs[1].shape || call.inputs[0].shape.rank() == 0) {
    value_error(
        "softmax_grad: operands must have the same shape of rank 1 or more. Received: y.shape=",
        call.inputs[0].shape, ", dy.shape=", call.inputs[1].shape, ".");
  }
  return {result_like(call, 0)};
}

// Gradients are built after `simplify` has moved the axis to the end.
std::vector<Value> softmax_gradient(const GradientCall& call) {
  return {call.g.apply("softmax_grad", {call.outputs[0], call.d_outputs[0]})};
}

std::vector<Value> log_softmax_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Expr dy(g, call.d_outputs[0]);
  const Expr y(g, call.outputs[0]);
  const Expr sum(g, g.reduce_sum(dy.value, {g.shape(dy.value).rank() - 1}, true));
  return {(dy - y.apply("exp") * sum).value};
}

// dx = y (dy - s), s = sum(y dy). With e the gradient of dx:  d(dy) = softmax_grad(y, e);
// dy = e (dy - s) - dy sum(y e).
std::vector<Value> softmax_grad_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Expr y(g, call.inputs[0]);
  const Expr dy(g, call.inputs[1]);
  const Expr e(g, call.d_outputs[0]);
  const std::vector<int64_t> last{g.shape(y.value).rank() - 1};
  const Expr s(g, g.reduce_sum((y * dy).value, last, true));
  const Expr t(g, g.reduce_sum((y * e).value, last, true));
  return {(e * (dy - s) - dy * t).value, g.apply("softmax_grad", {y.value, e.value})};
}

template <const char* const& name>
Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  if (const Value wide = widened(g, name, inputs, attrs)) return wide;
  // One form of the attribute, so that equal nodes merge.
  const int64_t last = g.shape(inputs[0]).rank() - 1;
  if (attrs.integer("axis", -1) == -1) return g.apply(name, {inputs[0]}, {{"axis", last}});
  return with_axis_last(g, name, inputs, attrs);
}

Value simplify_grad(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "softmax_grad", inputs, attrs);
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  return {.plan = std::make_shared<const Plan>(
              Plan{x.size(0, x.rank() - 1), x.back(), row_blocks(call, x.back(), {0}, 1)})};
}

Prepared prepare_grad(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  return {.plan = std::make_shared<const Plan>(
              Plan{x.size(0, x.rank() - 1), x.back(), row_blocks(call, x.back(), {0, 1}, 2)})};
}

// Calls kernel(RowBlock) for all rows.
template <typename Kernel>
void for_rows(const Launch& launch, Kernel&& kernel) {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.rows == 0 || plan.n == 0) return;
  const int64_t piece = std::max<int64_t>(1, 8192 / plan.n);
  parallel_ranges(plan.rows, piece, plan.n * 16, [&](int64_t begin, int64_t end) {
    plan.operands.run(launch, begin, end, rows_in_cache(plan.n), kernel);
  });
}

void run_softmax(const Launch& launch) noexcept {
  for_rows(launch, [n = launch.plan_as<Plan>().n](const RowBlock& block) {
    kernels().softmax_rows(block.x[0], block.rows, n, block.y);
  });
}

void run_log_softmax(const Launch& launch) noexcept {
  for_rows(launch, [n = launch.plan_as<Plan>().n](const RowBlock& block) {
    kernels().log_softmax_rows(block.x[0], block.rows, n, block.y);
  });
}

void run_softmax_grad(const Launch& launch) noexcept {
  for_rows(launch, [n = launch.plan_as<Plan>().n](const RowBlock& block) {
    kernels().softmax_grad_rows(block.x[0], block.x[1], block.rows, n, block.y);
  });
}

constexpr const char* kSoftmax = "softmax";
constexpr const char* kLogSoftmax = "log_softmax";

}  // namespace

OpDef softmax_op() {
  return {.name = kSoftmax,
          .infer = infer,
          .gradient = softmax_gradient,
          .prepare = prepare,
          .run = run_softmax,
          .simplify = simplify<kSoftmax>,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 1,
          .epilogue_has_outputs = true};
}

OpDef log_softmax_op() {
  return {.name = kLogSoftmax,
          .infer = infer,
          .gradient = log_softmax_gradient,
          .prepare = prepare,
          .run = run_log_softmax,
          .simplify = simplify<kLogSoftmax>,
          .in_place_inputs = 1,
          .takes_epilogue = true,
          .half_inputs = 1,
          .epilogue_has_outputs = true};
}

OpDef softmax_grad_op() {
  return {.name = "softmax_grad",
          .infer = infer_grad,
          .gradient = softmax_grad_gradient,
          .prepare = prepare_grad,
          .run = run_softmax_grad,
          .simplify = simplify_grad,
          .in_place_inputs = 3,
          .takes_epilogue = true,
          .half_inputs = 3,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
