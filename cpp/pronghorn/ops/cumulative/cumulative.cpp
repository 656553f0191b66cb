// cumsum(x), cumprod(x) {axis, reverse, exclusive}: y(i) = x(0) + ... + x(i) along an axis (product
// alike); exclusive: without x(i); reverse: from the end. linear_recurrence(a, b) {axis, reverse}:
// y(i) = a(i) y(i - 1) + b(i), y(-1) = 0; reverse: y(i) = a(i) y(i + 1) + b(i).
#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

// (outer, n, inner)
struct Plan {
  int64_t outer;
  int64_t n;
  int64_t inner;
  DType dtype;
  bool reverse;
  bool exclusive;
};

constexpr int64_t kColumns = 256;  // of `inner` that one thread does at a time

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& x = call.inputs[0];
  normalize_axis(call.op.name, call.attrs.integer("axis"), x.shape.rank());
  if (x.dtype == DType::kBool) {
    type_error(call.op.name,
               ": expected a number dtype. Received: dtype=bool. Cast to int32 first.");
  }
  return {x};
}

std::vector<TensorType> infer_recurrence(const OpCall& call) {
  expect_operands(call, 2);
  expect_float(call, 0);
  expect_same_dtype(call, 0, 1);
  if (call.inputs[0].shape != call.inputs[1].shape) {
    value_error("linear_recurrence: operands must have the same shape. Received: a.shape=",
                call.inputs[0].shape, ", b.shape=", call.inputs[1].shape, ".");
  }
  normalize_axis(call.op.name, call.attrs.integer("axis"), call.inputs[0].shape.rank());
  return {call.inputs[0]};
}

Attrs scan_attrs(int64_t axis, bool reverse, bool exclusive) {
  return {{"axis", axis}, {"reverse", int64_t{reverse}}, {"exclusive", int64_t{exclusive}}};
}

// v moved by one along the axis, away from the start of the scan or (back) towards it; `fill` takes
// the free place.
Value shifted(Builder& g, Value v, int64_t axis, bool to_end, double fill) {
  const Shape shape = g.shape(v);
  const size_t at = static_cast<size_t>(axis);
  std::vector<int64_t> begin(static_cast<size_t>(shape.rank()), 0);
  std::vector<int64_t> end = to_vector(shape);
  const std::vector<int64_t> ones(static_cast<size_t>(shape.rank()), 1);
  std::vector<int64_t> low(static_cast<size_t>(shape.rank()), 0);
  std::vector<int64_t> high = low;
  if (shape[static_cast<int>(axis)] == 0) return v;
  if (to_end) {
    end[at] -= 1;
    low[at] = 1;
  } else {
    begin[at] = 1;
    high[at] = 1;
  }
  const Value kept = g.apply("slice", {v}, {{"begin", begin}, {"end", end}, {"strides", ones}});
  return g.apply("pad", {kept}, {{"low", low}, {"high", high}, {"value", fill}});
}

std::vector<Value> sum_gradient(const GradientCall& call) {
  const Attrs& attrs = call.node.attrs;
  return {call.g.apply("cumsum", {call.d_outputs[0]},
                       scan_attrs(attrs.integer("axis"), attrs.integer("reverse", 0) == 0,
                                  attrs.integer("exclusive", 0) != 0))};
}

// dx(i) = (product before i) S(i), S(i) = dy(i) + x(i+1) S(i+1): no division, right where factors
// are zero. Exclusive products are those of x moved by one, with 1 in the free place.
std::vector<Value> prod_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Attrs& attrs = call.node.attrs;
  const int64_t axis =
      normalize_axis("cumprod", attrs.integer("axis"), g.shape(call.inputs[0]).rank());
  const bool reverse = attrs.integer("reverse", 0) != 0;
  const bool exclusive = attrs.integer("exclusive", 0) != 0;
  const Value x = exclusive ? shifted(g, call.inputs[0], axis, !reverse, 1.0) : call.inputs[0];
  const Expr before(g, g.apply("cumprod", {x}, scan_attrs(axis, reverse, true)));
  const Value next = shifted(g, x, axis, reverse, 0.0);
  const Expr s(g, g.apply("linear_recurrence", {next, call.d_outputs[0]},
                          {{"axis", axis}, {"reverse", int64_t{!reverse}}}));
  const Value d_moved = (before * s).value;
  return {exclusive ? shifted(g, d_moved, axis, reverse, 0.0) : d_moved};
}

// With l the recurrence of dy from the other end over a moved by one: db = l, da(i) = l(i) y(i -
// 1).
std::vector<Value> recurrence_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const int64_t axis = normalize_axis("linear_recurrence", call.node.attrs.integer("axis"),
                                      g.shape(call.inputs[0]).rank());
  const bool reverse = call.node.attrs.integer("reverse", 0) != 0;
  const Value next = shifted(g, call.inputs[0], axis, reverse, 0.0);
  const Expr l(g, g.apply("linear_recurrence", {next, call.d_outputs[0]},
                          {{"axis", axis}, {"reverse", int64_t{!reverse}}}));
  const Expr before(g, shifted(g, call.outputs[0], axis, !reverse, 0.0));
  return {(l * before).value, l.value};
}

