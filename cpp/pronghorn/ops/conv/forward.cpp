#include "pronghorn/ops/conv/forward.h"

#include <algorithm>

#include "pronghorn/gemm/gemm.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/tile/epilogue.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn::ops {
namespace {

size_t whole_lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

struct Plan {
  ConvKernelPlan kernel;
  Windows windows;
  GemmPlan gemm;            // of kPatches
  bool has_packed = false;  // operand 2 is the packed kernel
  bool packs = false;       // into the workspace, from its start
  size_t rest = 0;          // of the workspace, where that ends
  size_t own_result = 0;    // where it has room for the result, if that is no output
  std::shared_ptr<const TilePlan> epilogue;

  int own_inputs() const { return has_packed ? 3 : 2; }
};

GemmShape patches_shape(const ConvSizes& sizes) {
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
  return shape;
}

}  // namespace

size_t ConvKernelPlan::packed_bytes() const {
  switch (form) {
    case ConvForm::kAmx: return amx.weights().packed_bytes();
    case ConvForm::kWinograd: return static_cast<size_t>(winograd->packed) * sizeof(float);
    case ConvForm::kDirect: return static_cast<size_t>(direct->packed) * sizeof(float);
    case ConvForm::kPatches: break;
  }
  return 0;
}

ConvKernelPlan plan_conv_kernel(const ConvSizes& sizes, DType dtype) {
  ConvKernelPlan plan;
  const Windows& w = sizes.windows;
  if (suits_amx(sizes, false, dtype)) {
    plan.form = ConvForm::kAmx;
    plan.amx = plan_amx(sizes, false, dtype);
  } else if (suits_direct(w) && sizes.taps() * sizes.group_in() > 0) {
    plan.form = ConvForm::kDirect;
    plan.direct = plan_direct(w, sizes.batch, sizes.groups, sizes.group_out());
    plan.winograd = plan_winograd(w, sizes.batch, sizes.groups, sizes.out_channels);
    if (plan.winograd) plan.form = ConvForm::kWinograd;
  }
  return plan;
}

void pack_conv_kernel(const ConvKernelPlan& plan, const void* w, void* packed) {
  const auto* const from = static_cast<const float*>(w);
  auto* const to = static_cast<float*>(packed);
  switch (plan.form) {
    case ConvForm::kAmx: return pack_amx_weights(plan.amx.weights(), w, packed);
    case ConvForm::kWinograd: return transform_weights(*plan.winograd, from, to);
    case ConvForm::kDirect: return pack_weights(*plan.direct, from, to);
    case ConvForm::kPatches: return;
  }
}

Prepared prepare_conv(const OpCall& call, bool has_packed) {
  const ConvSizes sizes =
      conv_sizes(call.op.name, call.inputs[0].shape, call.inputs[1].shape, call.attrs);
  auto plan = std::make_shared<Plan>();
  ConvKernelPlan& kernel = plan->kernel;
  kernel = plan_conv_kernel(sizes, call.inputs[0].dtype);
  plan->windows = sizes.windows;
  plan->epilogue = epilogue_plan(call);
  plan->has_packed = has_packed;
  // The float32 precision may have changed since it was packed, and the form with it.
  plan->packs = !has_packed || call.inputs[2].bytes() != kernel.packed_bytes();
  plan->rest = plan->packs ? whole_lines(kernel.packed_bytes()) : 0;
  size_t rest = 0;
  switch (kernel.form) {
    case ConvForm::kAmx: return {.plan = plan, .workspace = plan->rest + kernel.amx.workspace()};
    case ConvForm::kWinograd:
      rest = static_cast<size_t>(kernel.direct->packed) * sizeof(float);
      break;
    case ConvForm::kDirect: break;
    case ConvForm::kPatches:
      plan->gemm = plan_gemm(patches_shape(sizes));
      rest = plan->gemm.workspace;
      break;
  }
  plan->own_result = plan->rest + whole_lines(rest);
  return {.plan = plan, .workspace = plan->own_result + own_result_bytes(call)};
}

void run_conv(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const TileEpilogue tiles{plan.epilogue.get(), launch.inputs + plan.own_inputs(), launch.outputs};
  const Epilogue epilogue{plan.epilogue ? &TileEpilogue::apply : nullptr, &tiles};
  auto* const workspace = static_cast<char*>(launch.workspace);
  const void* const w = launch.inputs[1];
  if (plan.packs) pack_conv_kernel(plan.kernel, w, workspace);
  const void* const packed = plan.packs ? workspace : launch.inputs[2];
  if (plan.kernel.form == ConvForm::kAmx) {
    const bool replaced = plan.epilogue != nullptr && !plan.epilogue->epilogue.in_place;
    return run_amx(plan.kernel.amx, launch.inputs[0], w, packed,
                   replaced ? nullptr : launch.outputs[0], epilogue, workspace + plan.rest);
  }
  const auto* const x = launch.input<float>(0);
  float* const y = epilogue_result(plan.epilogue.get(), launch, plan.own_result);
  if (plan.kernel.form == ConvForm::kPatches) {
    const PatchSource source{&plan.windows, x};
    return run_gemm(plan.gemm, {.b = launch.input<float>(1),
                                .c = y,
                                .fill_a = fill_patches,
                                .fill_context = &source,
                                .epilogue = epilogue,
                                .workspace = workspace + plan.rest});
  }
  const auto* weights = static_cast<const float*>(packed);
  if (plan.kernel.form == ConvForm::kWinograd) {
    // Repeated where the result is not finite: an epilogue that may overwrite what it reads waits.
    const bool repeats = plan.epilogue == nullptr || plan.epilogue->is_repeatable();
    if (run_winograd(*plan.kernel.winograd, x, weights, y, repeats ? epilogue : Epilogue{})) {
      if (!repeats) TileEpilogue::apply_to_all(tiles, y);
      return;
    }
    auto* const again = reinterpret_cast<float*>(workspace + plan.rest);
    pack_weights(*plan.kernel.direct, launch.input<float>(1), again);
    weights = again;
  }
  run_direct(*plan.kernel.direct, x, weights, y, epilogue);
}

}  // namespace pronghorn::ops
