// argmax(x), argmin(x) {axis, keepdims} -> int32: the position of the first extremum along an axis;
// of the first NaN if there is one.
#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

// x: (outer, n, inner), y: (outer, inner).
struct Plan {
  int64_t outer;
  int64_t n;
  int64_t inner;
  DType dtype;
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 1);
  const Shape& x = call.inputs[0].shape;
  const int axis = normalize_axis(call.op.name, call.attrs.integer("axis"), x.rank());
  if (x[axis] == 0)
    value_error(call.op.name, ": the axis must not be empty. Received: x.shape=", x,
                ", axis=", axis, ".");
  Shape shape;
  for (int i = 0; i < x.rank(); ++i) {
    if (i != axis) shape.push_back(x[i]);
    if (i == axis && call.attrs.integer("keepdims", 0) != 0) shape.push_back(1);
  }
  return {{DType::kInt32, shape}};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  const int axis = normalize_axis(call.op.name, call.attrs.integer("axis"), x.rank());
  return {.plan = std::make_shared<const Plan>(
              Plan{x.size(0, axis), x[axis], x.size(axis + 1, x.rank()), call.inputs[0].dtype})};
}

template <const char* const& name>
Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return widened(g, name, inputs, attrs, false);
}

// One column of x: n elements `stride` apart.
template <bool is_max, typename T>
int32_t position(const T* x, int64_t n, int64_t stride) {
  T best = x[0];
  int64_t at = 0;
  if (best != best) return 0;
  for (int64_t i = 1; i < n; ++i) {
    const T value = x[i * stride];
    if (is_max ? value > best : value < best) {
      best = value;
      at = i;
    } else if (value != value) {
      return static_cast<int32_t>(i);
    }
  }
  return static_cast<int32_t>(at);
}

// Down the columns of float32: results of one block at a time stay in the cache.
void run_columns(const Plan& plan, ReduceKind kind, const float* x, int32_t* y) {
  constexpr int64_t kBlock = 512;
  const int64_t blocks = (plan.inner + kBlock - 1) / kBlock;
  parallel_for(plan.outer * blocks, plan.n * std::min(kBlock, plan.inner) * 4, [&](int64_t item) {
    const int64_t column = item % blocks * kBlock;
    const int64_t o = item / blocks;
    float best[kBlock];
    kernels().arg_reduce_columns(kind, x + o * plan.n * plan.inner + column, plan.n, plan.inner,
                                 std::min(kBlock, plan.inner - column), best,
                                 y + o * plan.inner + column);
  });
}

template <bool is_max>
void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  int32_t* y = launch.output<int32_t>(0);
  constexpr ReduceKind kKind = is_max ? ReduceKind::kMax : ReduceKind::kMin;
  if (plan.dtype == DType::kFloat32 && plan.inner > 1) {
    return run_columns(plan, kKind, launch.input<float>(0), y);
  }
  const int64_t piece = std::max<int64_t>(1, 16'384 / plan.n);
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    const T* x = launch.input<T>(0);
    parallel_ranges(plan.outer * plan.inner, piece, plan.n * 4, [&](int64_t begin, int64_t end) {
      if constexpr (std::is_same_v<T, float>) {
        if (plan.inner == 1) {
          kernels().arg_reduce_rows(kKind, x + begin * plan.n, end - begin, plan.n, y + begin);
          return;
        }
      }
      if constexpr (std::is_arithmetic_v<T>) {
        for (int64_t i = begin; i < end; ++i) {
          y[i] = position<is_max, T>(x + i / plan.inner * plan.n * plan.inner + i % plan.inner,
                                     plan.n, plan.inner);
        }
      }
    });
  });
}

constexpr const char* kArgmax = "argmax";
constexpr const char* kArgmin = "argmin";

}  // namespace

OpDef argmax_op() {
  return {.name = kArgmax,
          .infer = infer,
          .prepare = prepare,
          .run = run<true>,
          .simplify = simplify<kArgmax>};
}

OpDef argmin_op() {
  return {.name = kArgmin,
          .infer = infer,
          .prepare = prepare,
          .run = run<false>,
          .simplify = simplify<kArgmin>};
}

}  // namespace pronghorn::ops
