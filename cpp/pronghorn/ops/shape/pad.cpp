// pad(x) {low, high, value, interior}: x inside a frame of `value`; low and high elements before
// and after, `interior` elements (none if the attribute is missing) between neighbours.
#include "pronghorn/ops/shape/rules.h"
#include "pronghorn/ops/shape/strided_copy.h"

namespace pronghorn::ops {
namespace {

struct Plan {
  StridedCopy copy;
  int64_t size;  // elements of y
  size_t element;
  bool fills;  // something of y is not covered by x
  alignas(8) char value[8];
};

std::vector<int64_t> interior_of(const Attrs& attrs, size_t rank) {
  return attrs.has("interior") ? attrs.integers("interior") : std::vector<int64_t>(rank, 0);
}

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const TensorType& x = call.inputs[0];
  const size_t rank = static_cast<size_t>(x.shape.rank());
  const std::vector<int64_t>& low = call.attrs.integers("low");
  const std::vector<int64_t>& high = call.attrs.integers("high");
  const std::vector<int64_t> interior = interior_of(call.attrs, rank);
  if (low.size() != rank || high.size() != rank || interior.size() != rank) {
    value_error("pad: low and high must have one entry per dimension. Received: x.shape=", x.shape,
                ", ", low.size(), " and ", high.size(), " entries.");
  }
  Shape shape = x.shape;
  for (size_t i = 0; i < rank; ++i) {
    if (low[i] < 0 || high[i] < 0 || interior[i] < 0) {
      value_error("pad: padding must not be negative. Received: low=", low[i], ", high=", high[i],
                  " in dimension ", i, ".");
    }
    const int64_t size = x.shape[static_cast<int>(i)];
    int64_t between;
    if (__builtin_mul_overflow(std::max<int64_t>(size - 1, 0), interior[i], &between) ||
        __builtin_add_overflow(low[i] + high[i] + size, between, &shape[static_cast<int>(i)])) {
      value_error("pad: the result fits into no memory. Received: interior=", interior[i],
                  ", x.shape=", x.shape, ".");
    }
  }
  return {{x.dtype, shape}};
}

std::vector<Value> gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Shape x = g.shape(call.inputs[0]);
  if (x.size() == 0) return {g.zeros_like(call.inputs[0])};
  const std::vector<int64_t>& low = call.node.attrs.integers("low");
  std::vector<int64_t> strides = interior_of(call.node.attrs, low.size());
  std::vector<int64_t> end;
  for (int i = 0; i < x.rank(); ++i) {
    const size_t at = static_cast<size_t>(i);
    strides[at] += 1;
    end.push_back(low[at] + (x[i] - 1) * strides[at] + 1);
  }
  return {
      g.apply("slice", {call.d_outputs[0]}, {{"begin", low}, {"end", end}, {"strides", strides}})};
}

Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  const Shape shape = g.shape(inputs[0]);
  const std::vector<int64_t> interior = interior_of(attrs, static_cast<size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) {
    const size_t at = static_cast<size_t>(i);
    if (attrs.integers("low")[at] != 0 || attrs.integers("high")[at] != 0) return {};
    if (interior[at] != 0 && shape[i] > 1) return {};
  }
  return inputs[0];
}

Prepared prepare(const OpCall& call) {
  const TensorType& x = call.inputs[0];
  const TensorType& y = call.outputs[0];
  auto plan = std::make_shared<Plan>();
  const Shape to = strides_of(y.shape);
  Shape dst = to;
  int64_t offset = 0;
  const std::vector<int64_t> interior = interior_of(call.attrs, static_cast<size_t>(to.rank()));
  for (int i = 0; i < to.rank(); ++i) {
    dst[i] = to[i] * (interior[static_cast<size_t>(i)] + 1);
    offset += to[i] * call.attrs.integers("low")[static_cast<size_t>(i)];
  }
  plan->copy = plan_copy(size_of(x.dtype), x.shape, strides_of(x.shape), dst, 0, offset);
  plan->size = y.size();
  plan->element = size_of(y.dtype);
  plan->fills = y.size() > x.size();
  const double value = call.attrs.number("value", 0.0);
  dispatch_dtype(x.dtype, [&]<typename T>() {
    T typed;
    if constexpr (std::is_same_v<T, Float16>) {
      typed = to_float16(static_cast<float>(value));
    } else if constexpr (std::is_same_v<T, Bfloat16>) {
      typed = to_bfloat16(static_cast<float>(value));
    } else if constexpr (std::is_same_v<T, bool>) {
      typed = value != 0.0;
    } else {
      typed = static_cast<T>(value);
    }
    std::memcpy(plan->value, &typed, sizeof typed);
  });
  return {.plan = plan};
}

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  if (plan.fills) fill_elements(launch.outputs[0], plan.value, plan.element, plan.size);
  copy_strided(plan.copy, launch.inputs[0], launch.outputs[0]);
}

}  // namespace

OpDef pad_op() {
  return {.name = "pad",
          .infer = infer,
          .gradient = gradient,
          .prepare = prepare,
          .run = run,
          .simplify = simplify};
}

}  // namespace pronghorn::ops
