// Vectors of the ISA this file is compiled for: Vec (float) and IVec (int32) with kLanes lanes
// each. Both are compiler vector types, so + - * / & | ^ << >> and comparisons are the language's
// own operators; a scalar operand is broadcast (x * 2.0f). A comparison yields a Mask: an IVec with
// all bits of a lane set (true) or clear. Everything lives in the ISA's namespace: include only
// from *.simd.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define PRONGHORN_INLINE [[gnu::always_inline]] inline
#define PRONGHORN_LAMBDA_INLINE __attribute__((always_inline))

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

#if defined(PRONGHORN_ISA_AVX512)
#define PRONGHORN_VECTOR_BYTES 64
#elif defined(PRONGHORN_ISA_AVX2)
#define PRONGHORN_VECTOR_BYTES 32
#else
#define PRONGHORN_VECTOR_BYTES 16
#endif

inline constexpr int kLanes = PRONGHORN_VECTOR_BYTES / 4;

typedef float Vec __attribute__((vector_size(PRONGHORN_VECTOR_BYTES)));
typedef int32_t IVec __attribute__((vector_size(PRONGHORN_VECTOR_BYTES)));
typedef uint32_t UVec __attribute__((vector_size(PRONGHORN_VECTOR_BYTES)));
using Mask = IVec;

// --- Memory. Addresses need no alignment. ---

PRONGHORN_INLINE Vec load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
PRONGHORN_INLINE IVec load(const int32_t* p) {
  IVec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
PRONGHORN_INLINE void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }
PRONGHORN_INLINE void store(int32_t* p, IVec v) { std::memcpy(p, &v, sizeof v); }

#if defined(PRONGHORN_ISA_AVX512)
// The masked forms of the intrinsics are used below: GCC 12 warns of uninitialized values inside
// the plain ones.
inline constexpr __mmask16 kAllLanes = 0xffff;
#elif defined(PRONGHORN_ISA_AVX2)
// -1 in the first n lanes.
PRONGHORN_INLINE __m256i first_lanes(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

// The first n lanes from memory, the others 0. 0 <= n <= kLanes; memory past p[n - 1] is not
// touched.
PRONGHORN_INLINE Vec load_part(const float* p, int64_t n) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Vec)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1u), p);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_maskload_ps(p, first_lanes(n));
#else
  Vec v{};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}
PRONGHORN_INLINE IVec load_part(const int32_t* p, int64_t n) {
#if defined(PRONGHORN_ISA_AVX512)
  return (IVec)_mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << n) - 1u), p);
#elif defined(PRONGHORN_ISA_AVX2)
  return (IVec)_mm256_maskload_epi32(p, first_lanes(n));
#else
  IVec v{};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}

// Writes the first n lanes. 0 <= n <= kLanes; memory past p[n - 1] is not touched.
PRONGHORN_INLINE void store_part(float* p, Vec v, int64_t n) {
#if defined(PRONGHORN_ISA_AVX512)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1u), (__m512)v);
#elif defined(PRONGHORN_ISA_AVX2)
  _mm256_maskstore_ps(p, first_lanes(n), (__m256)v);
#else
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
#endif
}
PRONGHORN_INLINE void store_part(int32_t* p, IVec v, int64_t n) {
#if defined(PRONGHORN_ISA_AVX512)
  _mm512_mask_storeu_epi32(p, static_cast<__mmask16>((1u << n) - 1u), (__m512i)v);
#elif defined(PRONGHORN_ISA_AVX2)
  _mm256_maskstore_epi32(p, first_lanes(n), (__m256i)v);
#else
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
#endif
}

// v[i] = p[index[i]]
PRONGHORN_INLINE Vec gather(const float* p, IVec index) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Vec)_mm512_mask_i32gather_ps(_mm512_setzero_ps(), kAllLanes, (__m512i)index, p, 4);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_i32gather_ps(p, (__m256i)index, 4);
#else
  Vec v{};
  for (int i = 0; i < kLanes; ++i) v[i] = p[index[i]];
  return v;
#endif
}

// --- Making and converting ---

PRONGHORN_INLINE Vec broadcast(float x) { return x - Vec{}; }
PRONGHORN_INLINE IVec broadcast(int32_t x) { return x + IVec{}; }
PRONGHORN_INLINE Vec zero() { return Vec{}; }

