// Panels of bfloat16 operands of matrix products.
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/simd/transpose.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int64_t kTileSide = 16;  // lines and pairs of a tile
constexpr int64_t kTileBytes = 1024;

PRONGHORN_INLINE int64_t clamp(int64_t n, int64_t most) { return n < 0 ? 0 : n < most ? n : most; }

PRONGHORN_INLINE __m512i load_halves(const uint16_t* p, int64_t n) {
  return _mm512_maskz_loadu_epi16(n >= 32 ? ~__mmask32{0} : (__mmask32{1} << n) - 1, p);
}

// 16 lines of 32 k, k contiguous: pairs are there already.
PRONGHORN_INLINE void read_lines(const uint16_t* x, int64_t stride, int64_t lines, int64_t depth,
                                 Vec (&rows)[kTileSide]) {
  for (int64_t i = 0; i < kTileSide; ++i)
    rows[i] = i < lines ? (Vec)load_halves(x + i * stride, depth) : zero();
}

// 32 k of 16 lines, lines contiguous: two rows make the pairs of one.
PRONGHORN_INLINE void read_depths(const uint16_t* x, int64_t stride, int64_t lines, int64_t depth,
                                  Vec (&rows)[kTileSide]) {
  const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24,
                                         8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const auto half = [&](int64_t k) PRONGHORN_LAMBDA_INLINE {
    return k < depth ? _mm512_castsi512_si256(load_halves(x + k * stride, lines))
                     : _mm256_setzero_si256();
  };
  for (int64_t p = 0; p < kTileSide; ++p) {
    const __m512i both =
        _mm512_inserti64x4(_mm512_castsi256_si512(half(2 * p)), half(2 * p + 1), 1);
    rows[p] = (Vec)_mm512_maskz_permutexvar_epi16(0xffffffffu, order, both);
  }
}

PRONGHORN_INLINE void store_tile(const Vec (&rows)[kTileSide], bool transposed, char* tile) {
  alignas(64) float straight[kTileSide * kTileSide];
  float* to = transposed ? straight : reinterpret_cast<float*>(tile);
  for (int64_t i = 0; i < kTileSide; ++i) store(to + i * kTileSide, rows[i]);
  if (transposed) {
    transpose_strip(straight, kTileSide, kTileSide, kTileSide, reinterpret_cast<float*>(tile),
                    kTileSide, true);
  }
}

}  // namespace

// See X3Pack, x is bfloat16; largest is left alone.
void bfloat16_pack(const X3Pack& x) {
  const bool along_k = x.depth_stride == 1;
  const bool transposed = along_k == x.is_b;
  const auto* from = static_cast<const uint16_t*>(x.x);
  for (int64_t k = 0; k < x.depth; k += kX3Depth) {
    const int64_t depth = clamp(x.depth - k, kX3Depth);
    for (int64_t line = 0; line < x.lines; line += kTileSide) {
      const int64_t lines = clamp(x.lines - line, kTileSide);
      char* tile = x.packed + line / kX3Lines * x.panel_bytes + k / kX3Depth * kX3PartBytes +
                   line % kX3Lines / kTileSide * kTileBytes;
      const uint16_t* at = from + line * x.line_stride + k * x.depth_stride;
      Vec rows[kTileSide];
      if (along_k) {
        read_lines(at, x.line_stride, lines, depth, rows);
      } else {
        read_depths(at, x.depth_stride, lines, depth, rows);
      }
      store_tile(rows, transposed, tile);
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
