// Functions of vectors: at most about 3 units in the last place off, and right at 0, infinity and
// NaN. Include only from *.simd.cpp. Polynomials marked "fitted" are weighted minimax fits on the
// stated interval; the others are those of the Cephes library (S. Moshier), single precision.
#pragma once

#include "pronghorn/simd/pow.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

inline constexpr float kInfinity = __builtin_inff();
inline constexpr float kNan = __builtin_nanf("");

// c[0] + c[1] x + c[2] x^2 + ...
template <int n>
PRONGHORN_INLINE Vec polynomial(Vec x, const float (&c)[n]) {
  Vec y = broadcast(c[n - 1]);
#pragma GCC unroll 16
  for (int i = n - 2; i >= 0; --i) y = fma(y, x, broadcast(c[i]));
  return y;
}

// x * 2^n for n holding integers in [-252, 252].
PRONGHORN_INLINE Vec scale_by_power(Vec x, Vec n) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Vec)_mm512_maskz_scalef_ps(kAllLanes, (__m512)x, (__m512)n);
#else
  const IVec whole = to_int(n);
  const IVec half = whole >> 1;
  return x * from_bits((half + 127) << 23) * from_bits((whole - half + 127) << 23);
#endif
}

// --- Exponentials ---

// x = n ln 2 + r with |r| <= ln 2 / 2; n in *n, e^r - 1 returned.
PRONGHORN_INLINE Vec reduced_expm1(Vec x, Vec* n) {
  *n = round(x * 1.44269504088896341f);
  Vec r = fma(*n, broadcast(-0.693359375f), x);
  r = fma(*n, broadcast(2.12194440e-4f), r);
  constexpr float c[] = {5.0000001201e-1f, 1.6666665459e-1f, 4.1665795894e-2f,
                         8.3334519073e-3f, 1.3981999507e-3f, 1.9875691500e-4f};
  return fma(r * r, polynomial(r, c), r);
}

PRONGHORN_INLINE Vec exp(Vec x) {
  x = min(broadcast(89.0f), max(broadcast(-105.0f), x));
  Vec n;
  const Vec p = reduced_expm1(x, &n);
  return scale_by_power(p + 1.0f, n);
}

PRONGHORN_INLINE Vec exp2(Vec x) {
  x = min(broadcast(129.0f), max(broadcast(-151.0f), x));
  const Vec n = round(x);
  Vec unused;
  // |x - n| <= 1/2, so the reduction inside finds 0 (or rounds to it exactly at the ends).
  const Vec p = reduced_expm1((x - n) * 0.693147180559945f, &unused);
  return scale_by_power(p + 1.0f, n + unused);
}

PRONGHORN_INLINE Vec expm1(Vec x) {
  const Vec clamped = min(broadcast(89.0f), max(broadcast(-20.0f), x));
  Vec n;
  const Vec p = reduced_expm1(clamped, &n);
  // 2^n p + 2^n - 1 as 2 (2^(n-1) p + 2^(n-1) - 1/2): 2^n alone may overflow.
  const Vec half = scale_by_power(broadcast(0.5f), n);
  const Vec y = 2.0f * fma(half, p, half - 0.5f);
  return select(x == 0.0f, x, y);
}

// --- Logarithms ---

// x = 2^n m with m in [sqrt(1/2), sqrt(2)); n in *n; m - 1 in *f; log(m) - (m - 1) returned. x
// positive and finite.
PRONGHORN_INLINE Vec reduced_log(Vec x, Vec* n, Vec* f) {
  const Mask subnormal = x < 1.17549435e-38f;
  x = select(subnormal, x * 8388608.0f, x);
  // Bits of sqrt(1/2) taken off: the exponent field then counts from the wanted range.
  // Unsigned: lanes outside the domain, which the caller replaces, may wrap around.
  const IVec shifted = (IVec)((UVec)bits_of(x) - 0x3f3504f3u);
  const IVec exponent = shifted >> 23;
  const Vec m = from_bits((shifted & 0x007fffff) + 0x3f3504f3);
  *n = to_float(exponent) - select(subnormal, broadcast(23.0f), zero());
  const Vec t = m - 1.0f;
  *f = t;
  constexpr float c[] = {3.3333331174e-1f,  -2.4999993993e-1f, 2.0000714765e-1f,
                         -1.6668057665e-1f, 1.4249322787e-1f,  -1.2420140846e-1f,
                         1.1676998740e-1f,  -1.1514610310e-1f, 7.0376836292e-2f};
  const Vec square = t * t;
  return fma(polynomial(t, c) * square, t, -0.5f * square);
}

