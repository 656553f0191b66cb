// Transforms of real numbers, as two tensors of n / 2 + 1 bins. The first bin, and for even n the
// last one, have the weight `edge`, the others `inner`; the transform and its adjoint have the same
// weights.
//   rfft(x (..., m)) {length, edge, inner} -> (re, im) (..., length / 2 + 1): of the first `length`
//     numbers, or of those there are and zeros.
//   irfft(re, im (..., bins)) {length, edge, inner} -> (..., length), the adjoint of rfft: x(t) =
//     sum over k of weight(k) Re((re + i im)(k) exp(2 pi i k t / length)).
//   stft(x (..., m), window (frame)) {length, stride, edge, inner} -> (re, im) (..., frames, length
//     / 2 + 1): rfft of window times x(i stride ... i stride + frame - 1), frame <= length, for
//     each i of which all of these exist.
//   stft_adjoint(re, im (..., frames, bins), window) {length, stride, samples, edge, inner} ->
//   (...,
//     samples): what the frames give by irfft and window, added where they overlap.
#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/fft/plan.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  FftTables tables;
  RealFft transform;  // without the operands
  int64_t rows;
  int64_t signals;
  int64_t samples;  // of stft_adjoint
  int64_t stride;
  int64_t work;  // floats of a task
  FftTasks tasks;
};

constexpr int64_t kSegment = 4096;  // samples that a task adds frames to

void expect_floats(const OpCall& call) {
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    if (call.inputs[i].dtype != DType::kFloat32) {
      type_error(call.op.name, ": expected float32. Received: operand ", i,
                 ", dtype=", call.inputs[i].dtype, ".");
    }
  }
}

int64_t expect_positive(const OpCall& call, const char* name) {
  const int64_t value = call.attrs.integer(name);
  if (value < 1) {
    value_error(call.op.name, ": ", name, " must be positive. Received: ", name, "=", value, ".");
  }
  return value;
}

void expect_spectrum(const OpCall& call, int least_rank) {
  const Shape& re = call.inputs[0].shape;
  if (re != call.inputs[1].shape || re.rank() < least_rank || re.back() == 0) {
    value_error(call.op.name, ": real and imaginary parts must have the same shape of rank ",
                least_rank, " or more with at least one bin. Received: real.shape=", re,
                ", imag.shape=", call.inputs[1].shape, ".");
  }
}

int64_t expect_window(const OpCall& call, size_t i, int64_t length) {
  const Shape& window = call.inputs[i].shape;
  if (window.rank() != 1 || window[0] < 1 || window[0] > length) {
    value_error(call.op.name, ": the window must have rank 1 and 1 to length elements. Received: ",
                "window.shape=", window, ", length=", length, ".");
  }
  return window[0];
}

Shape without_last(const Shape& shape, int dims) {
  return Shape(shape.dims().first(static_cast<size_t>(shape.rank() - dims)));
}

Shape with(Shape shape, std::initializer_list<int64_t> more) {
  for (const int64_t dim : more) shape.push_back(dim);
  return shape;
}

std::vector<TensorType> infer_rfft(const OpCall& call) {
  expect_operands(call, 1);
  expect_floats(call);
  const int64_t length = expect_positive(call, "length");
  const Shape& x = call.inputs[0].shape;
  if (x.rank() == 0) value_error("rfft: expected rank 1 or more. Received: x.shape=", x, ".");
  const TensorType bins{DType::kFloat32, with(without_last(x, 1), {length / 2 + 1})};
  return {bins, bins};
}

std::vector<TensorType> infer_irfft(const OpCall& call) {
  expect_operands(call, 2);
  expect_floats(call);
  const int64_t length = expect_positive(call, "length");
  expect_spectrum(call, 1);
  return {{DType::kFloat32, with(without_last(call.inputs[0].shape, 1), {length})}};
}

