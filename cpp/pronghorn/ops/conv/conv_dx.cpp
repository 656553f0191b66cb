// conv_dx(dy, w) {attributes of conv, input_spatial}: the gradient of conv with respect to x; also
// the transposed convolution. An input pixel receives from the windows that cover it: for those at
// one offset modulo the stride (a "phase") these are windows of stride 1 over dy, so each phase is
// a convolution of dy with some taps of the kernel, in reverse order and transposed. Where that
// means much work at borders, columns.h does it.
#include <algorithm>
#include <cmath>
#include <optional>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/conv/amx_form.h"
#include "pronghorn/ops/conv/columns.h"
#include "pronghorn/ops/conv/direct.h"
#include "pronghorn/ops/conv/phases.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/ops/conv/winograd.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/tile/epilogue.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn::ops {
namespace {

struct Phase {
  Axis axis[3];
  Windows windows;                       // over dy
  std::optional<WinogradPlan> winograd;  // then `direct` for results that are not finite
  std::optional<DirectPlan> direct;  // writes to dx where its pixels lie; else a matrix of patches
  GemmPlan gemm;
  int64_t weights;  // where its weights start in the workspace, in floats
  int64_t first;    // offset of its first pixel in dx
};

struct Plan {
  ConvSizes sizes;
  std::vector<Phase> phases;
  int64_t result = 0;  // workspace, in floats: rows of a phase before they are scattered
  int64_t gemm_workspace = 0;
  bool covers = true;       // every input pixel belongs to a phase
  bool by_columns = false;  // with `columns` instead of phases
  ColumnsPlan columns;
  std::optional<AmxForm> amx;  // in that form
  size_t packed = 0;           // bytes of its weights in the workspace
  std::shared_ptr<const TilePlan> epilogue;
  size_t own_result = 0;  // where the workspace has room for dx, if that is no output

