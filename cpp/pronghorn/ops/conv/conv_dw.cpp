// conv_dw(x, dy) {attributes of conv, kernel_spatial}: the gradient of conv with respect to its
// kernel. The transposed matrix of patches of x times dy as a (pixels, out_channels) matrix, group
// by group.
#include <algorithm>
#include <optional>

#include "pronghorn/ops/conv/amx_dw.h"
#include "pronghorn/ops/conv/direct.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/ops/conv/winograd.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/tile/epilogue.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  Windows windows;
  std::shared_ptr<const AmxDwPlan> amx;    // else null
  std::optional<WinogradDwPlan> winograd;  // then `direct` for results that are not finite
  std::optional<DirectDwPlan> direct;      // else a matrix of patches
  GemmPlan gemm;
  std::shared_ptr<const TilePlan> epilogue;
  size_t own_result = 0;  // where the workspace has room for the result, if that is no output
};

Shape kernel_shape(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const Shape& dy = call.inputs[1].shape;
  const int64_t groups = call.attrs.integer("groups", 1);
  Shape w(std::span<const int64_t>(call.attrs.integers("kernel_spatial")));
  if (x.rank() < 3 || dy.rank() != x.rank() || groups < 1) {
    value_error("conv_dw: expected x and dy of the same rank, 3 or more. Received: x.shape=", x,
                ", dy.shape=", dy, ".");
  }
  w.push_back(x.back() / groups);
  w.push_back(dy.back());
  return w;
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  const Shape w = kernel_shape(call);
  check_conv_output("conv_dw", conv_sizes("conv_dw", call.inputs[0].shape, w, call.attrs),
                    call.inputs[1].shape);
  return {{call.inputs[0].dtype, w}};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value x = call.inputs[0];
  const Value dy = call.inputs[1];
  const Value e = call.d_outputs[0];
  const Attrs& attrs = call.node.attrs;
  const Attrs dx_attrs = conv_attrs(attrs, "input_spatial", image_spatial(g.shape(x)));
  return {g.apply("conv_dx", {dy, e}, dx_attrs), g.apply("conv", {x, e}, conv_attrs(attrs))};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const TensorType types[] = {g.type(inputs[0]), g.type(inputs[1])};
  const Shape w = kernel_shape(OpCall{find_op("conv_dw"), types, {}, attrs, nullptr});
  const ConvSizes sizes = conv_sizes("conv_dw", types[0].shape, w, attrs);
  if (!is_pointwise(sizes)) {
    return suits_amx_dw(sizes, types[0].dtype) ? Value{} : widened(g, "conv_dw", inputs, attrs);
  }
  const int64_t pixels = sizes.batch * volume(sizes.windows.out);
  const Value product = g.apply("matmul",
                                {g.reshape(inputs[0], {pixels, sizes.in_channels}),
                                 g.reshape(inputs[1], {pixels, sizes.out_channels})},
                                {{"transpose_a", int64_t{1}}, {"transpose_b", int64_t{0}}});
  return g.reshape(product, w);
}

Prepared prepare(const OpCall& call) {
  const ConvSizes sizes =
      conv_sizes("conv_dw", call.inputs[0].shape, own_result(call).shape, call.attrs);
  GemmShape shape{.m = sizes.taps() * sizes.group_in(),
                  .n = sizes.group_out(),
                  .k = sizes.batch * volume(sizes.windows.out),
                  .transpose_a = true,
                  .b_stride = sizes.out_channels,
                  .c_stride = sizes.out_channels,
                  .fills_a = true};
  shape.batch.clear();
  for (int64_t group = 0; group < sizes.groups; ++group) {
    const int64_t column = group * sizes.group_out();
    shape.batch.push_back({.a = 0, .b = column, .c = column, .row = 0, .col = column});
  }
  auto plan = std::make_shared<Plan>();
  plan->windows = sizes.windows;
  plan->epilogue = epilogue_plan(call);
  if (suits_amx_dw(sizes, call.inputs[0].dtype)) {
    plan->amx = plan_amx_dw(sizes, call.inputs[0].dtype);
    plan->own_result = (plan->amx->workspace + 63) / 64 * 64;
  } else if (suits_direct(sizes.windows) && shape.m > 0 && shape.n > 0 && shape.k > 0) {
    plan->direct = plan_direct_dw(sizes.windows, sizes.batch, sizes.groups, sizes.group_out());
    plan->winograd = plan_winograd_dw(sizes.windows, sizes.batch, sizes.groups, sizes.out_channels);
    const size_t workspace =
        std::max(plan->direct->workspace, plan->winograd ? plan->winograd->workspace : 0);
    plan->own_result = (workspace + 63) / 64 * 64;
  } else {
    plan->gemm = plan_gemm(shape);
    plan->own_result = plan->gemm.workspace;
  }
  return {.plan = plan, .workspace = plan->own_result + own_result_bytes(call)};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const TileEpilogue epilogue{plan.epilogue.get(), launch.inputs + 2, launch.outputs};
  float* dw = epilogue_result(plan.epilogue.get(), launch, plan.own_result);
  if (plan.amx != nullptr) {
    const bool half = plan.amx->parts == 1 && plan.epilogue == nullptr;
    run_amx_dw(*plan.amx, launch.inputs[0], launch.inputs[1], dw, half, launch.workspace);
    if (plan.epilogue) TileEpilogue::apply_to_all(epilogue, dw);
    return;
  }
  if (plan.direct) {
    const float* x = launch.input<float>(0);
    const float* dy = launch.input<float>(1);
    if (!plan.winograd || !run_winograd_dw(*plan.winograd, x, dy, dw, launch.workspace))
      run_direct_dw(*plan.direct, x, dy, dw, launch.workspace);
    if (plan.epilogue) TileEpilogue::apply_to_all(epilogue, dw);
    return;
  }
  const PatchSource source{&plan.windows, launch.input<float>(0)};
  run_gemm(plan.gemm, {.b = launch.input<float>(1),
                       .c = dw,
                       .fill_a = fill_patches,
                       .fill_context = &source,
                       .epilogue = {plan.epilogue ? &TileEpilogue::apply : nullptr, &epilogue},
                       .workspace = launch.workspace});
}

}  // namespace

OpDef conv_dw_op() {
  return {.name = "conv_dw",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
