// ctc_loss(logits (batch, time, classes), labels (batch, n), label_lengths (batch), lengths
// (batch)) {blank} -> loss (batch), dlogits: the negative logarithm of the probability of the
// labels, summed over their alignments (Graves, Fernandez, Gomez, Schmidhuber 2006), and its
// gradient by the logits, which is computed if something reads it. Labels that no alignment gives
// have the loss kImpossible and the gradient 0; a label outside the classes or a length outside the
// tensor has NaN.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

// The logarithm of a probability of 0, which stays finite in differences, and what sums of it and
// other logarithms stay below.
constexpr float kNever = -1e30f;
constexpr float kAlmostNever = -1e29f;
constexpr float kImpossible = 1e30f;
constexpr int64_t kMostTasks = 16;
constexpr int64_t kPadding = 16;  // floats between rows of states

struct Plan {
  int64_t batch;
  int64_t time;
  int64_t classes;
  int64_t labels;
  int32_t blank;
  int64_t pitch;  // floats of a row of states, with two before them
  int64_t work;   // floats of a task
  int64_t tasks;
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 4);
  const TensorType& x = call.inputs[0];
  const Shape& labels = call.inputs[1].shape;
  if (x.dtype != DType::kFloat32) {
    type_error("ctc_loss: expected float32 logits. Received: dtype=", x.dtype, ".");
  }
  for (size_t i = 1; i < 4; ++i) {
    if (call.inputs[i].dtype != DType::kInt32) {
      type_error("ctc_loss: expected int32 labels and lengths. Received: operand ", i,
                 ", dtype=", call.inputs[i].dtype, ".");
    }
  }
  if (x.shape.rank() != 3 || labels.rank() != 2 || labels[0] != x.shape[0] || x.shape[2] == 0 ||
      call.inputs[2].shape != Shape{x.shape[0]} || call.inputs[3].shape != Shape{x.shape[0]}) {
    value_error("ctc_loss: expected logits (batch, time, classes), labels (batch, n) and two ",
                "lengths (batch). Received: logits.shape=", x.shape, ", labels.shape=", labels,
                ", label_lengths.shape=", call.inputs[2].shape,
                ", lengths.shape=", call.inputs[3].shape, ".");
  }
  const int64_t blank = call.attrs.integer("blank");
  if (blank < 0 || blank >= x.shape[2]) {
    value_error("ctc_loss: blank must be a class. Received: blank=", blank,
                ", classes=", x.shape[2], ".");
  }
  return {{DType::kFloat32, Shape{x.shape[0]}}, x};
}

std::vector<Value> gradient(const GradientCall& call) {
  if (call.d_outputs[1]) {
    value_error("ctc_loss: gradients of its gradient are not supported.");
  }
  Builder& g = call.g;
  const Value dloss =
      g.reshape(call.d_outputs[0], Shape{g.shape(call.outputs[0])[0], int64_t{1}, int64_t{1}});
  return {(Expr(g, call.outputs[1]) * Expr(g, dloss)).value, {}, {}, {}};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  Plan plan{.batch = x[0],
            .time = x[1],
            .classes = x[2],
            .labels = call.inputs[1].shape[1],
            .blank = static_cast<int32_t>(call.attrs.integer("blank")),
            .pitch = 0,
            .work = 0,
            .tasks = std::min(x[0], kMostTasks)};
  const int64_t states = 2 * plan.labels + 1;
  plan.pitch = states + kPadding;
  // log_p; states and skip in both directions; forward variables of all steps; two rows of
  // backward ones.
  plan.work = plan.time * plan.classes + (plan.time + 1 + 4 + 2) * plan.pitch;
  const auto bytes = static_cast<size_t>(plan.work * plan.tasks) * sizeof(float);
  return {.plan = std::make_shared<const Plan>(plan), .workspace = bytes};
}

// One time step of the forward variables (section 4.1) in logarithms: y(s) = log(exp(x(s)) +
// exp(x(s - 1)) + exp(x(s - 2) + skip(s))) + log_p(state(s)). Two floats stand before x.
void take_step(const float* x, const float* skip, const int32_t* state, const float* log_p,
               int64_t states, float* y) {
  for (int64_t s = 0; s < states; ++s) {
    const float stay = x[s];
    const float next = x[s - 1];
    const float over = x[s - 2] + skip[s];
    const float most = std::max(stay, std::max(next, over));
    float value = most;
    if (most > kAlmostNever) {
      // Of three, the largest one's exponential is 1.
      const float least = std::min(stay, std::min(next, over));
      const float middle = std::max(std::min(stay, next), std::min(std::max(stay, next), over));
      value += std::log1p(std::exp(middle - most) + std::exp(least - most));
    }
    value += log_p[state[s]];
    // Infinities would make NaN of their differences.
    y[s] = value < kNever ? kNever : value;
  }
}

// States of the labels with blanks around each: a row of states and the logarithm of whether the
// state before may be left out.
struct States {
  int32_t* state;
  float* skip;

  void fill(const int32_t* labels, int64_t n, int64_t direction, int32_t blank, int64_t padded) {
    const int64_t states = 2 * n + 1;
    for (int64_t s = 0; s < padded; ++s) {
      state[s] = blank;
      skip[s] = kNever;
    }
    for (int64_t s = 1; s < states; s += 2) {
      const int64_t i = direction > 0 ? s / 2 : n - 1 - s / 2;
      state[s] = labels[i];
      // Before the first step stands no state, from which the first label may come too.
      const bool may_skip = s == 1 || (labels[i] != labels[i - direction] && labels[i] != blank);
      skip[s] = may_skip ? 0.0f : kNever;
    }
  }
};

