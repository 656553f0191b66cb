// fft(re, im) {axis, inverse} -> (re, im): y(k) = sum over j of x(j) exp(-+2 pi i j k / n) along
// an axis, without a factor 1 / n for the inverse.
#include <algorithm>
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/fft/plan.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

// (outer, n, inner)
struct Plan {
  int64_t outer;
  int64_t n;
  int64_t inner;
  bool inverse;
  FftTables tables;
  int64_t work;  // floats of a task
  FftTasks tasks;
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 2);
  const TensorType& re = call.inputs[0];
  const TensorType& im = call.inputs[1];
  if (re.dtype != DType::kFloat32 || im.dtype != DType::kFloat32) {
    type_error("fft: expected float32 parts. Received: real.dtype=", re.dtype,
               ", imag.dtype=", im.dtype, ".");
  }
  if (re.shape != im.shape) {
    value_error("fft: real and imaginary parts must have the same shape. Received: real.shape=",
                re.shape, ", imag.shape=", im.shape, ".");
  }
  const int axis = normalize_axis("fft", call.attrs.integer("axis"), re.shape.rank());
  if (re.shape[axis] == 0) {
    value_error("fft: expected at least one element along the axis. Received: shape=", re.shape,
                ", axis=", axis, ".");
  }
  return {re, im};
}

// The transposed transform is the transform: of (re, im) pairs, the inverse one.
std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Value missing = call.d_outputs[0] ? call.d_outputs[0] : call.d_outputs[1];
  const auto given = [&](size_t i) {
    return call.d_outputs[i] ? call.d_outputs[i] : g.zeros_like(missing);
  };
  const Attrs& attrs = call.node.attrs;
  const Attrs other{{"axis", attrs.integer("axis")},
                    {"inverse", int64_t{attrs.integer("inverse") == 0}}};
  const std::vector<Value> inputs{given(0), given(1)};
  return g.apply_all(find_op("fft"), inputs, other);
}

Prepared prepare(const OpCall& call) {
  const Shape& shape = call.inputs[0].shape;
  const int axis = normalize_axis("fft", call.attrs.integer("axis"), shape.rank());
  const int64_t n = shape[axis];
  const int64_t outer = shape.size(0, axis);
  const int64_t inner = shape.size(axis + 1, shape.rank());
  const int64_t lanes = kernels().fft_lanes();
  auto plan = std::make_shared<Plan>(Plan{.outer = outer,
                                          .n = n,
                                          .inner = inner,
                                          .inverse = call.attrs.integer("inverse") != 0,
                                          .tables = FftTables(n, outer, inner > 1),
                                          .work = 0,
                                          .tasks = {}});
  const bool in_lanes = plan->tables.keeps_rows_in_lanes();
  plan->work = in_lanes ? 4 * n * lanes : 2 * (n + lanes) + plan->tables.row_work();
  if (inner > 1) {
    const int64_t strips = (inner + lanes - 1) / lanes;
    plan->tasks = fft_tasks(outer * strips, n * lanes, false, plan->work);
  } else {
    plan->tasks = fft_tasks(outer, n, in_lanes, plan->work);
  }
  const auto floats = static_cast<size_t>(plan->tasks.count * plan->work);
  return {.plan = plan, .workspace = floats * sizeof(float)};
}

struct Parts {
  const float* re;
  const float* im;
  float* out_re;
  float* out_im;
};

// Columns [c, c + count) of one matrix (n, inner), count <= lanes.
void run_strip(const Plan& plan, const Parts& at, int64_t count, float* work) {
  const int64_t lanes = kernels().fft_lanes();
  const int64_t n = plan.n;
  if (plan.tables.is_convolution()) {
    float* re = work;
    float* im = re + n;
    for (int64_t c = 0; c < count; ++c) {
      for (int64_t j = 0; j < n; ++j) {
        re[j] = at.re[j * plan.inner + c];
        im[j] = at.im[j * plan.inner + c];
      }
      kernels().fft_rows(plan.tables.plan(), re, im, 1, re, im, work + 2 * n);
      for (int64_t j = 0; j < n; ++j) {
        at.out_re[j * plan.inner + c] = re[j];
        at.out_im[j * plan.inner + c] = im[j];
      }
    }
    return;
  }
  const FftStages& stages = plan.tables.plan().columns;
  const int64_t step = 2 * lanes;
  float* spare = work + n * step;
  const FftTarget other{spare, spare + lanes, step};
  if (count == lanes) {
    kernels().fft_columns(stages, {at.re, at.im, plan.inner}, {at.out_re, at.out_im, plan.inner},
                          other);
    return;
  }
  // Too few columns for a vector: by way of a buffer. With an odd number of stages the result is
  // in the other one.
  const bool stays = stages.count % 2 == 0;
  const auto bytes = static_cast<size_t>(count) * sizeof(float);
  for (int64_t j = 0; j < n; ++j) {
    std::memcpy(work + j * step, at.re + j * plan.inner, bytes);
    std::memcpy(work + j * step + lanes, at.im + j * plan.inner, bytes);
    for (int64_t c = count; c < lanes; ++c) work[j * step + c] = work[j * step + lanes + c] = 0.0f;
  }
  const FftTarget here{work, work + lanes, step};
  if (stages.count > 0) {
    kernels().fft_columns(stages, {work, work + lanes, step}, stays ? here : other,
                          stays ? other : here);
  }
  const float* result = stays ? work : spare;
  for (int64_t j = 0; j < n; ++j) {
    std::memcpy(at.out_re + j * plan.inner, result + j * step, bytes);
    std::memcpy(at.out_im + j * plan.inner, result + j * step + lanes, bytes);
  }
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  // The inverse transform is the transform with real and imaginary parts exchanged.
  const int re = plan.inverse ? 1 : 0;
  const Parts whole{launch.input<float>(re), launch.input<float>(1 - re), launch.output<float>(re),
                    launch.output<float>(1 - re)};
  const int64_t lanes = kernels().fft_lanes();
  const int64_t strips = plan.inner > 1 ? (plan.inner + lanes - 1) / lanes : 1;
  const int64_t total = plan.outer * strips;
  const int64_t cost = fft_cost(plan.n) * (plan.inner > 1 ? lanes : 1) * plan.tasks.rows;
  parallel_for(plan.tasks.count, cost, [&](int64_t task) {
    float* work = static_cast<float*>(launch.workspace) + task * plan.work;
    const int64_t begin = task * plan.tasks.rows;
    const int64_t end = std::min(begin + plan.tasks.rows, total);
    if (plan.inner == 1) {
      const int64_t at = begin * plan.n;
      kernels().fft_rows(plan.tables.plan(), whole.re + at, whole.im + at, end - begin,
                         whole.out_re + at, whole.out_im + at, work);
      return;
    }
    for (int64_t i = begin; i < end; ++i) {
      const int64_t c = i % strips * lanes;
      const int64_t at = i / strips * plan.n * plan.inner + c;
      run_strip(plan, {whole.re + at, whole.im + at, whole.out_re + at, whole.out_im + at},
                std::min(lanes, plan.inner - c), work);
    }
  });
}

}  // namespace

OpDef fft_op() {
  return {.name = "fft", .infer = infer, .gradient = gradient, .prepare = prepare, .run = run};
}

}  // namespace pronghorn::ops
