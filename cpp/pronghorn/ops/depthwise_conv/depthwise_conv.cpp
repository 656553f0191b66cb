// depthwise_conv(x, w) {strides, dilations, pads_low, pads_high}: x (batch, spatial..., channels),
// w (kernel..., channels, multiplier) -> (batch, spatial..., channels * multiplier);
// depthwise_conv_dx(dy, w) {.., input_spatial} and depthwise_conv_dw(x, dy) {.., kernel_spatial}
// are its gradients, and one another's.
#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/conv/phases.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/tile/epilogue.h"

namespace pronghorn::ops {
namespace {

// Lines of windows over an image, each with one result a channel.
struct Lines {
  Windows windows;
  Axis axis[3];  // of the gradient of the image
  DepthwiseOutput at;
  int64_t first = 0;    // of its results
  int64_t weights = 0;  // where its weights start in the workspace
};

struct Plan {
  WindowSizes sizes;
  int64_t multiplier = 1;
  int64_t out_channels = 0;
  int64_t taps = 0;
  std::vector<int32_t> source;  // empty for multiplier 1
  std::vector<Lines> phases;    // multiplier 1: one forward, those of the gradient of the image
  int64_t blocks = 0;           // of lines of an image, for each phase
  int64_t lines = 0;            // depthwise_conv_dw: of the row grid
  int64_t piece = 0;            // lines of one partial sum
  int64_t pieces = 0;
  std::shared_ptr<const TilePlan> epilogue;

  const int32_t* sources() const { return source.empty() ? nullptr : source.data(); }
};

WindowSizes sizes_of(std::string_view op, const Shape& x, const Shape& w, const Attrs& attrs) {
  if (x.rank() != w.rank() || x.rank() < 3 || w[w.rank() - 2] != x.back()) {
    value_error(op,
                ": expected x (batch, spatial..., channels) and w (kernel..., channels, "
                "multiplier) of the same rank. ",
                "Received: x.shape=", x, ", w.shape=", w, ".");
  }
  return window_sizes({op, x, std::vector<int64_t>(w.begin(), w.end() - 2), attrs});
}

std::shared_ptr<Plan> make_plan(std::string_view op, const Shape& x, const Shape& w,
                                const Attrs& attrs) {
  auto plan = std::make_shared<Plan>();
  plan->sizes = sizes_of(op, x, w, attrs);
  plan->multiplier = w.back();
  plan->out_channels = x.back() * w.back();
  plan->taps = volume(plan->sizes.windows.kernel);
  if (plan->multiplier != 1) {
    for (int64_t j = 0; j < plan->out_channels; ++j)
      plan->source.push_back(static_cast<int32_t>(j / plan->multiplier));
  }
  return plan;
}

void check_output(std::string_view op, const WindowSizes& sizes, int64_t channels,
                  const Shape& dy) {
  const Shape expected = window_output(sizes, channels);
  if (dy != expected)
    value_error(op, ": expected dy.shape=", expected, ". Received: dy.shape=", dy, ".");
}

// The shape of x for depthwise_conv_dx, of w for depthwise_conv_dw.
Shape input_shape(const OpCall& call) {
  const Shape& dy = call.inputs[0].shape;
  const Shape& w = call.inputs[1].shape;
  if (w.rank() < 3 || dy.rank() != w.rank()) {
    value_error(call.op.name,
                ": expected dy and w of the same rank, 3 or more. Received: dy.shape=", dy,
                ", w.shape=", w, ".");
  }
  Shape x{dy[0]};
  for (const int64_t size : call.attrs.integers("input_spatial")) x.push_back(size);
  x.push_back(w[w.rank() - 2]);
  return x;
}

Shape kernel_shape(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const Shape& dy = call.inputs[1].shape;
  if (x.rank() < 3 || dy.rank() != x.rank() || x.back() == 0 || dy.back() % x.back() != 0) {
    value_error(
        call.op.name,
        ": expected x (.., channels) and dy (.., channels * multiplier). Received: x.shape=", x,
        ", dy.shape=", dy, ".");
  }
  Shape w(std::span<const int64_t>(call.attrs.integers("kernel_spatial")));
  w.push_back(x.back());
  w.push_back(dy.back() / x.back());
  return w;
}

void check_operands(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
}

std::vector<TensorType> infer(const OpCall& call) {
  check_operands(call);
  const Shape& w = call.inputs[1].shape;
  const WindowSizes sizes = sizes_of(call.op.name, call.inputs[0].shape, w, call.attrs);
  return {{call.inputs[0].dtype, window_output(sizes, w[w.rank() - 2] * w.back())}};
}

std::vector<TensorType> infer_dx(const OpCall& call) {
  check_operands(call);
  const Shape x = input_shape(call);
  const Shape& w = call.inputs[1].shape;
  check_output(call.op.name, sizes_of(call.op.name, x, w, call.attrs), x.back() * w.back(),
               call.inputs[0].shape);
  return {{call.inputs[0].dtype, x}};
}

std::vector<TensorType> infer_dw(const OpCall& call) {
  check_operands(call);
  const Shape w = kernel_shape(call);
  const Shape& dy = call.inputs[1].shape;
  check_output(call.op.name, sizes_of(call.op.name, call.inputs[0].shape, w, call.attrs), dy.back(),
               dy);
  return {{call.inputs[0].dtype, w}};
}

Attrs with_input(const GradientCall& call, Value x) {
  return conv_attrs(call.node.attrs, "input_spatial", image_spatial(call.g.shape(x)));
}
Attrs with_kernel(const GradientCall& call, Value w) {
  return conv_attrs(call.node.attrs, "kernel_spatial", kernel_spatial(call.g.shape(w)));
}

std::vector<Value> gradient(const GradientCall& call) {
  const Value x = call.inputs[0];
  const Value w = call.inputs[1];
  const Value dy = call.d_outputs[0];
  return {call.g.apply("depthwise_conv_dx", {dy, w}, with_input(call, x)),
          call.g.apply("depthwise_conv_dw", {x, dy}, with_kernel(call, w))};
}

std::vector<Value> gradient_dx(const GradientCall& call) {
  const Value dy = call.inputs[0];
  const Value w = call.inputs[1];
  const Value e = call.d_outputs[0];
  return {call.g.apply("depthwise_conv", {e, w}, conv_attrs(call.node.attrs)),
          call.g.apply("depthwise_conv_dw", {e, dy}, with_kernel(call, w))};
}

std::vector<Value> gradient_dw(const GradientCall& call) {
  const Value x = call.inputs[0];
  const Value dy = call.inputs[1];
  const Value e = call.d_outputs[0];
  return {call.g.apply("depthwise_conv_dx", {dy, e}, with_input(call, x)),
          call.g.apply("depthwise_conv", {x, e}, conv_attrs(call.node.attrs))};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  if (const Value whole = without_frame(g, "depthwise_conv", inputs, attrs)) return whole;
  return widened(g, "depthwise_conv", inputs, attrs);
}
Value simplify_dx(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "depthwise_conv_dx", inputs, attrs);
}
Value simplify_dw(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "depthwise_conv_dw", inputs, attrs);
}