// Values where the reduction does not hold: log(0) = -inf, log(negative) = NaN, log(inf) = inf.
PRONGHORN_INLINE Vec log_edges(Vec x, Vec y) {
  y = select(x == 0.0f, broadcast(-kInfinity), y);
  y = select(x == kInfinity, x, y);
  return select(x >= 0.0f, y, broadcast(kNan));
}

PRONGHORN_INLINE Vec log(Vec x) {
  Vec n, f;
  Vec y = reduced_log(x, &n, &f);
  y = fma(n, broadcast(-2.12194440e-4f), y) + f;
  return log_edges(x, fma(n, broadcast(0.693359375f), y));
}

PRONGHORN_INLINE Vec log2(Vec x) {
  Vec n, f;
  const Vec y = reduced_log(x, &n, &f);
  // log2(e) = 1 + 0.4427: the leading products are kept exact.
  Vec z = y * 0.44269504088896340735992f;
  z = fma(f, broadcast(0.44269504088896340735992f), z);
  return log_edges(x, ((z + y) + f) + n);
}

PRONGHORN_INLINE Vec log10(Vec x) {
  Vec n, f;
  const Vec y = reduced_log(x, &n, &f);
  Vec z = fma(n, broadcast(2.48745663981195213739e-4f), y * 7.00731903251827651129e-4f);
  z = fma(f, broadcast(7.00731903251827651129e-4f), z);
  z = fma(y, broadcast(4.33593750000000000000e-1f), z);
  z = fma(f, broadcast(4.33593750000000000000e-1f), z);
  return log_edges(x, fma(n, broadcast(3.00781250000000000000e-1f), z));
}

PRONGHORN_INLINE Vec log1p(Vec x) {
  const Vec u = x + 1.0f;
  // What the sum rounded off, to first order: log(1 + x) = log(u) + (x - (u - 1)) / u.
  const Vec lost = select((u > 0.0f) & (x < 1e8f), (x - (u - 1.0f)) / u, zero());
  const Vec y = log(u) + lost;
  return select(x == 0.0f, x, y);
}

// log(1 + e^x)
PRONGHORN_INLINE Vec softplus(Vec x) {
  const Vec positive = select(x > 0.0f, x, select(x == x, zero(), x));
  return positive + log1p(exp(-abs(x)));
}

// --- Sigmoids ---

PRONGHORN_INLINE Vec sigmoid(Vec x) { return 1.0f / (1.0f + exp(-x)); }

PRONGHORN_INLINE Vec tanh(Vec x) {
  const Vec t = expm1(-2.0f * abs(x));
  return copysign(t / (t + 2.0f), x);
}

PRONGHORN_INLINE Vec erf(Vec x) {
  const Vec t = abs(x);
  // Fitted on [0, 0.9375] in x^2 and on [0.9375, 4] as -log(erfc(x)).
  constexpr float small[] = {1.283791666e-01f,  -3.761263320e-01f, 1.128368635e-01f,
                             -2.685885121e-02f, 5.199599839e-03f,  -8.125806465e-04f,
                             8.296609948e-05f};
  constexpr float large[] = {-1.792841930e-04f, 1.129536957e+00f,  6.333025579e-01f,
                             1.083287221e-01f,  -2.515077610e-02f, 4.182934207e-03f,
                             -4.369066614e-04f, 2.130600428e-05f};
  const Vec near = fma(polynomial(t * t, small), t, t);
  const Vec far = 1.0f - exp(-polynomial(min(broadcast(4.0f), t), large));
  return copysign(select(t < 0.9375f, near, far), x);
}

// --- Trigonometry ---

namespace trigonometry {

// x = n pi/2 + r, |r| <= pi/4: sin(r) and cos(r) of the Cephes library, and the quadrant n.
struct Reduced {
  Vec sin;
  Vec cos;
  IVec quadrant;
};

PRONGHORN_INLINE Reduced reduce(Vec x) {
  const Vec n = round(x * 0.636619772367581343f);
  Vec r = fma(n, broadcast(-1.5703125f), x);
  r = fma(n, broadcast(-4.83751296997070312500e-4f), r);
  r = fma(n, broadcast(-7.54953362047672271729e-8f), r);
  r = fma(n, broadcast(-2.56334406825708960298e-12f), r);
  const Vec s = r * r;
  constexpr float sine[] = {-1.6666654611e-1f, 8.3321608736e-3f, -1.9515295891e-4f};
  constexpr float cosine[] = {4.166664568298827e-2f, -1.388731625493765e-3f, 2.443315711809948e-5f};
  const Vec sin_r = fma(polynomial(s, sine) * s, r, r);
  const Vec cos_r = fma(polynomial(s, cosine) * s, s, 1.0f - 0.5f * s);
  return {sin_r, cos_r, to_int(n)};
}

// The reduction above holds to full precision up to here (without fma, n * 1.5703125 must be
// exact).
inline constexpr float kLargest = 8192.0f;

}  // namespace trigonometry