// 0, 1, 2, ...
PRONGHORN_INLINE IVec iota() {
#if PRONGHORN_VECTOR_BYTES == 64
  return IVec{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
#elif PRONGHORN_VECTOR_BYTES == 32
  return IVec{0, 1, 2, 3, 4, 5, 6, 7};
#else
  return IVec{0, 1, 2, 3};
#endif
}

// The same bits.
PRONGHORN_INLINE IVec bits_of(Vec x) { return (IVec)x; }
PRONGHORN_INLINE Vec from_bits(IVec x) { return (Vec)x; }

PRONGHORN_INLINE Vec to_float(IVec x) { return __builtin_convertvector(x, Vec); }
// Rounds toward zero; out of range or NaN: unspecified.
PRONGHORN_INLINE IVec to_int(Vec x) { return __builtin_convertvector(x, IVec); }

// --- Choosing ---

// a where the mask is set, b elsewhere.
PRONGHORN_INLINE Vec select(Mask mask, Vec a, Vec b) { return mask ? a : b; }
PRONGHORN_INLINE IVec select(Mask mask, IVec a, IVec b) { return mask ? a : b; }

PRONGHORN_INLINE bool any(Mask mask) {
#if defined(PRONGHORN_ISA_AVX512)
  return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif defined(PRONGHORN_ISA_AVX2)
  return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__x86_64__)
  return _mm_movemask_ps((__m128)mask) != 0;
#else
  int32_t r = 0;
  for (int i = 0; i < kLanes; ++i) r |= mask[i];
  return r != 0;
#endif
}
PRONGHORN_INLINE bool all(Mask mask) { return !any(~mask); }

// --- Rearranging lanes ---

#if defined(__clang__)
#if PRONGHORN_VECTOR_BYTES == 64
#define PRONGHORN_REVERSED 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
#define PRONGHORN_EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define PRONGHORN_ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define PRONGHORN_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define PRONGHORN_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif PRONGHORN_VECTOR_BYTES == 32
#define PRONGHORN_REVERSED 7, 6, 5, 4, 3, 2, 1, 0
#define PRONGHORN_EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define PRONGHORN_ODD 1, 3, 5, 7, 9, 11, 13, 15
#define PRONGHORN_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define PRONGHORN_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#else
#define PRONGHORN_REVERSED 3, 2, 1, 0
#define PRONGHORN_EVEN 0, 2, 4, 6
#define PRONGHORN_ODD 1, 3, 5, 7
#define PRONGHORN_LOW 0, 4, 1, 5
#define PRONGHORN_HIGH 2, 6, 3, 7
#endif
#define PRONGHORN_REARRANGE(a, b, clang, gcc) __builtin_shufflevector(a, b, clang)
#else
#define PRONGHORN_REARRANGE(a, b, clang, gcc) __builtin_shuffle(a, b, gcc)
#endif
// Lanes in the other order.
PRONGHORN_INLINE Vec reverse(Vec v) {
  return PRONGHORN_REARRANGE(v, v, PRONGHORN_REVERSED, kLanes - 1 - iota());
}
// Of the 2 * kLanes numbers of a and b: those with even, and with odd numbers.
PRONGHORN_INLINE Vec even_lanes(Vec a, Vec b) {
  return PRONGHORN_REARRANGE(a, b, PRONGHORN_EVEN, 2 * iota());
}
PRONGHORN_INLINE Vec odd_lanes(Vec a, Vec b) {
  return PRONGHORN_REARRANGE(a, b, PRONGHORN_ODD, 2 * iota() + 1);
}
// a(0), b(0), a(1), ...: the first and the second kLanes of them.
PRONGHORN_INLINE Vec interleave_low(Vec a, Vec b) {
  return PRONGHORN_REARRANGE(a, b, PRONGHORN_LOW, iota() / 2 + iota() % 2 * kLanes);
}
PRONGHORN_INLINE Vec interleave_high(Vec a, Vec b) {
  return PRONGHORN_REARRANGE(a, b, PRONGHORN_HIGH, kLanes / 2 + iota() / 2 + iota() % 2 * kLanes);
}
#undef PRONGHORN_REARRANGE
#if defined(__clang__)
#undef PRONGHORN_REVERSED
#undef PRONGHORN_EVEN
#undef PRONGHORN_ODD
#undef PRONGHORN_LOW
#undef PRONGHORN_HIGH
#endif

