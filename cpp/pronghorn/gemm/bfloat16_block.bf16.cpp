// Products of packed bfloat16 panels through vdpbf16ps, summed in float32.
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int64_t kPairs = 16;      // of a step of a panel
constexpr int64_t kPairBytes = 64;  // of b: a pair of 16 columns
constexpr int64_t kLineBytes = 64;  // of a: the pairs of a line
constexpr int64_t kTileBytes = kPairs * kPairBytes;
constexpr int kMostRows = 12;  // 12 x 2 results, 2 of b

// A piece of rows of one panel of columns.
struct Piece {
  const char* a;
  const char* b;
  int64_t steps;
  float* c;
  int64_t c_row;
  __mmask16 left, right;  // columns there are
  bool accumulate;
};

// Few results use several accumulators each: a product waits for the one before it.
template <int kRows>
void multiply(const Piece& p) {
  constexpr int kChains = kRows == 1 ? 4 : kRows <= 3 ? 2 : 1;
  __m512 sum[kChains][kRows][2];
#pragma GCC unroll 4
  for (int u = 0; u < kChains; ++u) {
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) sum[u][i][0] = sum[u][i][1] = _mm512_setzero_ps();
  }
  const char* a = p.a;
  const char* b = p.b;
  for (int64_t s = 0; s < p.steps; ++s, a += kX3PartBytes, b += kX3PartBytes) {
    for (int64_t pair = 0; pair < kPairs; pair += kChains) {
#pragma GCC unroll 4
      for (int u = 0; u < kChains; ++u) {
        const char* at = b + (pair + u) * kPairBytes;
        const __m512bh left = (__m512bh)load(reinterpret_cast<const int32_t*>(at));
        const __m512bh right = (__m512bh)load(reinterpret_cast<const int32_t*>(at + kTileBytes));
#pragma GCC unroll 12
        for (int i = 0; i < kRows; ++i) {
          int32_t x;
          std::memcpy(&x, a + i * kLineBytes + (pair + u) * 4, sizeof x);
          const __m512bh both = (__m512bh)broadcast(x);
          sum[u][i][0] = _mm512_dpbf16_ps(sum[u][i][0], left, both);
          sum[u][i][1] = _mm512_dpbf16_ps(sum[u][i][1], right, both);
        }
      }
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
    float* c = p.c + i * p.c_row;
#pragma GCC unroll 2
    for (int v = 0; v < 2; ++v) {
      Vec total = (Vec)sum[0][i][v];
#pragma GCC unroll 4
      for (int u = 1; u < kChains; ++u) total += (Vec)sum[u][i][v];
      const __mmask16 mask = v == 0 ? p.left : p.right;
      float* to = c + v * kLanes;
      if (p.accumulate) total += (Vec)_mm512_maskz_loadu_ps(mask, to);
      _mm512_mask_storeu_ps(to, mask, (__m512)total);
    }
  }
}

using Multiply = void (*)(const Piece&);
constexpr Multiply kMultiply[kMostRows] = {
    &multiply<1>, &multiply<2>, &multiply<3>, &multiply<4>,  &multiply<5>,  &multiply<6>,
    &multiply<7>, &multiply<8>, &multiply<9>, &multiply<10>, &multiply<11>, &multiply<12>};

PRONGHORN_INLINE __mmask16 columns(int64_t n) {
  return static_cast<__mmask16>(n >= kLanes ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1u);
}

}  // namespace

// See X3Block, parts = 1; suspect, largest and depth are left alone.  rows, cols, steps >= 1. c
// overlaps neither a nor b. Sums are rounded to nearest even, subnormal operands and results count
// as zero, whatever the thread's settings.
void bfloat16_block(const X3Block& g) {
  Piece p;
  p.steps = g.steps;
  p.c_row = g.c_row;
  p.accumulate = g.accumulate;
  for (int64_t j = 0; j < g.cols; j += kX3Lines) {
    p.b = g.b + j / kX3Lines * g.b_panel_bytes;
    p.left = columns(g.cols - j);
    p.right = columns(g.cols - j - kLanes);
    for (int64_t i = 0; i < g.rows; i += kX3Lines) {
      const char* a = g.a + i / kX3Lines * g.a_panel_bytes;
      const int64_t rows = g.rows - i < kX3Lines ? g.rows - i : kX3Lines;
      const int64_t pieces = (rows + kMostRows - 1) / kMostRows;
      int64_t row = 0;
      for (int64_t piece = 0; piece < pieces; ++piece) {
        const int64_t n = rows / pieces + (piece < rows % pieces);
        p.a = a + row * kLineBytes;
        p.c = g.c + (i + row) * g.c_row + j;
        kMultiply[n - 1](p);
        row += n;
      }
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
