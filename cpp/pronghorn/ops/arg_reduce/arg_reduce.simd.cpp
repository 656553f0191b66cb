// Positions of extrema of float32 rows.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

void reduce_rows(ReduceKind kind, const float* x, int64_t rows, int64_t n, float* y);

namespace {

// Position of the first lane that is set, of kLanes or fewer lanes; one is.
PRONGHORN_INLINE int32_t first_set(Mask mask) {
#if defined(PRONGHORN_ISA_AVX512)
  return __builtin_ctz(static_cast<unsigned>(_mm512_movepi32_mask((__m512i)mask)));
#elif defined(PRONGHORN_ISA_AVX2)
  return __builtin_ctz(static_cast<unsigned>(_mm256_movemask_ps((__m256)mask)));
#elif defined(__x86_64__)
  return __builtin_ctz(static_cast<unsigned>(_mm_movemask_ps((__m128)mask)));
#else
  int32_t i = 0;
  while (mask[i] == 0) ++i;
  return i;
#endif
}

// Rows that fit a register.
template <bool is_max>
void arg_reduce_short_rows(const float* x, int64_t rows, int64_t n, int32_t* y) {
  const Mask live = iota() < static_cast<int32_t>(n);
  const Vec fill = broadcast(is_max ? -__builtin_inff() : __builtin_inff());
  for (int64_t i = 0; i < rows; ++i, x += n) {
    const Vec v = select(live, load_part(x, n), fill);
    const Mask nan = v != v;
    const float best = is_max ? horizontal_max(v) : horizontal_min(v);
    y[i] = first_set(any(nan) ? nan : (v == best) & live);
  }
}

// The first i with x[i] == value, or with x[i] != x[i] if the value is NaN. There is one.
int64_t find_first(const float* x, int64_t n, float value) {
  const bool is_nan = value != value;
  const Vec wanted = broadcast(value);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec v = load(x + i);
    if (any(is_nan ? v != v : v == wanted)) break;
  }
  while (i < n && !(is_nan ? x[i] != x[i] : x[i] == value)) ++i;
  return i < n ? i : 0;
}

}  // namespace

// y(i) = the first j where x(i, j) is the maximum (kMax) or minimum (kMin) of the row, or is NaN.
// x: (rows, n), n >= 1.
void arg_reduce_rows(ReduceKind kind, const float* x, int64_t rows, int64_t n, int32_t* y) {
  if (n <= kLanes) {
    return kind == ReduceKind::kMax ? arg_reduce_short_rows<true>(x, rows, n, y)
                                    : arg_reduce_short_rows<false>(x, rows, n, y);
  }
  for (int64_t i = 0; i < rows; ++i) {
    float value;
    reduce_rows(kind, x + i * n, 1, n, &value);
    y[i] = static_cast<int32_t>(find_first(x + i * n, n, value));
  }
}

// y(j) = the first i where x[i stride + j] is the maximum (kMax) or minimum (kMin) over i in [0,
// n), or is NaN; best(j) its value.  0 <= j < columns, n >= 1.
void arg_reduce_columns(ReduceKind kind, const float* x, int64_t n, int64_t stride, int64_t columns,
                        float* best, int32_t* y) {
  const bool is_max = kind == ReduceKind::kMax;
  for (int64_t j = 0; j < columns; ++j) {
    best[j] = x[j];
    y[j] = 0;
  }
  for (int64_t i = 1; i < n; ++i) {
    const float* row = x + i * stride;
    const IVec at = broadcast(static_cast<int32_t>(i));
    const auto step = [&](Vec v, Vec b) PRONGHORN_LAMBDA_INLINE {
      return (is_max ? v > b : v < b) | ((v != v) & (b == b));
    };
    int64_t j = 0;
    for (; j + kLanes <= columns; j += kLanes) {
      const Vec v = load(row + j);
      const Vec b = load(best + j);
      const Mask better = step(v, b);
      store(best + j, select(better, v, b));
      store(y + j, select(better, at, load(y + j)));
    }
    if (j < columns) {
      const Vec v = load_part(row + j, columns - j);
      const Vec b = load_part(best + j, columns - j);
      const Mask better = step(v, b);
      store_part(best + j, select(better, v, b), columns - j);
      store_part(y + j, select(better, at, load_part(y + j, columns - j)), columns - j);
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
