// Positions of extrema of float32 rows.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

void reduce_rows(ReduceKind kind, const float* x, int64_t rows, int64_t n, float* y);

namespace {

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

// y(i) = the first j where x(i, j) is the maximum (kMax) or minimum (kMin) of the row, or is NaN.  x: (rows, n), n >= 1.
void arg_reduce_rows(ReduceKind kind, const float* x, int64_t rows, int64_t n, int32_t* y) {
  for (int64_t i = 0; i < rows; ++i) {
    float value;
    reduce_rows(kind, x + i * n, 1, n, &value);
    y[i] = static_cast<int32_t>(find_first(x + i * n, n, value));
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
