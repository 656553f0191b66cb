// Passes over rows of float32 for the kernels of softmax and of the cross-entropies. Included by
// *.simd.cpp only.
#pragma once

#include "pronghorn/simd/math.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// Lanes past the end of a row.
PRONGHORN_INLINE Vec load_filled(const float* x, int64_t n, float fill) {
  return select(iota() < static_cast<int32_t>(n), load_part(x, n), broadcast(fill));
}

// Calls whole(i) for each full vector of a row of n, then part(i, count) for what remains.
template <typename Whole, typename Part>
PRONGHORN_INLINE void for_vectors(int64_t n, Whole&& whole, Part&& part) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) whole(i);
  if (i < n) part(i, n - i);
}

// Largest element; a NaN may be skipped. n >= 1.
PRONGHORN_INLINE float row_max(const float* x, int64_t n) {
  Vec m = broadcast(-__builtin_inff());
  for_vectors(
      n, [&](int64_t i) { m = max(load(x + i), m); },
      [&](int64_t i, int64_t count) { m = max(load_filled(x + i, count, -__builtin_inff()), m); });
  return horizontal_max(m);
}

// sum(exp(x(i) - m))
PRONGHORN_INLINE float row_sum_exp(const float* x, int64_t n, float m) {
  Vec sum = zero();
  for_vectors(
      n, [&](int64_t i) { sum += exp(load(x + i) - m); },
      [&](int64_t i, int64_t count) {
        sum += exp(load_filled(x + i, count, -__builtin_inff()) - m);
      });
  return horizontal_sum(sum);
}

// y(i) = exp(x(i) - m); their sum returned. y may be x.
PRONGHORN_INLINE float store_exp(const float* x, int64_t n, float m, float* y) {
  Vec sum = zero();
  for_vectors(
      n,
      [&](int64_t i) {
        const Vec e = exp(load(x + i) - m);
        store(y + i, e);
        sum += e;
      },
      [&](int64_t i, int64_t count) {
        const Vec e = exp(load_filled(x + i, count, -__builtin_inff()) - m);
        store_part(y + i, e, count);
        sum += select(iota() < static_cast<int32_t>(count), e, zero());
      });
  return horizontal_sum(sum);
}

// Softmax of a row of n <= kLanes elements; other lanes unspecified. n >= 1.
PRONGHORN_INLINE Vec softmax_vector(const float* x, int64_t n) {
  const Vec v = load_filled(x, n, -__builtin_inff());
  // The maximum may skip a NaN, but its exponential makes the sum NaN.
  const Vec e = exp(v - horizontal_max(v));
  return e * (1.0f / horizontal_sum(select(iota() < static_cast<int32_t>(n), e, zero())));
}

PRONGHORN_INLINE float scalar_log(float x) { return log(broadcast(x))[0]; }

}  // namespace
}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
