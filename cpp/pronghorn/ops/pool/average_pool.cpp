// average_pool(x) {window, strides, pads_low, pads_high}: the mean over the part of each window
// inside the image. average_pool_grad(dy) {.., input_spatial} -> dx; they are one another's
// gradients.
#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/pool/grad.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  expect_float(call, 0);
  const TensorType& x = call.inputs[0];
  return {
      {x.dtype, window_output(pool_sizes("average_pool", x.shape, call.attrs), x.shape.back())}};
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  expect_operands(call, 1);
  expect_float(call, 0);
  const TensorType& dy = call.inputs[0];
  const Shape x = pool_input("average_pool_grad", dy.shape, call.attrs);
  check_pooled("average_pool_grad", pool_sizes("average_pool_grad", x, call.attrs), "dy", dy.shape);
  return {{dy.dtype, x}};
}

std::vector<Value> gradient(const GradientCall& call) {
  return {call.g.apply("average_pool_grad", {call.d_outputs[0]},
                       with_input_spatial(call.node.attrs, call.g.shape(call.inputs[0])))};
}

std::vector<Value> gradient_of_grad(const GradientCall& call) {
  return {
      call.g.apply("average_pool", {call.d_outputs[0]}, without_input_spatial(call.node.attrs))};
}

struct Plan : PoolPlan {
  DType dtype = DType::kFloat32;
};

Prepared prepare(const OpCall& call) {
  auto plan = std::make_shared<Plan>();
  plan->sizes = pool_sizes("average_pool", call.inputs[0].shape, call.attrs);
  plan->dtype = call.inputs[0].dtype;
  return {.plan = plan};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t cost = std::max<int64_t>(plan.row_cost(), 1);
  parallel_ranges(plan.rows(), std::max<int64_t>(1, (1 << 17) / cost), cost,
                  [&](int64_t begin, int64_t end) {
                    kernels().average_pool_pixels({.windows = plan.sizes.windows,
                                                   .type = static_cast<ElementType>(plan.dtype),
                                                   .x = launch.inputs[0],
                                                   .y = launch.outputs[0],
                                                   .taken = nullptr,
                                                   .row0 = begin,
                                                   .rows = end - begin});
                  });
}

void run_grad(const Launch& launch) noexcept {
  run_pool_grad(launch, kernels().average_pool_grad_pixels, nullptr, 1);
}

}  // namespace

OpDef average_pool_op() {
  return {
      .name = "average_pool", .infer = infer, .gradient = gradient, .prepare = prepare, .run = run};
}

OpDef average_pool_grad_op() {
  return {.name = "average_pool_grad",
          .infer = infer_grad,
          .gradient = gradient_of_grad,
          .prepare = prepare_pool_grad,
          .run = run_grad};
}

}  // namespace pronghorn::ops