std::vector<TensorType> infer_stft(const OpCall& call) {
  expect_operands(call, 2);
  expect_floats(call);
  const int64_t length = expect_positive(call, "length");
  const int64_t stride = expect_positive(call, "stride");
  const int64_t frame = expect_window(call, 1, length);
  const Shape& x = call.inputs[0].shape;
  if (x.rank() == 0 || x.back() < frame) {
    value_error("stft: expected at least one frame of samples. Received: x.shape=", x,
                ", frame=", frame, ".");
  }
  const int64_t frames = (x.back() - frame) / stride + 1;
  const TensorType bins{DType::kFloat32, with(without_last(x, 1), {frames, length / 2 + 1})};
  return {bins, bins};
}

std::vector<TensorType> infer_adjoint(const OpCall& call) {
  expect_operands(call, 3);
  expect_floats(call);
  const int64_t length = expect_positive(call, "length");
  expect_positive(call, "stride");
  const int64_t samples = expect_positive(call, "samples");
  expect_spectrum(call, 2);
  expect_window(call, 2, length);
  return {{DType::kFloat32, with(without_last(call.inputs[0].shape, 2), {samples})}};
}

// --- Gradients ---

Attrs with_length(const Attrs& attrs, int64_t length) {
  return {{"length", length}, {"edge", attrs.number("edge")}, {"inner", attrs.number("inner")}};
}

std::pair<Value, Value> both(const GradientCall& call) {
  const Value given = call.d_outputs[0] ? call.d_outputs[0] : call.d_outputs[1];
  const auto part = [&](size_t i) {
    return call.d_outputs[i] ? call.d_outputs[i] : call.g.zeros_like(given);
  };
  return {part(0), part(1)};
}

// v with its last dimension cut or filled with zeros to `size`.
Value resized(Builder& g, Value v, int64_t size) {
  const Shape shape = g.shape(v);
  const auto rank = static_cast<size_t>(shape.rank());
  std::vector<int64_t> zeros(rank, 0);
  if (shape.back() > size) {
    std::vector<int64_t> end = to_vector(shape);
    end.back() = size;
    const std::vector<int64_t> ones(rank, 1);
    return g.apply("slice", {v}, {{"begin", zeros}, {"end", end}, {"strides", ones}});
  }
  if (shape.back() == size) return v;
  std::vector<int64_t> high = zeros;
  high.back() = size - shape.back();
  return g.apply("pad", {v}, {{"low", zeros}, {"high", high}, {"value", 0.0}});
}

std::vector<Value> rfft_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const auto [re, im] = both(call);
  const Attrs& attrs = call.node.attrs;
  const Value dx = g.apply("irfft", {re, im}, with_length(attrs, attrs.integer("length")));
  return {resized(g, dx, g.shape(call.inputs[0]).back())};
}

std::vector<Value> irfft_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Attrs& attrs = call.node.attrs;
  const std::vector<Value> dy{call.d_outputs[0]};
  const std::vector<Value> found =
      g.apply_all(find_op("rfft"), dy, with_length(attrs, attrs.integer("length")));
  const int64_t bins = g.shape(call.inputs[0]).back();
  return {resized(g, found[0], bins), resized(g, found[1], bins)};
}

// Frames (..., frames, frame) of x.
Value frames_of(Builder& g, Value x, int64_t frame, int64_t stride) {
  const Shape shape = g.shape(x);
  const int64_t count = (shape.back() - frame) / stride + 1;
  const Tensor places(TensorType{DType::kInt32, Shape{count, frame}});
  auto* at = static_cast<int32_t*>(places.data());
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t j = 0; j < frame; ++j) *at++ = static_cast<int32_t>(i * stride + j);
  }
  return g.apply("gather", {x, g.constant(places)}, {{"axis", int64_t{shape.rank() - 1}}});
}

// The gradient of the window: the sum of frames of x times frames of what `irfft` makes of (re,
// im).
Value window_gradient(Builder& g, Value x, Value re, Value im, int64_t frame, const Attrs& attrs) {
  const int64_t length = attrs.integer("length");
  const Value y = resized(g, g.apply("irfft", {re, im}, with_length(attrs, length)), frame);
  const Expr product = Expr(g, frames_of(g, x, frame, attrs.integer("stride"))) * Expr(g, y);
  std::vector<int64_t> axes;
  for (int64_t i = 0; i + 1 < g.shape(y).rank(); ++i) axes.push_back(i);
  return g.reduce_sum(product.value, axes, false);
}

