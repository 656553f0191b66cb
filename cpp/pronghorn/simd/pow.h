// Powers of vectors, in double precision: the product of exponent and logarithm needs more digits
// than float has. Include only from *.simd.cpp.
#pragma once

#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Half as many lanes as Vec has.
typedef double Doubles __attribute__((vector_size(PRONGHORN_VECTOR_BYTES)));
typedef uint64_t DoubleBits __attribute__((vector_size(PRONGHORN_VECTOR_BYTES)));

struct DoublePair {
  Doubles low;
  Doubles high;
};

PRONGHORN_INLINE DoublePair to_double(Vec x) {
#if defined(PRONGHORN_ISA_AVX512)
  const __m256 low = _mm512_maskz_extractf32x8_ps(0xff, (__m512)x, 0);
  const __m256 high = _mm512_maskz_extractf32x8_ps(0xff, (__m512)x, 1);
  return {(Doubles)_mm512_maskz_cvtps_pd(0xff, low), (Doubles)_mm512_maskz_cvtps_pd(0xff, high)};
#elif defined(PRONGHORN_ISA_AVX2)
  return {(Doubles)_mm256_cvtps_pd(_mm256_castps256_ps128((__m256)x)),
          (Doubles)_mm256_cvtps_pd(_mm256_extractf128_ps((__m256)x, 1))};
#elif defined(__x86_64__)
  return {(Doubles)_mm_cvtps_pd((__m128)x),
          (Doubles)_mm_cvtps_pd(_mm_movehl_ps((__m128)x, (__m128)x))};
#else
  return {(Doubles)vcvt_f64_f32(vget_low_f32((float32x4_t)x)),
          (Doubles)vcvt_high_f64_f32((float32x4_t)x)};
#endif
}

PRONGHORN_INLINE Vec to_single(DoublePair x) {
#if defined(PRONGHORN_ISA_AVX512)
  const __m256 low = _mm512_maskz_cvtpd_ps(0xff, (__m512d)x.low);
  const __m256 high = _mm512_maskz_cvtpd_ps(0xff, (__m512d)x.high);
  return (Vec)_mm512_maskz_insertf32x8(kAllLanes, _mm512_maskz_broadcast_f32x8(0x00ff, low), high,
                                       1);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_set_m128(_mm256_cvtpd_ps((__m256d)x.high), _mm256_cvtpd_ps((__m256d)x.low));
#elif defined(__x86_64__)
  return (Vec)_mm_movelh_ps(_mm_cvtpd_ps((__m128d)x.low), _mm_cvtpd_ps((__m128d)x.high));
#else
  return (Vec)vcvt_high_f32_f64(vcvt_f32_f64((float64x2_t)x.low), (float64x2_t)x.high);
#endif
}

// log2(x) of a positive finite x, about 2^-38 off.
PRONGHORN_INLINE Doubles log2_double(Doubles x) {
  constexpr uint64_t kRootHalf = 0x3fe6a09e667f3bcd;  // bits of sqrt(1/2)
  const DoubleBits shifted = (DoubleBits)x + (0x3ff0000000000000 - kRootHalf);
  const Doubles exponent = (Doubles)((shifted >> 52) | 0x4330000000000000) - (0x1p52 + 1023.0);
  const Doubles m = (Doubles)((shifted & 0x000fffffffffffff) + kRootHalf);
  // log2(m) = 2 / ln 2 atanh(s): its series, |s| <= 0.1716.
  const Doubles s = (m - 1.0) / (m + 1.0);
  const Doubles z = s * s;
  Doubles p = z * (1.0 / 13.0) + (1.0 / 11.0);
  p = p * z + (1.0 / 9.0);
  p = p * z + (1.0 / 7.0);
  p = p * z + (1.0 / 5.0);
  p = p * z + (1.0 / 3.0);
  p = p * z + 1.0;
  return exponent + s * p * 2.8853900817779268;
}

// 2^t for |t| <= 1000, about 2^-32 off.
PRONGHORN_INLINE Doubles exp2_double(Doubles t) {
  constexpr double kWhole = 0x1.8p52;  // added, what is behind the point is rounded off
  const Doubles shifted = t + kWhole;
  const Doubles r = (t - (shifted - kWhole)) * 0.69314718055994531;
  Doubles p = r * (1.0 / 40320.0) + (1.0 / 5040.0);
  p = p * r + (1.0 / 720.0);
  p = p * r + (1.0 / 120.0);
  p = p * r + (1.0 / 24.0);
  p = p * r + (1.0 / 6.0);
  p = p * r + 0.5;
  p = p * r + 1.0;
  p = p * r + 1.0;
  return p * (Doubles)(((DoubleBits)shifted << 52) + 0x3ff0000000000000);
}

// 2^(y log2(x)) for x >= 0, infinity included; where the product is no number (0 times infinity) 1.
PRONGHORN_INLINE Doubles pow_double(Doubles x, Doubles y) {
  const Doubles infinity = Doubles{} + __builtin_inf();
  Doubles log = log2_double(x);
  log = x == 0.0 ? -infinity : x == infinity ? infinity : log;
  Doubles t = y * log;
  t = t == t ? t : Doubles{};
  t = t < -1000.0 ? Doubles{} - 1000.0 : t > 1000.0 ? Doubles{} + 1000.0 : t;
  return exp2_double(t);
}

// x^y with the special cases of C's powf (C17, F.10.4.4).
PRONGHORN_INLINE Vec pow(Vec x, Vec y) {
  const DoublePair a = to_double(abs(x));
  const DoublePair b = to_double(y);
  Vec z = to_single({pow_double(a.low, b.low), pow_double(a.high, b.high)});
  const Mask negative = bits_of(x) < 0;
  if (any(negative)) {
    const Mask whole = round(y) == y;
    // Numbers from 2^24 on are even.
    const Mask odd = whole & (abs(y) < 16777216.0f) & ((to_int(y) & 1) != 0);
    z = select(odd & negative, -z, z);
    const Mask undefined = (x < 0.0f) & (x > -__builtin_inff()) & ~whole;
    z = select(undefined, broadcast(__builtin_nanf("")), z);
  }
  z = select(x == x, z, x);
  z = select(y == y, z, y);
  return select((y == 0.0f) | (x == 1.0f), broadcast(1.0f), z);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