PRONGHORN_INLINE Vec sin(Vec x) {
  if (any(~(abs(x) <= trigonometry::kLargest)))
    return map_lanes(x, [](float v) { return __builtin_sinf(v); });
  const trigonometry::Reduced r = trigonometry::reduce(x);
  const Vec y = select((r.quadrant & 1) == 0, r.sin, r.cos);
  return from_bits(bits_of(y) ^ ((r.quadrant & 2) << 30));
}

PRONGHORN_INLINE Vec cos(Vec x) {
  if (any(~(abs(x) <= trigonometry::kLargest)))
    return map_lanes(x, [](float v) { return __builtin_cosf(v); });
  const trigonometry::Reduced r = trigonometry::reduce(x);
  const Vec y = select((r.quadrant & 1) == 0, r.cos, r.sin);
  return from_bits(bits_of(y) ^ (((r.quadrant + 1) & 2) << 30));
}

PRONGHORN_INLINE Vec tan(Vec x) {
  if (any(~(abs(x) <= trigonometry::kLargest)))
    return map_lanes(x, [](float v) { return __builtin_tanf(v); });
  const trigonometry::Reduced r = trigonometry::reduce(x);
  const Mask even = (r.quadrant & 1) == 0;
  return select(even, r.sin, -r.cos) / select(even, r.cos, r.sin);
}

PRONGHORN_INLINE Vec atan(Vec x) {
  const Vec t = abs(x);
  const Mask large = t > 2.414213562373095f;
  const Mask middle = (t > 0.4142135623730950f) & ~large;
  const Vec base = select(large, broadcast(1.57079632679489662f),
                          select(middle, broadcast(0.785398163397448310f), zero()));
  const Vec z = select(large, -1.0f / t, select(middle, (t - 1.0f) / (t + 1.0f), t));
  constexpr float c[] = {-3.33329491539e-1f, 1.99777106478e-1f, -1.38776856032e-1f,
                         8.05374449538e-2f};
  const Vec s = z * z;
  return copysign(base + fma(polynomial(s, c) * s, z, z), x);
}

// --- Inverse trigonometric functions ---

// atan(t) for t in [0, 1].
PRONGHORN_INLINE Vec atan_below_one(Vec t) {
  const Mask large = t > 0.4142135623730950f;
  const Vec z = select(large, (t - 1.0f) / (t + 1.0f), t);
  constexpr float c[] = {-3.33329491539e-1f, 1.99777106478e-1f, -1.38776856032e-1f,
                         8.05374449538e-2f};
  const Vec s = z * z;
  return select(large, broadcast(0.785398163397448310f), zero()) + fma(polynomial(s, c) * s, z, z);
}

PRONGHORN_INLINE Vec atan2(Vec y, Vec x) {
  const Vec a = abs(y);
  const Vec b = abs(x);
  const Vec most = max(a, b);
  const Vec least = min(a, b);
  Vec ratio = select(least == most, broadcast(1.0f), least / most);  // of infinities, too
  ratio = select(most == 0.0f, zero(), ratio);
  Vec angle = atan_below_one(ratio);
  angle = select(a > b, 1.57079632679489662f - angle, angle);
  angle = select(bits_of(x) < 0, 3.14159265358979324f - angle, angle);
  return select((x == x) & (y == y), copysign(angle, y), x + y);
}

// asin(t) - t for t in [0, 1/2].
PRONGHORN_INLINE Vec asin_rest(Vec t, Vec square) {
  constexpr float c[] = {1.6666752422e-1f, 7.4953002686e-2f, 4.5470025998e-2f, 2.4181311049e-2f,
                         4.2163199048e-2f};
  return polynomial(square, c) * square * t;
}

PRONGHORN_INLINE Vec asin(Vec x) {
  const Vec a = abs(x);
  const Mask large = a > 0.5f;
  const Vec square = select(large, 0.5f * (1.0f - a), a * a);
  const Vec t = select(large, sqrt(square), a);
  const Vec angle = t + asin_rest(t, square);
  return copysign(select(large, 1.57079632679489662f - 2.0f * angle, angle), x);
}

