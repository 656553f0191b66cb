// Fourier transforms of a few points in registers: a(u) = sum over t of a(t) exp(-2 pi i t u /
// radix). Include only from *.simd.cpp.
#pragma once

#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

struct Complex {
  Vec re;
  Vec im;
};

PRONGHORN_INLINE Complex operator+(const Complex& a, const Complex& b) {
  return {a.re + b.re, a.im + b.im};
}
PRONGHORN_INLINE Complex operator-(const Complex& a, const Complex& b) {
  return {a.re - b.re, a.im - b.im};
}
PRONGHORN_INLINE Complex multiply(const Complex& a, const Complex& b) {
  return {fma(a.re, b.re, -(a.im * b.im)), fma(a.re, b.im, a.im * b.re)};
}
// a - i b and a + i b
PRONGHORN_INLINE Complex minus_i(const Complex& a, const Complex& b) {
  return {a.re + b.im, a.im - b.re};
}
PRONGHORN_INLINE Complex plus_i(const Complex& a, const Complex& b) {
  return {a.re - b.im, a.im + b.re};
}

PRONGHORN_INLINE void butterfly(Complex (&a)[2]) {
  const Complex difference = a[0] - a[1];
  a[0] = a[0] + a[1];
  a[1] = difference;
}

PRONGHORN_INLINE void butterfly(Complex (&a)[3]) {
  constexpr float kSine = 0.86602540378443864676f;
  const Complex sum = a[1] + a[2];
  const Complex difference{(a[1].re - a[2].re) * kSine, (a[1].im - a[2].im) * kSine};
  const Complex half{a[0].re - 0.5f * sum.re, a[0].im - 0.5f * sum.im};
  a[0] = a[0] + sum;
  a[1] = minus_i(half, difference);
  a[2] = plus_i(half, difference);
}

PRONGHORN_INLINE void four_points(Complex& a0, Complex& a1, Complex& a2, Complex& a3) {
  const Complex s02 = a0 + a2;
  const Complex d02 = a0 - a2;
  const Complex s13 = a1 + a3;
  const Complex d13 = a1 - a3;
  a0 = s02 + s13;
  a1 = minus_i(d02, d13);
  a2 = s02 - s13;
  a3 = plus_i(d02, d13);
}

PRONGHORN_INLINE void butterfly(Complex (&a)[4]) { four_points(a[0], a[1], a[2], a[3]); }

PRONGHORN_INLINE void butterfly(Complex (&a)[5]) {
  constexpr float kCos1 = 0.30901699437494742410f;
  constexpr float kCos2 = -0.80901699437494742410f;
  constexpr float kSin1 = 0.95105651629515357212f;
  constexpr float kSin2 = 0.58778525229247312917f;
  const Complex s1 = a[1] + a[4];
  const Complex d1 = a[1] - a[4];
  const Complex s2 = a[2] + a[3];
  const Complex d2 = a[2] - a[3];
  const Complex e1{a[0].re + s1.re * kCos1 + s2.re * kCos2,
                   a[0].im + s1.im * kCos1 + s2.im * kCos2};
  const Complex e2{a[0].re + s1.re * kCos2 + s2.re * kCos1,
                   a[0].im + s1.im * kCos2 + s2.im * kCos1};
  const Complex o1{d1.re * kSin1 + d2.re * kSin2, d1.im * kSin1 + d2.im * kSin2};
  const Complex o2{d1.re * kSin2 - d2.re * kSin1, d1.im * kSin2 - d2.im * kSin1};
  a[0] = a[0] + s1 + s2;
  a[1] = minus_i(e1, o1);
  a[2] = minus_i(e2, o2);
  a[3] = plus_i(e2, o2);
  a[4] = plus_i(e1, o1);
}

inline constexpr float kHalfRoot = 0.70710678118654752440f;

// a exp(-2 pi i / 8) and a exp(-2 pi i 3 / 8)
PRONGHORN_INLINE Complex turn_eighth(const Complex& a) {
  return {(a.re + a.im) * kHalfRoot, (a.im - a.re) * kHalfRoot};
}
PRONGHORN_INLINE Complex turn_three_eighths(const Complex& a) {
  return {(a.im - a.re) * kHalfRoot, (a.re + a.im) * -kHalfRoot};
}

PRONGHORN_INLINE void butterfly(Complex (&a)[8]) {
  four_points(a[0], a[2], a[4], a[6]);
  four_points(a[1], a[3], a[5], a[7]);
  const Complex odd1 = turn_eighth(a[3]);
  const Complex odd3 = turn_three_eighths(a[7]);
  const Complex e0 = a[0], e1 = a[2], e2 = a[4], e3 = a[6];
  const Complex odd0 = a[1], odd2 = a[5];
  a[0] = e0 + odd0;
  a[4] = e0 - odd0;
  a[1] = e1 + odd1;
  a[5] = e1 - odd1;
  a[2] = minus_i(e2, odd2);
  a[6] = plus_i(e2, odd2);
  a[3] = e3 + odd3;
  a[7] = e3 - odd3;
}

PRONGHORN_INLINE void butterfly(Complex (&a)[16]) {
  constexpr float kCos = 0.92387953251128675613f;
  constexpr float kSin = 0.38268343236508977173f;
  const auto turn = [](const Complex& x, float c, float s) PRONGHORN_LAMBDA_INLINE {
    return multiply(x, {broadcast(c), broadcast(s)});
  };
#pragma GCC unroll 4
  for (int t = 0; t < 4; ++t) four_points(a[t], a[t + 4], a[t + 8], a[t + 12]);
  // a[t + 4 k] turns by t k / 16
  a[5] = turn(a[5], kCos, -kSin);
  a[6] = turn_eighth(a[6]);
  a[7] = turn(a[7], kSin, -kCos);
  a[9] = turn_eighth(a[9]);
  a[10] = {a[10].im, -a[10].re};
  a[11] = turn_three_eighths(a[11]);
  a[13] = turn(a[13], kSin, -kCos);
  a[14] = turn_three_eighths(a[14]);
  a[15] = turn(a[15], -kCos, kSin);
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    four_points(a[4 * k], a[4 * k + 1], a[4 * k + 2], a[4 * k + 3]);
  }
  // result k + 4 j stands at 4 k + j
  Complex y[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) y[i / 4 + 4 * (i % 4)] = a[i];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = y[i];
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
