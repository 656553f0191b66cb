// Functions of vectors under the names of elementwise.inc, beyond simd/math.h. Include only from
// *.simd.cpp.
#pragma once

#include "pronghorn/simd/math.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

PRONGHORN_INLINE Vec one() { return broadcast(1.0f); }
PRONGHORN_INLINE Vec rsqrt(Vec x) { return 1.0f / sqrt(x); }
PRONGHORN_INLINE Vec reciprocal(Vec x) { return 1.0f / x; }
PRONGHORN_INLINE Vec arcsin(Vec x) { return asin(x); }
PRONGHORN_INLINE Vec arccos(Vec x) { return acos(x); }
PRONGHORN_INLINE Vec arctan(Vec x) { return atan(x); }
PRONGHORN_INLINE Vec arcsinh(Vec x) { return asinh(x); }
PRONGHORN_INLINE Vec arccosh(Vec x) { return acosh(x); }
PRONGHORN_INLINE Vec arctanh(Vec x) { return atanh(x); }
PRONGHORN_INLINE Vec arctan2(Vec a, Vec b) { return atan2(a, b); }
PRONGHORN_INLINE Vec power(Vec a, Vec b) { return pow(a, b); }

// x (1 + erf(x / sqrt 2)) / 2
PRONGHORN_INLINE Vec gelu(Vec x) {
  const Vec half = 0.5f * x;
  return fma(half, erf(x * 0.70710678118654752f), half);
}

// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, as x sigmoid(2 ...): one exponential, and no
// cancellation below 0.
PRONGHORN_INLINE Vec gelu_tanh(Vec x) {
  const Vec cubic = fma(x * x, broadcast(2.0f * 0.79788456080286536f * 0.044715f),
                        broadcast(2.0f * 0.79788456080286536f));
  return x * sigmoid(x * cubic);
}

PRONGHORN_INLINE Vec sign(Vec x) { return select(x > 0.0f, one(), select(x < 0.0f, -one(), x)); }

PRONGHORN_INLINE Mask isnan(Vec x) { return x != x; }
PRONGHORN_INLINE Mask isinf(Vec x) { return abs(x) == kInfinity; }
PRONGHORN_INLINE Mask isfinite(Vec x) { return abs(x) < kInfinity; }

// a - floor(a / b) b, exact, with the sign of b.
PRONGHORN_INLINE Vec mod(Vec a, Vec b) {
  return map_lanes(a, b, [](float x, float y) {
    const float r = __builtin_fmodf(x, y);
    if (r == 0.0f) return __builtin_copysignf(0.0f, y);
    return (r < 0.0f) != (y < 0.0f) ? r + y : r;
  });
}

// floor(a / b) of the exact quotient, as NumPy.
PRONGHORN_INLINE Vec floor_divide(Vec a, Vec b) {
  return map_lanes(a, b, [](float x, float y) {
    if (y == 0.0f) return x / y;
    const float r = __builtin_fmodf(x, y);
    float quotient = (x - r) / y;
    if (r != 0.0f && (r < 0.0f) != (y < 0.0f)) quotient -= 1.0f;
    if (quotient == 0.0f) return __builtin_copysignf(0.0f, x / y);
    const float down = __builtin_floorf(quotient);
    return quotient - down > 0.5f ? down + 1.0f : down;
  });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