PRONGHORN_INLINE Vec acos(Vec x) {
  const Vec a = abs(x);
  const Mask large = a > 0.5f;
  const Vec square = select(large, 0.5f * (1.0f - a), a * a);
  const Vec t = select(large, sqrt(square), a);
  const Vec angle = t + asin_rest(t, square);
  const Mask negative = x < 0.0f;
  const Vec outer = select(negative, 3.14159265358979324f - 2.0f * angle, 2.0f * angle);
  const Vec inner = 1.57079632679489662f - select(negative, -angle, angle);
  return select(large, outer, inner);
}

// --- Hyperbolic functions and their inverses ---

// e^x / 2 for x >= 0: finite where e^x is not.
PRONGHORN_INLINE Vec half_exp(Vec x) {
  x = min(broadcast(91.0f), x);
  Vec n;
  const Vec p = reduced_expm1(x, &n);
  return scale_by_power(fma(p, broadcast(0.5f), broadcast(0.5f)), n);
}

PRONGHORN_INLINE Vec cosh(Vec x) {
  const Vec h = half_exp(abs(x));
  return h + 0.25f / h;
}

PRONGHORN_INLINE Vec sinh(Vec x) {
  const Vec a = abs(x);
  const Vec s = x * x;
  constexpr float c[] = {1.66667160211e-1f, 8.33028376239e-3f, 2.03721912945e-4f};
  const Vec near = fma(polynomial(s, c) * s, a, a);
  const Vec h = half_exp(a);
  return copysign(select(a < 1.0f, near, h - 0.25f / h), x);
}

// What follows is log1p of an argument that is small where the result is; for large a, whose
// square overflows, log(2 a).
inline constexpr float kLargeInverse = 1e9f;

PRONGHORN_INLINE Vec asinh(Vec x) {
  const Vec a = abs(x);
  const Vec root = sqrt(fma(a, a, broadcast(1.0f)));
  const Vec near = log1p(a + a * a / (1.0f + root));
  const Vec far = log(a) + 0.693147180559945f;
  return copysign(select(a < kLargeInverse, near, far), x);
}

PRONGHORN_INLINE Vec acosh(Vec x) {
  const Vec t = x - 1.0f;
  const Vec near = log1p(t + sqrt(t * (t + 2.0f)));
  const Vec far = log(x) + 0.693147180559945f;
  return select(x >= 1.0f, select(x < kLargeInverse, near, far), broadcast(kNan));
}

PRONGHORN_INLINE Vec atanh(Vec x) {
  const Vec a = abs(x);
  return copysign(0.5f * log1p(2.0f * a / (1.0f - a)), x);
}

// --- Others ---

// A third of the exponent, and two steps of Halley's method.
PRONGHORN_INLINE Vec cbrt(Vec x) {
  const Mask subnormal = abs(x) < 1.17549435e-38f;
  const Vec a = select(subnormal, abs(x) * 16777216.0f, abs(x));
  Vec y = from_bits(to_int(to_float(bits_of(a)) * (1.0f / 3.0f)) + 0x2a5137a0);
#pragma GCC unroll 2
  for (int step = 0; step < 2; ++step) {
    const Vec t = y / a * y * y;
    y = y * ((t + 2.0f) / (2.0f * t + 1.0f));
  }
  y = select(subnormal, y * 0.00390625f, y);
  return select((x == 0.0f) | ~(abs(x) < kInfinity), x, copysign(y, x));
}

// x with erf(x) = y. Start: the two-branch approximation of M. Giles, "Approximating the erfinv
// function" (GPU Computing Gems, 2010), single precision.
PRONGHORN_INLINE Vec erfinv(Vec y) {
  const Vec w = -log((1.0f - y) * (1.0f + y));
  constexpr float central[] = {1.50140941f,     0.246640727f,    -0.00417768164f,
                               -0.00125372503f, 0.000218580870f, -4.39150654e-6f,
                               -3.5233877e-6f,  3.43273939e-7f,  2.81022636e-8f};
  constexpr float tail[] = {2.83297682f,    1.00167406f,     0.00943887047f,
                            -0.0076224613f, 0.00573950773f,  -0.00367342844f,
                            0.00134934322f, 0.000100950558f, -0.000200214257f};
  const Vec p = select(w < 5.0f, polynomial(w - 2.5f, central), polynomial(sqrt(w) - 3.0f, tail));
  const Vec x = p * y;
  return select(abs(y) == 1.0f, copysign(broadcast(kInfinity), y), x);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