// Blocks of at least a quarter million operations.
int64_t image_blocks(const Plan& plan) {
  const Windows& w = plan.sizes.windows;
  const int64_t cost = 2 * volume(w.out) * plan.taps * plan.out_channels;
  return std::clamp<int64_t>(cost >> 18, 1, std::max<int64_t>(w.out[0] * w.out[1], 1));
}

DepthwiseOutput contiguous(const int64_t (&size)[3], int64_t channels) {
  return {size[0] * size[1] * size[2] * channels, size[1] * size[2] * channels, size[2] * channels,
          channels};
}

Value scale_columns(Builder& g, const Node& node, Value factor) {
  const Shape w = g.shape(node.inputs[1]);
  const Value f = g.reshape(factor, Shape{w[w.rank() - 2], w.back()});
  return g.apply("depthwise_conv", {node.inputs[0], g.apply("multiply", {node.inputs[1], f})},
                 node.attrs);
}

Prepared prepare(const OpCall& call) {
  auto plan = make_plan(call.op.name, call.inputs[0].shape, call.inputs[1].shape, call.attrs);
  plan->epilogue = epilogue_plan(call);
  if (plan->multiplier == 1) {
    Lines& lines = plan->phases.emplace_back();
    lines.windows = plan->sizes.windows;
    lines.at = contiguous(lines.windows.out, plan->out_channels);
    plan->blocks = image_blocks(*plan);
  }
  return {.plan = plan};
}

