// Sums, products and extrema of float32, over contiguous rows and down columns. NaN propagates.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

struct Sum {
  static constexpr float kIdentity = 0.0f;
  PRONGHORN_INLINE static Vec combine(Vec a, Vec b) { return a + b; }
  PRONGHORN_INLINE static float across(Vec v) { return horizontal_sum(v); }
};
struct Prod {
  static constexpr float kIdentity = 1.0f;
  PRONGHORN_INLINE static Vec combine(Vec a, Vec b) { return a * b; }
  PRONGHORN_INLINE static float across(Vec v) {
    return fold(v, [](float a, float b) { return a * b; });
  }
};
struct Max {
  static constexpr float kIdentity = -__builtin_inff();
  PRONGHORN_INLINE static Vec combine(Vec a, Vec b) { return maximum(a, b); }
  PRONGHORN_INLINE static float across(Vec v) {
    return any(v != v) ? __builtin_nanf("") : horizontal_max(v);
  }
};
struct Min {
  static constexpr float kIdentity = __builtin_inff();
  PRONGHORN_INLINE static Vec combine(Vec a, Vec b) { return minimum(a, b); }
  PRONGHORN_INLINE static float across(Vec v) {
    return any(v != v) ? __builtin_nanf("") : horizontal_min(v);
  }
};

constexpr int kChains = 8;  // independent accumulators of a row

template <typename Op>
float reduce_row(const float* x, int64_t n) {
  int64_t i = 0;
  Vec result = broadcast(Op::kIdentity);
  if (n >= kChains * kLanes) {
    Vec chain[kChains];
    for (int k = 0; k < kChains; ++k) chain[k] = load(x + k * kLanes);
    for (i = kChains * kLanes; i + kChains * kLanes <= n; i += kChains * kLanes) {
      for (int k = 0; k < kChains; ++k) chain[k] = Op::combine(chain[k], load(x + i + k * kLanes));
    }
    for (int width = kChains / 2; width > 0; width /= 2) {
      for (int k = 0; k < width; ++k) chain[k] = Op::combine(chain[k], chain[k + width]);
    }
    result = chain[0];
  }
  for (; i + kLanes <= n; i += kLanes) result = Op::combine(result, load(x + i));
  if (i < n) {
    const Vec rest = load_part(x + i, n - i);
    result = Op::combine(
        result, select(iota() < static_cast<int32_t>(n - i), rest, broadcast(Op::kIdentity)));
  }
  return Op::across(result);
}

template <typename Op>
void reduce_all_rows(const float* x, int64_t rows, int64_t n, float* y) {
  for (int64_t i = 0; i < rows; ++i) y[i] = reduce_row<Op>(x + i * n, n);
}

// Up to 8 rows as one, pairwise.
template <typename Op, typename Load>
PRONGHORN_INLINE Vec eight_rows(Load&& row) {
  const Vec a = Op::combine(Op::combine(row(0), row(1)), Op::combine(row(2), row(3)));
  const Vec b = Op::combine(Op::combine(row(4), row(5)), Op::combine(row(6), row(7)));
  return Op::combine(a, b);
}

// One vector of columns, of which the first `count` exist.
template <typename Op>
void reduce_column_vector(const float* x, int64_t n, int64_t stride, int64_t count, float* y) {
  Vec result = broadcast(Op::kIdentity);
  int64_t i = 0;
  if (count == kLanes) {
    for (; i + 8 <= n; i += 8) {
      result =
          Op::combine(result, eight_rows<Op>([&](int k) { return load(x + (i + k) * stride); }));
    }
    for (; i < n; ++i) result = Op::combine(result, load(x + i * stride));
    store(y, result);
  } else {
    for (; i + 8 <= n; i += 8) {
      result = Op::combine(
          result, eight_rows<Op>([&](int k) { return load_part(x + (i + k) * stride, count); }));
    }
    for (; i < n; ++i) result = Op::combine(result, load_part(x + i * stride, count));
    store_part(y, result, count);
  }
}

// Wide: rows are read as streams, results stay in the cache.
template <typename Op>
void reduce_wide_columns(const float* x, int64_t n, int64_t stride, int64_t columns, float* y) {
  const int64_t whole = columns / kLanes * kLanes;
  for (int64_t j = 0; j < whole; j += kLanes) store(y + j, broadcast(Op::kIdentity));
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const float* row = x + i * stride;
    for (int64_t j = 0; j < whole; j += kLanes) {
      const Vec sum = eight_rows<Op>([&](int k) { return load(row + k * stride + j); });
      store(y + j, Op::combine(load(y + j), sum));
    }
  }
  for (; i < n; ++i) {
    for (int64_t j = 0; j < whole; j += kLanes)
      store(y + j, Op::combine(load(y + j), load(x + i * stride + j)));
  }
  if (whole < columns) reduce_column_vector<Op>(x + whole, n, stride, columns - whole, y + whole);
}

template <typename Op>
void reduce_all_columns(const float* x, int64_t n, int64_t stride, int64_t columns, float* y) {
  if (columns >= 8 * kLanes) return reduce_wide_columns<Op>(x, n, stride, columns, y);
  for (int64_t j = 0; j < columns; j += kLanes) {
    reduce_column_vector<Op>(x + j, n, stride, columns - j < kLanes ? columns - j : kLanes, y + j);
  }
}

}  // namespace

// y(i) = reduction of x(i, j) over j.  x: (rows, n), n >= 1; y: (rows), not x.
void reduce_rows(ReduceKind kind, const float* x, int64_t rows, int64_t n, float* y) {
  switch (kind) {
    case ReduceKind::kSum: return reduce_all_rows<Sum>(x, rows, n, y);
    case ReduceKind::kProd: return reduce_all_rows<Prod>(x, rows, n, y);
    case ReduceKind::kMax: return reduce_all_rows<Max>(x, rows, n, y);
    case ReduceKind::kMin: return reduce_all_rows<Min>(x, rows, n, y);
  }
}

// y(j) = reduction of x[i stride + j] over i in [0, n), j in [0, columns).  n >= 1; y is not in x.
void reduce_columns(ReduceKind kind, const float* x, int64_t n, int64_t stride, int64_t columns,
                    float* y) {
  switch (kind) {
    case ReduceKind::kSum: return reduce_all_columns<Sum>(x, n, stride, columns, y);
    case ReduceKind::kProd: return reduce_all_columns<Prod>(x, n, stride, columns, y);
    case ReduceKind::kMax: return reduce_all_columns<Max>(x, n, stride, columns, y);
    case ReduceKind::kMin: return reduce_all_columns<Min>(x, n, stride, columns, y);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