// Variables before the first step: as if state 0 had been reached by a blank before it.
void first_row(float* row, int64_t pitch) {
  std::fill(row - kPadding / 2, row - kPadding / 2 + pitch, kNever);
  row[-1] = 0.0f;
}

struct Sample {
  const float* logits;
  const int32_t* labels;
  int64_t label_length;
  int64_t length;
  float* dlogits;  // or null
};

float run_sample(const Plan& plan, const Sample& x, float* work) {
  const int64_t classes = plan.classes;
  const auto size = static_cast<size_t>(plan.time * classes);
  const bool fits = x.label_length >= 0 && x.label_length <= plan.labels && x.length >= 0 &&
                    x.length <= plan.time &&
                    std::all_of(x.labels, x.labels + std::max<int64_t>(x.label_length, 0),
                                [&](int32_t k) { return k >= 0 && k < classes; });
  if (!fits) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    if (x.dlogits != nullptr) std::fill_n(x.dlogits, size, nan);
    return nan;
  }
  if (x.length == 0) {
    if (x.dlogits != nullptr) std::fill_n(x.dlogits, size, 0.0f);
    return x.label_length == 0 ? 0.0f : kImpossible;
  }
  const int64_t states = 2 * x.label_length + 1;
  const int64_t pitch = plan.pitch;
  const int64_t padded = pitch - kPadding;
  float* rows = work + plan.time * classes;
  const auto take = [&] {
    float* row = rows;
    rows += pitch;
    return row + kPadding / 2;
  };
  const auto take_states = [&] {
    States found{reinterpret_cast<int32_t*>(take()), nullptr};
    found.skip = take();
    return found;
  };
  const States forward = take_states();
  const States backward = take_states();
  States(forward).fill(x.labels, x.label_length, 1, plan.blank, padded);
  States(backward).fill(x.labels, x.label_length, -1, plan.blank, padded);
  float* after = take();
  float* after_next = take();
  float* alpha = take();  // row t + 1: after step t

  float* log_p = x.dlogits != nullptr ? x.dlogits : work;
  kernels().log_softmax_rows(x.logits, x.length, classes, log_p);
  first_row(alpha, pitch);
  for (int64_t t = 0; t < x.length; ++t) {
    float* next = alpha + pitch;
    next[-1] = next[-2] = kNever;
    take_step(alpha, forward.skip, forward.state, log_p + t * classes, states, next);
    alpha = next;
  }
  const float in_blank = alpha[states - 1];
  const float in_label = states > 1 ? alpha[states - 2] : kNever;
  const float most = std::max(in_blank, in_label);
  const float total = most + std::log1p(std::exp(std::min(in_blank, in_label) - most));
  if (x.dlogits != nullptr) {
    std::fill_n(x.dlogits + x.length * classes, static_cast<int64_t>(size) - x.length * classes,
                0.0f);
  }
  if (!(total > kAlmostNever)) {
    const bool is_nan = total != total;
    if (x.dlogits != nullptr) std::fill_n(x.dlogits, x.length * classes, is_nan ? total : 0.0f);
    return is_nan ? total : kImpossible;
  }
  if (x.dlogits == nullptr) return -total;

  // The way back is the way there with the labels reversed; the gradient is the probability of a
  // class less that of its states (equation 16).
  first_row(after, pitch);
  for (int64_t t = x.length - 1; t >= 0; --t, alpha -= pitch) {
    float* p = log_p + t * classes;
    after_next[-1] = after_next[-2] = kNever;
    take_step(after, backward.skip, backward.state, p, states, after_next);
    std::swap(after, after_next);
    // What the classes emit counts in both directions.
    for (int64_t s = 0; s < states; ++s) {
      const float emitted = std::max(p[forward.state[s]], kNever);
      alpha[s] = std::exp(alpha[s] + after[states - 1 - s] - emitted - total);
    }
    for (int64_t k = 0; k < classes; ++k) p[k] = std::exp(p[k]);
    for (int64_t s = 0; s < states; ++s) p[forward.state[s]] -= alpha[s];
  }
  return -total;
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t cost = plan.time * (plan.classes * 20 + plan.labels * 2 * 60);
  const int64_t size = plan.time * plan.classes;
  const int32_t* label_lengths = launch.input<int32_t>(2);
  const int32_t* lengths = launch.input<int32_t>(3);
  float* loss = launch.output<float>(0);
  float* dlogits = launch.output<float>(1);
  if (plan.tasks == 0) return;
  parallel_for(plan.tasks, cost * (plan.batch / plan.tasks), [&](int64_t task) {
    float* work = static_cast<float*>(launch.workspace) + task * plan.work;
    for (int64_t i = plan.batch * task / plan.tasks; i < plan.batch * (task + 1) / plan.tasks;
         ++i) {
      const Sample sample{.logits = launch.input<float>(0) + i * size,
                          .labels = launch.input<int32_t>(1) + i * plan.labels,
                          .label_length = label_lengths[i],
                          .length = lengths[i],
                          .dlogits = dlogits == nullptr ? nullptr : dlogits + i * size};
      const float value = run_sample(plan, sample, work);
      if (loss != nullptr) loss[i] = value;
    }
  });
}

}  // namespace

OpDef ctc_loss_op() {
  return {.name = "ctc_loss",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .optional_outputs = 3};
}

}  // namespace pronghorn::ops