Prepared prepare_dx(const OpCall& call) {
  auto plan = make_plan(call.op.name, call.outputs[0].shape, call.inputs[1].shape, call.attrs);
  plan->epilogue = epilogue_plan(call);
  if (plan->multiplier != 1) return {.plan = plan};
  const Windows& w = plan->sizes.windows;
  const int64_t channels = plan->out_channels;
  int64_t weights = 0;
  for (int64_t p0 = 0; p0 < std::min(w.stride[0], w.in[0]); ++p0) {
    for (int64_t p1 = 0; p1 < std::min(w.stride[1], w.in[1]); ++p1) {
      for (int64_t p2 = 0; p2 < std::min(w.stride[2], w.in[2]); ++p2) {
        Lines lines{.windows = w,
                    .axis = {axis_of(w, 0, p0), axis_of(w, 1, p1), axis_of(w, 2, p2)}};
        lines.at = contiguous(w.in, channels);
        lines.first = p0 * lines.at.plane + p1 * lines.at.line + p2 * lines.at.pixel;
        lines.at.plane *= w.stride[0];
        lines.at.line *= w.stride[1];
        lines.at.pixel *= w.stride[2];
        for (int d = 0; d < 3; ++d) {
          const Axis& axis = lines.axis[d];
          lines.windows.out[d] = axis.pixels;
          lines.windows.in[d] = w.out[d];
          lines.windows.kernel[d] = axis.count;
          lines.windows.stride[d] = 1;
          lines.windows.dilation[d] = axis.dilation;
          lines.windows.pad[d] = axis.pad;
        }
        lines.weights = weights;
        weights += volume(lines.windows.kernel) * channels;
        plan->phases.push_back(lines);
      }
    }
  }
  plan->blocks = image_blocks(*plan);
  return {.plan = plan, .workspace = static_cast<size_t>(weights) * sizeof(float)};
}

// Applies the epilogue to pixels [begin, end) of a result with that many channels.
void finish(const Plan& plan, const Launch& launch, int64_t begin, int64_t end, int64_t channels) {
  if (plan.epilogue == nullptr) return;
  const TileEpilogue epilogue{plan.epilogue.get(), launch.inputs + 2};
  TileEpilogue::apply(&epilogue, launch.output<float>(0) + begin * channels, begin, end - begin, 0,
                      channels, channels);
}

Prepared prepare_dw(const OpCall& call) {
  const auto plan =
      make_plan(call.op.name, call.inputs[0].shape, call.outputs[0].shape, call.attrs);
  const Windows& w = plan->sizes.windows;
  plan->lines = plan->sizes.batch * w.out[0] * w.out[1];
  // Partial sums of at least a quarter million operations, at most 32.
  const int64_t line_cost = std::max<int64_t>(2 * w.out[2] * plan->taps * plan->out_channels, 1);
  plan->piece = std::max<int64_t>({1, (1 << 18) / line_cost, (plan->lines + 31) / 32});
  plan->pieces = (plan->lines + plan->piece - 1) / plan->piece;
  const size_t floats = static_cast<size_t>(plan->pieces * plan->taps * plan->out_channels);
  return {.plan = plan, .workspace = floats * sizeof(float)};
}

// Each piece takes the same part of an image in all phases. weights: null for those in the
// workspace.
void run_lines(const Plan& plan, const Launch& launch, const float* weights, float* y) {
  const int64_t channels = plan.out_channels;
  const int64_t cost = 2 * volume(plan.sizes.windows.out) * plan.taps * channels / plan.blocks;
  const float* packed = static_cast<const float*>(launch.workspace);
  parallel_for(plan.sizes.batch * plan.blocks, std::max<int64_t>(cost, 1), [&](int64_t i) {
    const int64_t image = i / plan.blocks;
    const int64_t block = i % plan.blocks;
    for (const Lines& phase : plan.phases) {
      const Windows& w = phase.windows;
      const int64_t lines = w.out[0] * w.out[1];
      const int64_t begin = lines * block / plan.blocks;
      const int64_t end = lines * (block + 1) / plan.blocks;
      kernels().depthwise_lines(w, launch.input<float>(0),
                                weights != nullptr ? weights : packed + phase.weights,
                                image * lines + begin, end - begin, phase.at, y + phase.first);
      if (plan.phases.size() == 1)
        finish(plan, launch, (image * lines + begin) * w.out[2], (image * lines + end) * w.out[2],
               channels);
    }
  });
}