  bool scatters() const { return phases.size() != 1 || !covers; }
};

Shape input_shape(const OpCall& call) {
  const Shape& dy = call.inputs[0].shape;
  const Shape& w = call.inputs[1].shape;
  Shape x{dy.rank() > 0 ? dy[0] : 0};
  for (const int64_t size : call.attrs.integers("input_spatial")) x.push_back(size);
  if (w.rank() < 3 || dy.rank() != w.rank()) {
    value_error("conv_dx: expected dy and w of the same rank, 3 or more. Received: dy.shape=", dy,
                ", w.shape=", w, ".");
  }
  x.push_back(w[w.rank() - 2] * call.attrs.integer("groups", 1));
  return x;
}

std::vector<TensorType> infer(const OpCall& call) {
  if (call.payload == nullptr) expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  const Shape x = input_shape(call);
  check_conv_output("conv_dx", conv_sizes("conv_dx", x, call.inputs[1].shape, call.attrs),
                    call.inputs[0].shape);
  return {{call.inputs[0].dtype, x}};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value dy = call.inputs[0];
  const Value w = call.inputs[1];
  const Value e = call.d_outputs[0];
  const Attrs& attrs = call.node.attrs;
  const Attrs dw_attrs = conv_attrs(attrs, "kernel_spatial", kernel_spatial(g.shape(w)));
  return {g.apply("conv", {e, w}, conv_attrs(attrs)), g.apply("conv_dw", {e, dy}, dw_attrs)};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const TensorType types[] = {g.type(inputs[0]), g.type(inputs[1])};
  const Shape x = input_shape(OpCall{find_op("conv_dx"), types, {}, attrs, nullptr});
  const ConvSizes sizes = conv_sizes("conv_dx", x, types[1].shape, attrs);
  if (!is_pointwise(sizes)) {
    return suits_amx(sizes, true, types[0].dtype) ? Value{} : widened(g, "conv_dx", inputs, attrs);
  }
  return g.apply("matmul",
                 {inputs[0], g.reshape(inputs[1], {sizes.in_channels, sizes.out_channels})},
                 {{"transpose_a", int64_t{0}}, {"transpose_b", int64_t{1}}});
}

Prepared prepare(const OpCall& call) {
  auto plan = std::make_shared<Plan>();
  plan->sizes = conv_sizes("conv_dx", own_result(call).shape, call.inputs[1].shape, call.attrs);
  plan->epilogue = epilogue_plan(call);
  const ConvSizes& sizes = plan->sizes;
  if (suits_amx(sizes, true, call.inputs[0].dtype)) {
    plan->amx = plan_amx(sizes, true, call.inputs[0].dtype);
    plan->packed = (plan->amx->weights().packed_bytes() + 63) / 64 * 64;
    return {.plan = plan, .workspace = plan->packed + plan->amx->workspace()};
  }
  const Windows& w = sizes.windows;
  int64_t weights = 0;
  int64_t longest = 0;
  int64_t cost = 0;
  size_t gemm_workspace = 0;
  for (int64_t p0 = 0; p0 < std::min(w.stride[0], w.in[0]); ++p0) {
    for (int64_t p1 = 0; p1 < std::min(w.stride[1], w.in[1]); ++p1) {
      for (int64_t p2 = 0; p2 < std::min(w.stride[2], w.in[2]); ++p2) {
        Phase phase{.axis = {axis_of(w, 0, p0), axis_of(w, 1, p1), axis_of(w, 2, p2)}};
        int64_t taps = 1;
        int64_t pixels = 1;
        Windows& over = phase.windows;
        for (int d = 0; d < 3; ++d) {
          const Axis& axis = phase.axis[d];
          taps *= axis.count;
          pixels *= axis.pixels;
          over.out[d] = axis.pixels;
          over.in[d] = w.out[d];
          over.kernel[d] = axis.count;
          over.stride[d] = 1;
          over.dilation[d] = axis.dilation;
          over.pad[d] = axis.pad;
        }
        over.channels = sizes.group_out();
        over.pixel = sizes.out_channels;
        if (taps == 0) {
          plan->covers = false;
          continue;
        }
        phase.weights = weights;
        phase.first = ((p0 * w.in[1] + p1) * w.in[2] + p2) * sizes.in_channels;
        if (suits_direct(over) && sizes.batch * pixels * sizes.group_out() > 0) {
          DirectPlan& direct =
              phase.direct.emplace(plan_direct(over, sizes.batch, sizes.groups, sizes.group_in()));
          direct.y_pixel = w.stride[2] * sizes.in_channels;
          direct.y_line = w.stride[1] * w.in[2] * sizes.in_channels;
          direct.y_plane = w.stride[0] * w.in[1] * w.in[2] * sizes.in_channels;
          direct.y_image = volume(w.in) * sizes.in_channels;
          int64_t packed = direct.packed;
          if (volume(w.stride) == 1)
            phase.winograd = plan_winograd(over, sizes.batch, sizes.groups, sizes.in_channels);
          if (phase.winograd) packed = std::max(packed, phase.winograd->packed);
          weights += packed;
          cost += phase.winograd ? phase.winograd->cost * 3 / 2 : direct.cost;
          plan->phases.push_back(phase);
          continue;
        }
        GemmShape shape{.m = sizes.batch * pixels,
                        .n = sizes.group_in(),
                        .k = taps * sizes.group_out(),
                        .b_stride = sizes.group_in(),
                        .c_stride = sizes.in_channels,
                        .fills_a = true};
        shape.batch.clear();
        for (int64_t group = 0; group < sizes.groups; ++group) {
          const int64_t column = group * sizes.group_in();
          shape.batch.push_back(
              {.a = 0, .b = group * shape.k * shape.n, .c = column, .row = 0, .col = column});
        }
        weights += (taps * sizes.group_out() * sizes.in_channels + 15) / 16 * 16;
        cost += 2 * shape.m * shape.k * sizes.in_channels;
        phase.gemm = plan_gemm(shape);
        longest = std::max(longest, shape.m * sizes.in_channels);
        gemm_workspace = std::max(gemm_workspace, phase.gemm.workspace);
        plan->phases.push_back(phase);
      }
    }
  }
  // Images are what runs in parallel there.
  const bool parallel = sizes.batch >= 4 || columns_cost(sizes) < 4 * kParallelGrain;
  // What the two forms take, measured: few input channels fill the vectors of a phase's results
  // badly, few output channels make the sums of a patch short.
  const double ic = static_cast<double>(std::max<int64_t>(sizes.group_in(), 1));
  const double by_phases = static_cast<double>(cost) * (std::ceil(ic / 16.0) * 16.0 / ic);
  const double by_columns =
      1.2 * static_cast<double>(columns_cost(sizes)) *
      (1.0 + 8.0 / static_cast<double>(std::max<int64_t>(sizes.group_out(), 1)));
  if (parallel && by_phases > by_columns) {
    plan->by_columns = true;
    plan->columns = plan_columns(sizes);
    plan->own_result = static_cast<size_t>(plan->columns.weights + 15) / 16 * 16 * sizeof(float);
    return {.plan = plan, .workspace = plan->own_result + own_result_bytes(call)};
  }
  plan->result = (weights + 15) / 16 * 16;
  plan->gemm_workspace = plan->result + (plan->scatters() ? (longest + 15) / 16 * 16 : 0);
  plan->own_result =
      static_cast<size_t>(plan->gemm_workspace) * sizeof(float) + (gemm_workspace + 63) / 64 * 64;
  return {.plan = plan, .workspace = plan->own_result + own_result_bytes(call)};
}

// out[group][panel][tap][oc][ic of the panel] = w[kernel pixel of the tap][ic][group's oc]
void transpose_weights(const Plan& plan, const Phase& phase, const float* w, float* out) {
  const ConvSizes& sizes = plan.sizes;
  const int64_t (&kernel)[3] = sizes.windows.kernel;
  const int64_t (&count)[3] = phase.windows.kernel;
  const int64_t taps = volume(count);
  const int64_t ic = sizes.group_in();
  const int64_t oc = sizes.group_out();
  const int64_t width = phase.direct ? kPatchPanel : ic;
  const int64_t panels = (ic + width - 1) / width;
  parallel_for(sizes.groups * panels * taps, width * oc * 4, [&](int64_t i) {
    const int64_t tap = i % taps;
    const int64_t col = i / taps % panels * width;
    const int64_t group = i / taps / panels;
    const int64_t t[3] = {tap / (count[1] * count[2]), tap / count[2] % count[1], tap % count[2]};
    int64_t pixel = 0;
    for (int d = 0; d < 3; ++d)
      pixel = pixel * kernel[d] + phase.axis[d].tap - t[d] * phase.axis[d].step;
    kernels().transpose_matrix(w + (pixel * ic + col) * sizes.out_channels + group * oc,
                               sizes.out_channels, std::min(width, ic - col), oc,
                               out + i * oc * width, width);
  });
}

// Rows of a phase's result go to their pixels of dx.
void scatter_phase(const Plan& plan, const Phase& phase, const float* rows, float* dx) {
  const Windows& w = plan.sizes.windows;
  const int64_t channels = plan.sizes.in_channels;
  const Axis(&axis)[3] = phase.axis;
  const int64_t lines = plan.sizes.batch * axis[0].pixels * axis[1].pixels;
  parallel_for(lines, axis[2].pixels * channels, [&](int64_t line) {
    const int64_t i1 = axis[1].first + line % axis[1].pixels * w.stride[1];
    const int64_t i0 = axis[0].first + line / axis[1].pixels % axis[0].pixels * w.stride[0];
    const int64_t image = line / (axis[0].pixels * axis[1].pixels);
    float* to = dx + (((image * w.in[0] + i0) * w.in[1] + i1) * w.in[2] + axis[2].first) * channels;
    kernels().copy_rows(rows + line * axis[2].pixels * channels, channels, axis[2].pixels, channels,
                        to, w.stride[2] * channels);
  });
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const float* w = launch.input<float>(1);
  float* workspace = static_cast<float*>(launch.workspace);
  const TileEpilogue tiles{plan.epilogue.get(), launch.inputs + 2, launch.outputs};
  const Epilogue epilogue{plan.epilogue ? &TileEpilogue::apply : nullptr, &tiles};
  if (plan.amx) {
    const bool replaced = plan.epilogue != nullptr && !plan.epilogue->epilogue.in_place;
    auto* const packed = static_cast<char*>(launch.workspace);
    pack_amx_weights(plan.amx->weights(), launch.inputs[1], packed);
    return run_amx(*plan.amx, launch.inputs[0], launch.inputs[1], packed,
                   replaced ? nullptr : launch.outputs[0], epilogue, packed + plan.packed);
  }
  float* dx = epilogue_result(plan.epilogue.get(), launch, plan.own_result);
  if (plan.by_columns)
    return run_columns(plan.columns, launch.input<float>(0), w, dx, epilogue, workspace);
  const int64_t pixels = plan.sizes.batch * volume(plan.sizes.windows.in);
  const int64_t channels = plan.sizes.in_channels;
  if (!plan.covers) std::fill_n(dx, pixels * channels, 0.0f);
  for (const Phase& phase : plan.phases) {
    if (phase.winograd) {
      transform_transposed(*phase.winograd, w, workspace + phase.weights);
      // Repeated where the result is not finite: an epilogue that may overwrite what it reads
      // waits.
      const bool repeats = plan.epilogue == nullptr || plan.epilogue->is_repeatable();
      if (run_winograd(*phase.winograd, launch.input<float>(0), workspace + phase.weights, dx,
                       repeats ? epilogue : Epilogue{})) {
        if (!repeats) TileEpilogue::apply_to_all(tiles, dx);
        continue;
      }
    }
    transpose_weights(plan, phase, w, workspace + phase.weights);
    if (phase.direct) {
      run_direct(*phase.direct, launch.input<float>(0), workspace + phase.weights, dx + phase.first,
                 plan.scatters() ? Epilogue{} : epilogue);
      continue;
    }
    const PatchSource source{&phase.windows, launch.input<float>(0)};
    float* result = plan.scatters() ? workspace + plan.result : dx;
    run_gemm(phase.gemm, {.b = workspace + phase.weights,
                          .c = result,
                          .fill_a = fill_patches,
                          .fill_context = &source,
                          .epilogue = plan.scatters() ? Epilogue{} : epilogue,
                          .workspace = workspace + plan.gemm_workspace});
    if (plan.scatters()) scatter_phase(plan, phase, result, dx);
  }
  if (plan.scatters() && epilogue.apply != nullptr && channels > 0) {
    const int64_t piece = std::max<int64_t>(1, 8192 / channels);
    parallel_ranges(pixels, piece, channels * 4, [&](int64_t begin, int64_t end) {
      epilogue.apply(epilogue.context, dx + begin * channels, begin, end - begin, 0, channels,
                     channels);
    });
  }
}

}  // namespace

OpDef conv_dx_op() {
  return {.name = "conv_dx",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify,
          .takes_epilogue = true,
          .epilogue_has_outputs = true};
}

}  // namespace pronghorn::ops
