// Transposition of small blocks in registers. Include only from *.simd.cpp.
#pragma once

#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Lanes 4g..4g+3 of the result: 4 floats at p[4g] (that is, each group of four lanes reads its own
// row).
PRONGHORN_INLINE Vec load_quads(const float* const* p, int64_t offset) {
#if defined(PRONGHORN_ISA_AVX512)
  __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(p[0] + offset));
  v = _mm512_mask_broadcast_f32x4(v, 0x00f0, _mm_loadu_ps(p[4] + offset));
  v = _mm512_mask_broadcast_f32x4(v, 0x0f00, _mm_loadu_ps(p[8] + offset));
  v = _mm512_mask_broadcast_f32x4(v, 0xf000, _mm_loadu_ps(p[12] + offset));
  return (Vec)v;
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p[0] + offset)),
                                   _mm_loadu_ps(p[4] + offset), 1);
#else
  return load(p[0] + offset);
#endif
}

// In each group of four lanes: rows become columns.
PRONGHORN_INLINE void transpose_quads(Vec (&v)[4]) {
#if defined(PRONGHORN_ISA_AVX512)
#define PRONGHORN_SHUFFLE(name, a, b, ...) \
  (Vec) _mm512_maskz_##name(kAllLanes, (__m512)(a), (__m512)(b)__VA_ARGS__)
#elif defined(PRONGHORN_ISA_AVX2)
#define PRONGHORN_SHUFFLE(name, a, b, ...) (Vec) _mm256_##name((__m256)(a), (__m256)(b)__VA_ARGS__)
#elif defined(__x86_64__)
#define PRONGHORN_SHUFFLE(name, a, b, ...) (Vec) _mm_##name((__m128)(a), (__m128)(b)__VA_ARGS__)
#endif
#if defined(__x86_64__)
  const Vec low01 = PRONGHORN_SHUFFLE(unpacklo_ps, v[0], v[1], );
  const Vec high01 = PRONGHORN_SHUFFLE(unpackhi_ps, v[0], v[1], );
  const Vec low23 = PRONGHORN_SHUFFLE(unpacklo_ps, v[2], v[3], );
  const Vec high23 = PRONGHORN_SHUFFLE(unpackhi_ps, v[2], v[3], );
  v[0] = PRONGHORN_SHUFFLE(shuffle_ps, low01, low23, , 0x44);
  v[1] = PRONGHORN_SHUFFLE(shuffle_ps, low01, low23, , 0xee);
  v[2] = PRONGHORN_SHUFFLE(shuffle_ps, high01, high23, , 0x44);
  v[3] = PRONGHORN_SHUFFLE(shuffle_ps, high01, high23, , 0xee);
#undef PRONGHORN_SHUFFLE
#else
  const Vec a = v[0], b = v[1], c = v[2], d = v[3];
  v[0] = Vec{a[0], b[0], c[0], d[0]};
  v[1] = Vec{a[1], b[1], c[1], d[1]};
  v[2] = Vec{a[2], b[2], c[2], d[2]};
  v[3] = Vec{a[3], b[3], c[3], d[3]};
#endif
}

// y(j, i) = row[i](j).  row: kLanes rows of `cols` floats, of which the first `rows` count; y: cols
// rows, y_stride apart. With `full` all kLanes floats of each row of y are written.
PRONGHORN_INLINE void transpose_rows(const float* const* row, int64_t rows, int64_t cols, float* y,
                                     int64_t y_stride, bool full) {
  full = full || rows == kLanes;
  int64_t j = 0;
  for (; j + 4 <= cols; j += 4) {
    Vec v[4] = {load_quads(row, j), load_quads(row + 1, j), load_quads(row + 2, j),
                load_quads(row + 3, j)};
    transpose_quads(v);
    float* out = y + j * y_stride;
    if (full) {
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) store(out + q * y_stride, v[q]);
    } else {
#pragma GCC unroll 4
      for (int q = 0; q < 4; ++q) store_part(out + q * y_stride, v[q], rows);
    }
  }
  const int64_t width = full ? kLanes : rows;
  for (; j < cols; ++j) {
    for (int64_t i = 0; i < width; ++i) y[j * y_stride + i] = row[i][j];
  }
}

// y(j, i) = x(i, j).  x: rows <= kLanes rows of `cols` floats, x_stride apart; y: cols rows,
// y_stride apart. With `full` all kLanes floats of each row of y are written, those past `rows`
// with some element of x.
PRONGHORN_INLINE void transpose_strip(const float* x, int64_t x_stride, int64_t rows, int64_t cols,
                                      float* y, int64_t y_stride, bool full) {
  const float* row[kLanes];
  for (int i = 0; i < kLanes; ++i) row[i] = x + (i < rows ? i : rows - 1) * x_stride;
  transpose_rows(row, rows, cols, y, y_stride, full);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
