// max_pool(x) {window, strides, pads_low, pads_high} -> (y, taken): taken is the number of the tap
// within the window, int32. max_pool_grad(dy, taken) {.., input_spatial} -> dx, and
// max_pool_take(x, taken) {..}: the element of x that was taken; they are one another's gradients.
// Padding counts as minus infinity; NaN propagates.
#include <algorithm>
#include <limits>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/pool/grad.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

void check_taken(const OpCall& call, size_t i) {
  if (call.inputs[i].dtype != DType::kInt32) {
    type_error(call.op.name,
               ": expected int32 for taken. Received: taken.dtype=", call.inputs[i].dtype, ".");
  }
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  expect_float(call, 0);
  const TensorType& x = call.inputs[0];
  const Shape out = window_output(pool_sizes("max_pool", x.shape, call.attrs), x.shape.back());
  return {{x.dtype, out}, {DType::kInt32, out}};
}

std::vector<TensorType> infer_grad(const OpCall& call) {
  if (call.payload == nullptr) expect_operands(call, 2);
  expect_float(call, 0);
  check_taken(call, 1);
  const TensorType& dy = call.inputs[0];
  const Shape x = pool_input("max_pool_grad", dy.shape, call.attrs);
  const WindowSizes sizes = pool_sizes("max_pool_grad", x, call.attrs);
  check_pooled("max_pool_grad", sizes, "dy", dy.shape);
  check_pooled("max_pool_grad", sizes, "taken", call.inputs[1].shape);
  return {{dy.dtype, x}};
}

std::vector<TensorType> infer_take(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  check_taken(call, 1);
  const TensorType& x = call.inputs[0];
  check_pooled("max_pool_take", pool_sizes("max_pool_take", x.shape, call.attrs), "taken",
               call.inputs[1].shape);
  return {{x.dtype, call.inputs[1].shape}};
}

std::vector<Value> gradient(const GradientCall& call) {
  if (!call.d_outputs[0]) return {{}};
  return {call.g.apply("max_pool_grad", {call.d_outputs[0], call.outputs[1]},
                       with_input_spatial(call.node.attrs, call.g.shape(call.inputs[0])))};
}

std::vector<Value> gradient_of_grad(const GradientCall& call) {
  return {call.g.apply("max_pool_take", {call.d_outputs[0], call.inputs[1]},
                       without_input_spatial(call.node.attrs)),
          {}};
}

std::vector<Value> gradient_of_take(const GradientCall& call) {
  return {call.g.apply("max_pool_grad", {call.d_outputs[0], call.inputs[1]},
                       with_input_spatial(call.node.attrs, call.g.shape(call.inputs[0]))),
          {}};
}

Value simplify_take(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "max_pool_take", inputs, attrs);
}

struct Plan : PoolPlan {
  DType dtype = DType::kFloat32;
};

Prepared prepare(const OpCall& call) {
  auto plan = std::make_shared<Plan>();
  plan->sizes = pool_sizes(call.op.name, call.inputs[0].shape, call.attrs);
  plan->dtype = call.inputs[0].dtype;
  return {.plan = plan};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t cost = std::max<int64_t>(plan.row_cost(), 1);
  parallel_ranges(plan.rows(), std::max<int64_t>(1, (1 << 17) / cost), cost,
                  [&](int64_t begin, int64_t end) {
                    kernels().max_pool_pixels({.windows = plan.sizes.windows,
                                               .type = static_cast<ElementType>(plan.dtype),
                                               .x = launch.inputs[0],
                                               .y = launch.outputs[0],
                                               .taken = launch.output<int32_t>(1),
                                               .row0 = begin,
                                               .rows = end - begin});
                  });
}

void run_grad(const Launch& launch) noexcept {
  run_pool_grad(launch, kernels().max_pool_grad_pixels, launch.input<int32_t>(1), 2);
}

void run_take(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const Windows& w = plan.sizes.windows;
  const int32_t* taken = launch.input<int32_t>(1);
  float* y = launch.output<float>(0);
  for (int64_t row = 0; row < plan.rows(); ++row) {
    const int64_t o2 = row % w.out[2];
    const int64_t o1 = row / w.out[2] % w.out[1];
    const int64_t o0 = row / w.out[2] / w.out[1] % w.out[0];
    const float* image =
        launch.input<float>(0) + row / (w.out[0] * w.out[1] * w.out[2]) * plan.image_in();
    for (int64_t c = 0; c < w.channels; ++c) {
      const int64_t at = row * w.channels + c;
      const int64_t tap = taken[at];
      const int64_t k2 = tap % w.kernel[2];
      const int64_t k1 = tap / w.kernel[2] % w.kernel[1];
      const int64_t k0 = tap / w.kernel[2] / w.kernel[1];
      const int64_t i0 = o0 * w.stride[0] - w.pad[0] + k0;
      const int64_t i1 = o1 * w.stride[1] - w.pad[1] + k1;
      const int64_t i2 = o2 * w.stride[2] - w.pad[2] + k2;
      // `taken` is an operand like any other: no tap gives 0, one outside the window or the image
      // NaN.
      const bool inside = k0 < w.kernel[0] && i0 >= 0 && i0 < w.in[0] && i1 >= 0 && i1 < w.in[1] &&
                          i2 >= 0 && i2 < w.in[2];
      const float outside = tap == -1 ? 0.0f : std::numeric_limits<float>::quiet_NaN();
      y[at] = tap >= 0 && inside ? image[((i0 * w.in[1] + i1) * w.in[2] + i2) * w.channels + c]
                                 : outside;
    }
  }
}

}  // namespace

OpDef max_pool_op() {
  return {.name = "max_pool",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .optional_outputs = 0b10};
}

OpDef max_pool_grad_op() {
  return {.name = "max_pool_grad",
          .infer = infer_grad,
          .gradient = gradient_of_grad,
          .prepare = prepare_pool_grad,
          .run = run_grad,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

OpDef max_pool_take_op() {
  return {.name = "max_pool_take",
          .infer = infer_take,
          .gradient = gradient_of_take,
          .prepare = prepare,
          .run = run_take,
          .simplify = simplify_take};
}

}  // namespace pronghorn::ops
