// Transposition of matrices of 16-bit elements.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int64_t kBlock = 8;  // 8 x 8 elements are transposed in registers
constexpr int64_t kLine = 4;   // blocks side by side in y: a cache line

#if defined(__x86_64__)
PRONGHORN_INLINE void transpose_block(const uint16_t* x, int64_t x_stride, uint16_t* y,
                                      int64_t y_stride) {
  __m128i r[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i)
    r[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + i * x_stride));
  __m128i pair[8];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {  // of rows 2i, 2i + 1: columns 0-3 and 4-7
    pair[i] = _mm_unpacklo_epi16(r[2 * i], r[2 * i + 1]);
    pair[i + 4] = _mm_unpackhi_epi16(r[2 * i], r[2 * i + 1]);
  }
#pragma GCC unroll 2
  for (int h = 0; h < 2; ++h) {
    const __m128i a = _mm_unpacklo_epi32(pair[4 * h], pair[4 * h + 1]);
    const __m128i b = _mm_unpackhi_epi32(pair[4 * h], pair[4 * h + 1]);
    const __m128i c = _mm_unpacklo_epi32(pair[4 * h + 2], pair[4 * h + 3]);
    const __m128i d = _mm_unpackhi_epi32(pair[4 * h + 2], pair[4 * h + 3]);
    const __m128i column[4] = {_mm_unpacklo_epi64(a, c), _mm_unpackhi_epi64(a, c),
                               _mm_unpacklo_epi64(b, d), _mm_unpackhi_epi64(b, d)};
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(y + (4 * h + j) * y_stride), column[j]);
  }
}
#else
PRONGHORN_INLINE void transpose_block(const uint16_t* x, int64_t x_stride, uint16_t* y,
                                      int64_t y_stride) {
  for (int64_t j = 0; j < kBlock; ++j) {
    for (int64_t i = 0; i < kBlock; ++i) y[j * y_stride + i] = x[i * x_stride + j];
  }
}
#endif

}  // namespace

// y(j, i) = x(i, j).  x: rows of `cols` elements, x_stride apart; y: cols rows, y_stride apart; no
// overlap.
void transpose_halves(const uint16_t* x, int64_t x_stride, int64_t rows, int64_t cols, uint16_t* y,
                      int64_t y_stride) {
  const int64_t whole_cols = cols / kBlock * kBlock;
  int64_t i = 0;
  while (i + kBlock <= rows) {
    const int64_t left = (rows - i) / kBlock;
    const int64_t blocks = left < kLine ? left : kLine;
    for (int64_t j = 0; j < whole_cols; j += kBlock) {
      for (int64_t b = 0; b < blocks; ++b) {
        const int64_t row = i + b * kBlock;
        transpose_block(x + row * x_stride + j, x_stride, y + j * y_stride + row, y_stride);
      }
    }
    i += blocks * kBlock;
  }
  for (int64_t j = 0; j < cols; ++j) {
    for (int64_t r = j < whole_cols ? i : 0; r < rows; ++r)
      y[j * y_stride + r] = x[r * x_stride + j];
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