// --- Arithmetic ---

// a * b + c, in one rounding where the ISA has it.
PRONGHORN_INLINE Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }

PRONGHORN_INLINE Vec abs(Vec x) { return from_bits(bits_of(x) & 0x7fffffff); }
// |x| with the sign of s.
PRONGHORN_INLINE Vec copysign(Vec x, Vec s) {
  return from_bits((bits_of(x) & 0x7fffffff) | (bits_of(s) & static_cast<int32_t>(0x80000000u)));
}

// a < b ? a : b and a > b ? a : b, that is b if either is NaN.
PRONGHORN_INLINE Vec min(Vec a, Vec b) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Vec)_mm512_maskz_min_ps(kAllLanes, (__m512)a, (__m512)b);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_min_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (Vec)_mm_min_ps((__m128)a, (__m128)b);
#else
  return a < b ? a : b;
#endif
}
PRONGHORN_INLINE Vec max(Vec a, Vec b) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Vec)_mm512_maskz_max_ps(kAllLanes, (__m512)a, (__m512)b);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
  return (Vec)_mm_max_ps((__m128)a, (__m128)b);
#else
  return a > b ? a : b;
#endif
}
PRONGHORN_INLINE IVec min(IVec a, IVec b) { return a < b ? a : b; }
PRONGHORN_INLINE IVec max(IVec a, IVec b) { return a > b ? a : b; }

// As NumPy's minimum and maximum: NaN if either is NaN.
PRONGHORN_INLINE Vec minimum(Vec a, Vec b) { return select(a != a, a, min(a, b)); }
PRONGHORN_INLINE Vec maximum(Vec a, Vec b) { return select(a != a, a, max(a, b)); }

PRONGHORN_INLINE Vec sqrt(Vec x) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Vec)_mm512_maskz_sqrt_ps(kAllLanes, (__m512)x);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
  return (Vec)_mm_sqrt_ps((__m128)x);
#else
  return (Vec)vsqrtq_f32((float32x4_t)x);
#endif
}

// sqrt(x) and a / b, at most 2 units in the last place off: AVX-512 has approximations from which a
// Newton step is twice as fast as its dividers.
PRONGHORN_INLINE Vec quick_sqrt(Vec x) {
#if defined(PRONGHORN_ISA_AVX512)
  // Not for negative numbers, infinity and NaN; of 0 the estimate is finite.
  const __mmask16 odd = _mm512_cmpge_epu32_mask((__m512i)bits_of(x), _mm512_set1_epi32(0x7f800000));
  if (odd != 0) return sqrt(x);
  const Vec y = (Vec)_mm512_maskz_rsqrt14_ps(kAllLanes, (__m512)max(x, broadcast(0x1p-126f)));
  const Vec root = x * y;
  return fma(fma(-root, root, x), 0.5f * y, root);
#else
  return sqrt(x);
#endif
}
PRONGHORN_INLINE Vec quick_divide(Vec a, Vec b) {
#if defined(PRONGHORN_ISA_AVX512)
  // Where the estimate or its residual would leave the range of normal numbers.
  const __m512i magnitude = (__m512i)(bits_of(b) & 0x7fffffff);
  const __mmask16 odd = _mm512_cmpge_epu32_mask(
      _mm512_sub_epi32(magnitude, _mm512_set1_epi32(0x01000000)), _mm512_set1_epi32(0x7c000000));
  if (odd != 0) return a / b;
  const Vec y = (Vec)_mm512_maskz_rcp14_ps(kAllLanes, (__m512)b);
  const Vec better = fma(fma(-b, y, broadcast(1.0f)), y, y);
  return a * better;
#else
  return a / b;
#endif
}

#if defined(PRONGHORN_ISA_AVX512)
#define PRONGHORN_ROUND(x, mode, neon) \
  (Vec) _mm512_maskz_roundscale_ps(kAllLanes, (__m512)(x), (mode) | _MM_FROUND_NO_EXC)
#elif defined(PRONGHORN_ISA_AVX2)
#define PRONGHORN_ROUND(x, mode, neon) \
  (Vec) _mm256_round_ps((__m256)(x), (mode) | _MM_FROUND_NO_EXC)
