// depthwise_conv(x, w) {strides, dilations, pads_low, pads_high}: x (batch, spatial..., channels),
// w (kernel..., channels, multiplier) -> (batch, spatial..., channels * multiplier);
// depthwise_conv_dx(dy, w) {.., input_spatial} and depthwise_conv_dw(x, dy) {.., kernel_spatial}
// are its gradients, and one another's.
#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/conv/geometry.h"
#include "pronghorn/ops/conv/rules.h"
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/tile/epilogue.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  WindowSizes sizes;
  int64_t multiplier = 1;
  int64_t out_channels = 0;
  int64_t taps = 0;
  std::vector<int32_t> source;  // empty for multiplier 1
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
  return widened(g, "depthwise_conv", inputs, attrs);
}
Value simplify_dx(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "depthwise_conv_dx", inputs, attrs);
}
Value simplify_dw(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, "depthwise_conv_dw", inputs, attrs);
}

Prepared prepare(const OpCall& call) {
  auto plan = make_plan(call.op.name, call.inputs[0].shape, call.inputs[1].shape, call.attrs);
  plan->epilogue = epilogue_plan(call);
  return {.plan = plan};
}

Prepared prepare_dx(const OpCall& call) {
  auto plan = make_plan(call.op.name, call.outputs[0].shape, call.inputs[1].shape, call.attrs);
  plan->epilogue = epilogue_plan(call);
  return {.plan = plan};
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

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t rows = plan.sizes.batch * volume(plan.sizes.windows.out);
  if (rows == 0 || plan.out_channels == 0) return;
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
    kernels().depthwise_dw_lines(plan.sizes.windows, plan.sources(), launch.input<float>(0),
                                 launch.input<float>(1), begin,
                                 std::min(plan.piece, plan.lines - begin), plan.out_channels, part);
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