// Weights of a phase: its taps in reverse order.
void pack_phase(const Plan& plan, const Lines& phase, const float* w, float* packed) {
  const int64_t (&kernel)[3] = plan.sizes.windows.kernel;
  const int64_t (&count)[3] = phase.windows.kernel;
  const int64_t channels = plan.out_channels;
  for (int64_t tap = 0; tap < volume(count); ++tap) {
    const int64_t t[3] = {tap / (count[1] * count[2]), tap / count[2] % count[1], tap % count[2]};
    int64_t from = 0;
    for (int d = 0; d < 3; ++d)
      from = from * kernel[d] + phase.axis[d].tap - t[d] * phase.axis[d].step;
    std::copy_n(w + from * channels, channels, packed + tap * channels);
  }
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t rows = plan.sizes.batch * volume(plan.sizes.windows.out);
  if (rows == 0 || plan.out_channels == 0) return;
  if (plan.multiplier == 1)
    return run_lines(plan, launch, launch.input<float>(1), launch.output<float>(0));
  const int64_t cost = 2 * plan.taps * plan.out_channels;
  parallel_ranges(
      rows, std::max<int64_t>(1, (1 << 18) / cost), cost, [&](int64_t begin, int64_t end) {
        kernels().depthwise_pixels(plan.sizes.windows, plan.sources(), launch.input<float>(0),
                                   launch.input<float>(1), begin, end - begin, plan.out_channels,
                                   launch.output<float>(0));
        finish(plan, launch, begin, end, plan.out_channels);
      });
}

void run_dx(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t rows = plan.sizes.batch * volume(plan.sizes.windows.in);
  if (rows == 0 || plan.out_channels == 0) return;
  if (plan.multiplier == 1) {
    for (const Lines& phase : plan.phases)
      pack_phase(plan, phase, launch.input<float>(1),
                 static_cast<float*>(launch.workspace) + phase.weights);
    run_lines(plan, launch, nullptr, launch.output<float>(0));
    if (plan.phases.size() > 1 && plan.epilogue != nullptr) {
      parallel_ranges(
          rows, std::max<int64_t>(1, 8192 / plan.out_channels), plan.out_channels * 4,
          [&](int64_t begin, int64_t end) { finish(plan, launch, begin, end, plan.out_channels); });
    }
    return;
  }
  const int64_t cost = 2 * plan.taps * plan.out_channels;
  parallel_ranges(rows, std::max<int64_t>(1, (1 << 18) / cost), cost,
                  [&](int64_t begin, int64_t end) {
                    kernels().depthwise_dx_pixels(plan.sizes.windows, launch.input<float>(0),
                                                  launch.input<float>(1), begin, end - begin,
                                                  plan.multiplier, launch.output<float>(0));
                    finish(plan, launch, begin, end, plan.sizes.windows.channels);
                  });
}

void run_dw(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t size = plan.taps * plan.out_channels;
  float* parts = static_cast<float*>(launch.workspace);
  const int64_t line_cost = 2 * plan.sizes.windows.out[2] * size;
  parallel_for(plan.pieces, plan.piece * line_cost, [&](int64_t i) {
    const int64_t begin = i * plan.piece;
    float* part = parts + i * size;
    std::fill_n(part, size, 0.0f);
    const int64_t lines = std::min(plan.piece, plan.lines - begin);
    if (plan.multiplier == 1) {
      kernels().depthwise_dw_inner(plan.sizes.windows, launch.input<float>(0),
                                   launch.input<float>(1), begin, lines, part);
      return;
    }
    kernels().depthwise_dw_lines(plan.sizes.windows, plan.sources(), launch.input<float>(0),
                                 launch.input<float>(1), begin, lines, plan.out_channels, part);
  });
  kernels().add_partial_sums(parts, plan.pieces, size, size, launch.output<float>(0), false);
}

}  // namespace

OpDef depthwise_conv_op() {
  return {.name = "depthwise_conv",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify,
          .scale_columns = scale_columns,
          .takes_epilogue = true};
}

OpDef depthwise_conv_dx_op() {
  return {.name = "depthwise_conv_dx",
          .infer = infer_dx,
          .gradient = gradient_dx,
          .prepare = prepare_dx,
          .run = run_dx,
          .simplify = simplify_dx,
          .takes_epilogue = true};
}

OpDef depthwise_conv_dw_op() {
  return {.name = "depthwise_conv_dw",
          .infer = infer_dw,
          .gradient = gradient_dw,
          .prepare = prepare_dw,
          .run = run_dw,
          .simplify = simplify_dw};
}

}  // namespace pronghorn::ops
