// Gate functions on vectors, and loops over the rows and columns of a recurrent step. Include only
// from *.simd.cpp.
#pragma once

#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/math.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// 1 / x for x in [1, 2^126].
PRONGHORN_INLINE Vec reciprocal(Vec x) {
#if defined(PRONGHORN_ISA_AVX512)
  // 14 bits, then one step of Newton: a division takes as long as ten other instructions.
  const Vec r = (Vec)_mm512_maskz_rcp14_ps(kAllLanes, (__m512)x);
  return fma(r, fma(-x, r, broadcast(1.0f)), r);
#else
  return 1.0f / x;
#endif
}

PRONGHORN_INLINE Vec gate_sigmoid(Vec x) {
  x = min(broadcast(87.0f), max(broadcast(-87.0f), x));
  Vec n;
  const Vec p = reduced_expm1(-x, &n);
  return reciprocal(1.0f + scale_by_power(p + 1.0f, n));
}

PRONGHORN_INLINE Vec gate_tanh(Vec x) {
  const Vec a = max(broadcast(-20.0f), -2.0f * abs(x));
  Vec n;
  const Vec p = reduced_expm1(a, &n);
  const Vec power = scale_by_power(broadcast(1.0f), n);
  const Vec t = fma(power, p, power - 1.0f);  // e^a - 1
  return copysign(t * reciprocal(t + 2.0f), x);
}

PRONGHORN_INLINE Vec apply(GateFunction f, Vec x) {
  switch (f) {
    case GateFunction::kTanh: return gate_tanh(x);
    case GateFunction::kSigmoid: return gate_sigmoid(x);
    case GateFunction::kRelu: return maximum(x, zero());
    case GateFunction::kHardSigmoid:
      return minimum(maximum(x + 3.0f, zero()), broadcast(6.0f)) * (1.0f / 6.0f);
    case GateFunction::kSoftsign: return x / (1.0f + abs(x));
    case GateFunction::kElu: return select(x > 0.0f, x, expm1(x));
    case GateFunction::kSoftplus: return softplus(x);
    case GateFunction::kLinear: break;
  }
  return x;
}

// The derivative where the result is y.
PRONGHORN_INLINE Vec slope(GateFunction f, Vec y) {
  const Vec one = broadcast(1.0f);
  switch (f) {
    case GateFunction::kTanh: return fma(-y, y, one);
    case GateFunction::kSigmoid: return fma(-y, y, y);
    case GateFunction::kRelu: return select(y > 0.0f, one, zero());
    case GateFunction::kHardSigmoid:
      return select((y > 0.0f) & (y < 1.0f), broadcast(1.0f / 6.0f), zero());
    case GateFunction::kSoftsign: return (1.0f - abs(y)) * (1.0f - abs(y));
    case GateFunction::kElu: return select(y > 0.0f, one, y + 1.0f);
    case GateFunction::kSoftplus: return 1.0f - exp(-y);
    case GateFunction::kLinear: break;
  }
  return one;
}

// The functions known when this is compiled: the usual ones, or what `given` says.
template <bool kUsual>
PRONGHORN_INLINE GateFunctions known(GateFunctions given) {
  return kUsual ? GateFunctions{GateFunction::kTanh, GateFunction::kSigmoid} : given;
}
PRONGHORN_INLINE bool is_usual(GateFunctions f) {
  return f.activation == GateFunction::kTanh && f.recurrent == GateFunction::kSigmoid;
}

// A row of a matrix that may be missing.
PRONGHORN_INLINE float* row_of(const FloatRows& m, int64_t i) {
  return m.at == nullptr ? nullptr : m.at + i * m.stride;
}
PRONGHORN_INLINE const float* row_of(const ConstRows& m, int64_t i) {
  return m.at == nullptr ? nullptr : m.at + i * m.stride;
}
PRONGHORN_INLINE bool counts(const RowMask& mask, int64_t i) {
  return mask.at == nullptr || mask.at[i * mask.stride] != 0;
}

// n lanes; all but the last call of for_columns have n == kLanes.
PRONGHORN_INLINE Vec read(const float* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
PRONGHORN_INLINE void write(float* p, Vec v, int64_t n) {
  if (n == kLanes) {
    store(p, v);
  } else {
    store_part(p, v, n);
  }
}
PRONGHORN_INLINE void write_if(float* row, int64_t j, Vec v, int64_t n) {
  if (row != nullptr) write(row + j, v, n);
}

// Calls f(j, n): n columns from j on.
template <typename F>
PRONGHORN_INLINE void for_columns(int64_t columns, F f) {
  int64_t j = 0;
  for (; j + kLanes <= columns; j += kLanes) f(j, static_cast<int64_t>(kLanes));
  if (j < columns) f(j, columns - j);
}

PRONGHORN_INLINE void copy_row(const float* from, int64_t columns, float* to) {
  if (to == nullptr) return;
  for_columns(columns, [&](int64_t j, int64_t n)
                           PRONGHORN_LAMBDA_INLINE { write(to + j, read(from + j, n), n); });
}
PRONGHORN_INLINE void zero_row(float* to, int64_t columns) {
  if (to == nullptr) return;
  for_columns(columns,
              [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE { write(to + j, zero(), n); });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
