// conv(x, w) {strides, dilations, pads_low, pads_high, groups}: channels last, 1 to 3 spatial
// dimensions. The matrix of patches of x times w as a (taps * channels, out_channels) matrix, group
// by group.
#include <algorithm>
#include <optional>

#include "pronghorn/ops/conv/amx_conv.h"
#include "pronghorn/ops/conv/direct.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/ops/conv/winograd.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/tile/epilogue.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  Windows windows;
  std::shared_ptr<const AmxConvPlan> amx;  // else null
  std::optional<WinogradPlan> winograd;    // then `direct` for results that are not finite
  std::optional<DirectPlan> direct;        // else a matrix of patches
  GemmPlan gemm;
  std::shared_ptr<const TilePlan> epilogue;
  size_t own_result = 0;  // where the workspace has room for the result, if that is no output
};

std::vector<TensorType> infer(const OpCall& call) {
  if (call.payload == nullptr) expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  const ConvSizes sizes =
      conv_sizes("conv", call.inputs[0].shape, call.inputs[1].shape, call.attrs);
  return {{call.inputs[0].dtype, window_output(sizes, sizes.out_channels)}};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value x = call.inputs[0];
  const Value w = call.inputs[1];
  const Value dy = call.d_outputs[0];
  const Attrs& attrs = call.node.attrs;
  const Attrs dx_attrs = conv_attrs(attrs, "input_spatial", image_spatial(g.shape(x)));
  const Attrs dw_attrs = conv_attrs(attrs, "kernel_spatial", kernel_spatial(g.shape(w)));
  return {g.apply("conv_dx", {dy, w}, dx_attrs), g.apply("conv_dw", {x, dy}, dw_attrs)};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape w = g.shape(inputs[1]);
  const ConvSizes sizes = conv_sizes("conv", g.shape(inputs[0]), w, attrs);
  if (!is_pointwise(sizes)) {
    return suits_amx(sizes, false, g.dtype(inputs[0])) ? Value{}
                                                       : widened(g, "conv", inputs, attrs);
  }
  return g.apply("matmul",
                 {inputs[0], g.reshape(inputs[1], {sizes.in_channels, sizes.out_channels})});
}

Value scale_columns(Builder& g, const Node& node, Value factor) {
  const Value w = g.apply("multiply", {node.inputs[1], factor});
  return g.apply("conv", {node.inputs[0], w}, node.attrs);
}

Prepared prepare(const OpCall& call) {
  const ConvSizes sizes =
      conv_sizes("conv", call.inputs[0].shape, call.inputs[1].shape, call.attrs);
  GemmShape shape{.m = sizes.batch * volume(sizes.windows.out),
                  .n = sizes.group_out(),
                  .k = sizes.taps() * sizes.group_in(),
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
  if (suits_amx(sizes, false, call.inputs[0].dtype)) {
    plan->amx = plan_amx_conv(sizes, false, call.inputs[0].dtype);
    return {.plan = plan, .workspace = plan->amx->workspace};
  }
  if (suits_direct(sizes.windows) && shape.k > 0) {
    plan->direct = plan_direct(sizes.windows, sizes.batch, sizes.groups, sizes.group_out());
    plan->winograd = plan_winograd(sizes.windows, sizes.batch, sizes.groups, sizes.out_channels);
    const int64_t packed =
        std::max(plan->direct->packed, plan->winograd ? plan->winograd->packed : 0);
    plan->own_result = static_cast<size_t>(packed + 15) / 16 * 16 * sizeof(float);
  } else {
    plan->gemm = plan_gemm(shape);
    plan->own_result = plan->gemm.workspace;
  }
  return {.plan = plan, .workspace = plan->own_result + own_result_bytes(call)};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const TileEpilogue tiles{plan.epilogue.get(), launch.inputs + 2, launch.outputs};
  const Epilogue epilogue{plan.epilogue ? &TileEpilogue::apply : nullptr, &tiles};
  if (plan.amx != nullptr) {
    const bool replaced = plan.epilogue != nullptr && !plan.epilogue->epilogue.in_place;
    return run_amx_conv(*plan.amx, launch.inputs[0], launch.inputs[1],
                        replaced ? nullptr : launch.outputs[0], epilogue, launch.workspace);
  }
  float* y = epilogue_result(plan.epilogue.get(), launch, plan.own_result);
  if (plan.direct) {
    const float* x = launch.input<float>(0);
    const float* w = launch.input<float>(1);
    auto* packed = static_cast<float*>(launch.workspace);
    if (plan.winograd) {
      transform_weights(*plan.winograd, w, packed);
      // Repeated where the result is not finite: an epilogue that may overwrite what it reads
      // waits.
      const bool repeats = plan.epilogue == nullptr || plan.epilogue->is_repeatable();
      if (run_winograd(*plan.winograd, x, packed, y, repeats ? epilogue : Epilogue{})) {
        if (!repeats) TileEpilogue::apply_to_all(tiles, y);
        return;
      }
    }
    pack_weights(*plan.direct, w, packed);
    return run_direct(*plan.direct, x, packed, y, epilogue);
  }
  const PatchSource source{&plan.windows, launch.input<float>(0)};
  run_gemm(plan.gemm, {.b = launch.input<float>(1),
                       .c = y,
                       .fill_a = fill_patches,
                       .fill_context = &source,
                       .epilogue = epilogue,
                       .workspace = launch.workspace});
}

}  // namespace

OpDef conv_op() {
  return {.name = "conv",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify,
          .scale_columns = scale_columns,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