#elif defined(__x86_64__)
#define PRONGHORN_ROUND(x, mode, neon) (Vec) _mm_round_ps((__m128)(x), (mode) | _MM_FROUND_NO_EXC)
#else
#define PRONGHORN_ROUND(x, mode, neon) (Vec) neon((float32x4_t)(x))
#endif
// To an integer value: nearest with ties to even, down, up, toward zero.
PRONGHORN_INLINE Vec round(Vec x) {
  return PRONGHORN_ROUND(x, _MM_FROUND_TO_NEAREST_INT, vrndnq_f32);
}
PRONGHORN_INLINE Vec floor(Vec x) { return PRONGHORN_ROUND(x, _MM_FROUND_TO_NEG_INF, vrndmq_f32); }
PRONGHORN_INLINE Vec ceil(Vec x) { return PRONGHORN_ROUND(x, _MM_FROUND_TO_POS_INF, vrndpq_f32); }
PRONGHORN_INLINE Vec trunc(Vec x) { return PRONGHORN_ROUND(x, _MM_FROUND_TO_ZERO, vrndq_f32); }
#undef PRONGHORN_ROUND

// --- Over the lanes. The order is fixed: pairs at distance kLanes/2, then kLanes/4, ... ---

template <typename F>
PRONGHORN_INLINE float fold(Vec v, F f) {
  float lane[kLanes];
  std::memcpy(lane, &v, sizeof v);
  for (int n = kLanes / 2; n > 0; n /= 2) {
    for (int i = 0; i < n; ++i) lane[i] = f(lane[i], lane[i + n]);
  }
  return lane[0];
}

#if defined(PRONGHORN_ISA_AVX512) || defined(PRONGHORN_ISA_AVX2)
#if defined(PRONGHORN_ISA_AVX512)
#define PRONGHORN_LOW_HALF(v) _mm512_maskz_extractf32x8_ps(0xff, (__m512)(v), 0)
#define PRONGHORN_HIGH_HALF(v) _mm512_maskz_extractf32x8_ps(0xff, (__m512)(v), 1)
#define PRONGHORN_TO_8(v, op) _mm256_##op##_ps(PRONGHORN_LOW_HALF(v), PRONGHORN_HIGH_HALF(v))
#else
#define PRONGHORN_TO_8(v, op) (__m256)(v)
#endif
#define PRONGHORN_HORIZONTAL(v, op)                                                         \
  const __m256 eight = PRONGHORN_TO_8(v, op);                                               \
  __m128 r = _mm_##op##_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1)); \
  r = _mm_##op##_ps(r, _mm_movehl_ps(r, r));                                                \
  return _mm_cvtss_f32(_mm_##op##_ss(r, _mm_movehdup_ps(r)))
PRONGHORN_INLINE float horizontal_sum(Vec v) { PRONGHORN_HORIZONTAL(v, add); }
// If a lane is NaN the result is unspecified: test with any(v != v).
PRONGHORN_INLINE float horizontal_max(Vec v) { PRONGHORN_HORIZONTAL(v, max); }
PRONGHORN_INLINE float horizontal_min(Vec v) { PRONGHORN_HORIZONTAL(v, min); }
#undef PRONGHORN_HORIZONTAL
#undef PRONGHORN_TO_8
#undef PRONGHORN_LOW_HALF
#undef PRONGHORN_HIGH_HALF
#else
PRONGHORN_INLINE float horizontal_sum(Vec v) {
  return fold(v, [](float a, float b) { return a + b; });
}
PRONGHORN_INLINE float horizontal_max(Vec v) {
  return fold(v, [](float a, float b) { return a > b ? a : b; });
}
PRONGHORN_INLINE float horizontal_min(Vec v) {
  return fold(v, [](float a, float b) { return a < b ? a : b; });
}
#endif

// f applied to each lane: for functions without a vector form.
template <typename F>
PRONGHORN_INLINE Vec map_lanes(Vec x, F f) {
  float lane[kLanes];
  store(lane, x);
  for (int i = 0; i < kLanes; ++i) lane[i] = f(lane[i]);
  return load(lane);
}
template <typename F>
PRONGHORN_INLINE Vec map_lanes(Vec x, Vec y, F f) {
  float a[kLanes];
  float b[kLanes];
  store(a, x);
  store(b, y);
  for (int i = 0; i < kLanes; ++i) a[i] = f(a[i], b[i]);
  return load(a);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