std::vector<Value> stft_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const auto [re, im] = both(call);
  Attrs attrs = call.node.attrs;
  attrs.set("samples", g.shape(call.inputs[0]).back());
  const Value dx = g.apply("stft_adjoint", {re, im, call.inputs[1]}, attrs);
  const int64_t frame = g.shape(call.inputs[1])[0];
  return {dx, window_gradient(g, call.inputs[0], re, im, frame, call.node.attrs)};
}

std::vector<Value> adjoint_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Attrs& attrs = call.node.attrs;
  const int64_t frame = g.shape(call.inputs[2])[0];
  const Shape& spectrum = g.shape(call.inputs[0]);
  const int64_t frames = spectrum[spectrum.rank() - 2];
  const int64_t bins = spectrum.back();
  const int64_t stride = attrs.integer("stride");
  // As many samples as the frames reach over: those that were not written have no gradient.
  const Value dy = resized(g, call.d_outputs[0], (frames - 1) * stride + frame);
  Attrs forward = with_length(attrs, attrs.integer("length"));
  forward.set("stride", stride);
  const std::vector<Value> inputs{dy, call.inputs[2]};
  const std::vector<Value> found = g.apply_all(find_op("stft"), inputs, forward);
  return {resized(g, found[0], bins), resized(g, found[1], bins),
          window_gradient(g, dy, call.inputs[0], call.inputs[1], frame, attrs)};
}

// --- Runs ---

std::shared_ptr<Plan> make_plan(const OpCall& call, int64_t rows, int64_t bins, int64_t frame) {
  const int64_t n = call.attrs.integer("length");
  const int64_t points = n % 2 == 0 ? n / 2 : n;
  const int64_t lanes = kernels().fft_lanes();
  auto plan = std::make_shared<Plan>(Plan{.tables = FftTables(points, rows, false),
                                          .transform = {},
                                          .rows = rows,
                                          .signals = rows,
                                          .samples = 0,
                                          .stride = 1,
                                          .work = 0,
                                          .tasks = {}});
  const bool in_lanes = plan->tables.keeps_rows_in_lanes();
  RealFft& f = plan->transform;
  f.plan = &plan->tables.plan();
  f.half_turns = n % 2 == 0 ? plan->tables.turns(n, points / 2 + 1) : nullptr;
  f.n = n;
  f.frames = 1;
  f.frame = frame;
  f.frame_pitch = frame;
  f.bins = bins;
  f.edge = static_cast<float>(call.attrs.number("edge"));
  f.inner = static_cast<float>(call.attrs.number("inner"));
  plan->work = in_lanes ? 4 * (points + 1) * lanes
                        : 2 * (points + lanes) + 2 * (n / 2 + 1) + plan->tables.row_work();
  plan->tasks = fft_tasks(rows, points, in_lanes, plan->work);
  return plan;
}

Prepared prepared(std::shared_ptr<Plan> plan, int64_t more_floats = 0) {
  const auto floats = static_cast<size_t>(plan->tasks.count * plan->work + more_floats);
  return {.plan = std::move(plan), .workspace = floats * sizeof(float)};
}

Prepared prepare_rfft(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const int64_t n = call.attrs.integer("length");
  auto plan = make_plan(call, x.size(0, x.rank() - 1), n / 2 + 1, std::min(n, x.back()));
  plan->transform.signal_pitch = x.back();
  return prepared(std::move(plan));
}

Prepared prepare_irfft(const OpCall& call) {
  const Shape& re = call.inputs[0].shape;
  const int64_t n = call.attrs.integer("length");
  return prepared(make_plan(call, re.size(0, re.rank() - 1), re.back(), n));
}

Prepared prepare_stft(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const Shape& out = call.outputs[0].shape;
  const int64_t frames = out[out.rank() - 2];
  const int64_t signals = x.size(0, x.rank() - 1);
  auto plan = make_plan(call, signals * frames, out.back(), call.inputs[1].shape[0]);
  plan->transform.frames = frames;
  plan->transform.signal_pitch = x.back();
  plan->transform.frame_pitch = call.attrs.integer("stride");
  return prepared(std::move(plan));
}