template <const char* const& name>
Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, name, inputs, attrs);
}

Prepared prepare(const OpCall& call) {
  const TensorType& x = call.inputs[0];
  const int axis = normalize_axis(call.op.name, call.attrs.integer("axis"), x.shape.rank());
  return {.plan = std::make_shared<const Plan>(
              Plan{.outer = x.shape.size(0, axis),
                   .n = x.shape[axis],
                   .inner = x.shape.size(axis + 1, x.shape.rank()),
                   .dtype = x.dtype,
                   .reverse = call.attrs.integer("reverse", 0) != 0,
                   .exclusive = call.attrs.integer("exclusive", 0) != 0})};
}

template <bool is_product, typename T>
T combine(T a, T b) {
  if constexpr (std::is_same_v<T, float>) return is_product ? a * b : a + b;
  const uint64_t x = static_cast<uint64_t>(a);
  const uint64_t y = static_cast<uint64_t>(b);
  return static_cast<T>(is_product ? x * y : x + y);
}

// Calls line(first element, columns) for groups of neighbouring columns.
template <typename Line>
void for_columns(const Plan& plan, Line&& line) {
  if (plan.outer * plan.n * plan.inner == 0) return;
  const int64_t blocks = (plan.inner + kColumns - 1) / kColumns;
  const int64_t width = std::min(kColumns, plan.inner);
  const int64_t piece = std::max<int64_t>(1, 8192 / (plan.n * width));
  parallel_ranges(plan.outer * blocks, piece, plan.n * width * 8, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t column = item % blocks * kColumns;
      line(item / blocks * plan.n * plan.inner + column, std::min(kColumns, plan.inner - column));
    }
  });
}

// One line of float32, accumulated in double: rounding does not add up.
template <bool is_product>
void scan_line(const Plan& plan, const float* x, float* y, int64_t step) {
  double total = is_product ? 1.0 : 0.0;
  for (int64_t i = 0; i < plan.n; ++i) {
    const double before = total;
    total = is_product ? total * static_cast<double>(x[i * step])
                       : total + static_cast<double>(x[i * step]);
    y[i * step] = static_cast<float>(plan.exclusive ? before : total);
  }
}

template <bool is_product>
void run_scan(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t step = plan.reverse ? -plan.inner : plan.inner;
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    if constexpr (std::is_arithmetic_v<T>) {
      for_columns(plan, [&](int64_t at, int64_t columns) {
        const int64_t start = at + (plan.reverse ? (plan.n - 1) * plan.inner : 0);
        const T* x = launch.input<T>(0) + start;
        T* y = launch.output<T>(0) + start;
        if constexpr (std::is_same_v<T, float>) {
          if (plan.inner == 1) return scan_line<is_product>(plan, x, y, step);
        }
        for (int64_t j = 0; j < columns; ++j)
          y[j] = plan.exclusive ? static_cast<T>(is_product) : x[j];
        for (int64_t i = 1; i < plan.n; ++i) {
          const T* term = plan.exclusive ? x + (i - 1) * step : x + i * step;
          const T* before = y + (i - 1) * step;
          T* to = y + i * step;
          for (int64_t j = 0; j < columns; ++j) to[j] = combine<is_product, T>(before[j], term[j]);
        }
      });
    }
  });
}

void run_recurrence(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t step = plan.reverse ? -plan.inner : plan.inner;
  for_columns(plan, [&](int64_t at, int64_t columns) {
    const int64_t start = at + (plan.reverse ? (plan.n - 1) * plan.inner : 0);
    const float* a = launch.input<float>(0) + start;
    const float* b = launch.input<float>(1) + start;
    float* y = launch.output<float>(0) + start;
    for (int64_t j = 0; j < columns; ++j) y[j] = b[j];
    for (int64_t i = 1; i < plan.n; ++i) {
      for (int64_t j = 0; j < columns; ++j)
        y[i * step + j] = a[i * step + j] * y[(i - 1) * step + j] + b[i * step + j];
    }
  });
}

constexpr const char* kCumsum = "cumsum";
constexpr const char* kCumprod = "cumprod";
constexpr const char* kLinearRecurrence = "linear_recurrence";

}  // namespace

OpDef cumsum_op() {
  return {.name = kCumsum,
          .infer = infer,
          .gradient = sum_gradient,
          .prepare = prepare,
          .run = run_scan<false>,
          .simplify = simplify<kCumsum>};
}

OpDef cumprod_op() {
  return {.name = kCumprod,
          .infer = infer,
          .gradient = prod_gradient,
          .prepare = prepare,
          .run = run_scan<true>,
          .simplify = simplify<kCumprod>};
}

OpDef linear_recurrence_op() {
  return {.name = kLinearRecurrence,
          .infer = infer_recurrence,
          .gradient = recurrence_gradient,
          .prepare = prepare,
          .run = run_recurrence,
          .simplify = simplify<kLinearRecurrence>};
}

}  // namespace pronghorn::ops