Prepared prepare_adjoint(const OpCall& call) {
  const Shape& re = call.inputs[0].shape;
  const int64_t frames = re[re.rank() - 2];
  const int64_t signals = re.size(0, re.rank() - 2);
  const int64_t frame = call.inputs[2].shape[0];
  auto plan = make_plan(call, signals * frames, re.back(), frame);
  plan->transform.frames = frames;
  plan->signals = signals;
  plan->samples = call.attrs.integer("samples");
  plan->stride = call.attrs.integer("stride");
  return prepared(std::move(plan), signals * frames * frame);
}

template <typename Kernel>
void for_tasks(const Plan& plan, float* work, Kernel kernel) {
  const int64_t cost = fft_cost(plan.tables.plan().n) * plan.tasks.rows;
  parallel_for(plan.tasks.count, cost, [&](int64_t task) {
    const int64_t begin = task * plan.tasks.rows;
    kernel(begin, std::min(begin + plan.tasks.rows, plan.rows), work + task * plan.work);
  });
}

void run_forward(const Launch& launch, const float* window) {
  const Plan& plan = launch.plan_as<Plan>();
  RealFft f = plan.transform;
  f.x = const_cast<float*>(launch.input<float>(0));
  f.window = window;
  f.re = launch.output<float>(0);
  f.im = launch.output<float>(1);
  for_tasks(
      plan, static_cast<float*>(launch.workspace),
      [&](int64_t begin, int64_t end, float* work) { kernels().rfft_rows(f, begin, end, work); });
}

void run_inverse(const Launch& launch, const float* window, float* x, float* workspace) {
  const Plan& plan = launch.plan_as<Plan>();
  RealFft f = plan.transform;
  f.re = const_cast<float*>(launch.input<float>(0));
  f.im = const_cast<float*>(launch.input<float>(1));
  f.window = window;
  f.x = x;
  for_tasks(plan, workspace, [&](int64_t begin, int64_t end, float* work) {
    kernels().irfft_rows(f, begin, end, work);
  });
}

void run_rfft(const Launch& launch) noexcept { run_forward(launch, nullptr); }
void run_stft(const Launch& launch) noexcept { run_forward(launch, launch.input<float>(1)); }
void run_irfft(const Launch& launch) noexcept {
  run_inverse(launch, nullptr, launch.output<float>(0), static_cast<float*>(launch.workspace));
}

void run_adjoint(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const RealFft& f = plan.transform;
  float* rows = static_cast<float*>(launch.workspace);
  run_inverse(launch, launch.input<float>(2), rows, rows + plan.rows * f.frame);
  const int64_t segments = (plan.samples + kSegment - 1) / kSegment;
  const int64_t cost = kSegment * 4 * (f.frame / plan.stride + 1);
  parallel_for(plan.signals * segments, cost, [&](int64_t i) {
    const int64_t signal = i / segments;
    const int64_t begin = i % segments * kSegment;
    kernels().overlap_add(rows + signal * f.frames * f.frame, f.frames, f.frame, plan.stride, begin,
                          std::min(begin + kSegment, plan.samples),
                          launch.output<float>(0) + signal * plan.samples);
  });
}

}  // namespace

OpDef rfft_op() {
  return {.name = "rfft",
          .infer = infer_rfft,
          .gradient = rfft_gradient,
          .prepare = prepare_rfft,
          .run = run_rfft};
}

OpDef irfft_op() {
  return {.name = "irfft",
          .infer = infer_irfft,
          .gradient = irfft_gradient,
          .prepare = prepare_irfft,
          .run = run_irfft};
}

OpDef stft_op() {
  return {.name = "stft",
          .infer = infer_stft,
          .gradient = stft_gradient,
          .prepare = prepare_stft,
          .run = run_stft};
}

OpDef stft_adjoint_op() {
  return {.name = "stft_adjoint",
          .infer = infer_adjoint,
          .gradient = adjoint_gradient,
          .prepare = prepare_adjoint,
          .run = run_adjoint};
}

}  // namespace pronghorn::ops
