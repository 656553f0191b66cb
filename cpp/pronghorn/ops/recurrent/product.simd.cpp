// The product of a recurrent step: few rows by a packed matrix that stays in the L2 cache.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/transpose.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// Results in registers: kTileRows x 4 vectors.
#if defined(PRONGHORN_ISA_AVX512)
constexpr int kTileRows = 6;
#else
constexpr int kTileRows = 3;
#endif
constexpr int kTileVecs = 4;
constexpr int64_t kDepth = 144;  // of a pass: 64 columns of it stay in the L1 cache

struct Tile {
  const float* a;
  int64_t a_stride;
  const float* b;
  int64_t b_stride;
  const float* base;  // null: 0
  int64_t base_stride;
  float* c;
  int64_t c_stride;
  int64_t depth;
  int64_t last;  // valid lanes of the last vector
};

// Few results use several sums each, because a chain of dependent additions is slow.
template <int kRows, int kVecs>
void tile(const Tile& t) {
  constexpr int kChains = kRows * kVecs <= 2 ? 4 : kRows * kVecs <= 4 ? 2 : 1;
  Vec sum[kChains][kRows][kVecs];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) {
      if (t.base == nullptr) {
        sum[0][i][j] = zero();
      } else {
        const float* p = t.base + i * t.base_stride + j * kLanes;
        sum[0][i][j] = j + 1 < kVecs || t.last == kLanes ? load(p) : load_part(p, t.last);
      }
#pragma GCC unroll 4
      for (int u = 1; u < kChains; ++u) sum[u][i][j] = zero();
    }
  }
  const float* b = t.b;
  const float* a = t.a;
  const int64_t a_stride = t.a_stride;
  const int64_t b_stride = t.b_stride;
  const auto step = [&](Vec(&s)[kRows][kVecs]) {
    Vec bv[kVecs];
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) bv[j] = load(b + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Vec x = broadcast(a[i * a_stride]);
#pragma GCC unroll 4
      for (int j = 0; j < kVecs; ++j) s[i][j] = fma(x, bv[j], s[i][j]);
    }
    ++a;
    b += b_stride;
  };
  int64_t k = t.depth;
  for (; k >= kChains; k -= kChains) {
#pragma GCC unroll 4
    for (int u = 0; u < kChains; ++u) step(sum[u]);
  }
  if constexpr (kChains > 1) {
    for (; k > 0; --k) step(sum[0]);
#pragma GCC unroll 4
    for (int u = 1; u < kChains; ++u) {
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
        for (int j = 0; j < kVecs; ++j) sum[0][i][j] += sum[u][i][j];
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    float* c = t.c + i * t.c_stride;
#pragma GCC unroll 4
    for (int j = 0; j < kVecs; ++j) {
      if (j + 1 < kVecs || t.last == kLanes) {
        store(c + j * kLanes, sum[0][i][j]);
      } else {
        store_part(c + j * kLanes, sum[0][i][j], t.last);
      }
    }
  }
}

using TileFunction = void (*)(const Tile&);

#define PRONGHORN_TILES_3(vecs) &tile<1, vecs>, &tile<2, vecs>, &tile<3, vecs>
#if defined(PRONGHORN_ISA_AVX512)
#define PRONGHORN_TILES(vecs) \
  PRONGHORN_TILES_3(vecs), &tile<4, vecs>, &tile<5, vecs>, &tile<6, vecs>
#else
#define PRONGHORN_TILES(vecs) PRONGHORN_TILES_3(vecs)
#endif
constexpr TileFunction kTiles[kTileVecs][kTileRows] = {
    {PRONGHORN_TILES(1)}, {PRONGHORN_TILES(2)}, {PRONGHORN_TILES(3)}, {PRONGHORN_TILES(4)}};

}  // namespace

// Writes b(k, j) = b[k * k_stride + j * col_stride] packed.  depth, cols >= 1. One stride is 1.
void pack_product(const float* b, int64_t k_stride, int64_t col_stride, int64_t depth, int64_t cols,
                  float* packed) {
  for (int64_t j0 = 0; j0 < cols; j0 += kPackedPanel) {
    const int64_t width = cols - j0 < kPackedPanel ? cols - j0 : kPackedPanel;
    const int64_t stride = (width + kPackedRound - 1) / kPackedRound * kPackedRound;
    const float* from = b + j0 * col_stride;
    if (col_stride == 1) {
      for (int64_t k = 0; k < depth; ++k) {
        float* to = packed + k * stride;
        int64_t j = 0;
        for (; j + kLanes <= width; j += kLanes) store(to + j, load(from + k * k_stride + j));
        if (j < width) store(to + j, load_part(from + k * k_stride + j, width - j));
        for (j += width % kLanes != 0 ? kLanes : 0; j < stride; j += kLanes) store(to + j, zero());
      }
    } else {
      for (int64_t j = 0; j < stride; j += kLanes) {
        const int64_t columns = width - j < kLanes ? width - j : kLanes;
        if (columns > 0) {
          transpose_strip(from + j * col_stride, col_stride, columns, depth, packed + j, stride,
                          false);
        }
        if (columns < kLanes) {
          const int64_t first = columns > 0 ? columns : 0;
          for (int64_t k = 0; k < depth; ++k) {
            for (int64_t i = first; i < kLanes; ++i) packed[k * stride + j + i] = 0.0f;
          }
        }
      }
    }
    packed += depth * stride;
  }
}

// See PackedProduct.  rows, depth, cols >= 1.
void packed_product(const PackedProduct& p) {
  const int64_t panels = (p.rows + kTileRows - 1) / kTileRows;
  const int64_t rows_each = p.rows / panels;
  const int64_t longer = p.rows % panels;  // so many have one row more
  Tile t;
  t.a_stride = p.a.stride;
  t.c_stride = p.c.stride;
  for (int64_t j0 = p.col0; j0 < p.col1; j0 += kPackedPanel) {
    const int64_t width = p.col1 - j0 < kPackedPanel ? p.col1 - j0 : kPackedPanel;
    t.b_stride = (width + kPackedRound - 1) / kPackedRound * kPackedRound;
    const float* panel = p.packed + j0 * p.depth;
    for (int64_t k = 0; k < p.depth; k += kDepth) {
      t.depth = p.depth - k < kDepth ? p.depth - k : kDepth;
      const bool first = k == 0;
      t.base_stride = first ? p.base.stride : p.c.stride;
      for (int64_t j = 0; j < width; j += kTileVecs * kLanes) {
        const int64_t left = width - j;
        const int64_t vecs = left >= kTileVecs * kLanes ? kTileVecs : (left + kLanes - 1) / kLanes;
        t.last = left >= vecs * kLanes ? kLanes : left - (vecs - 1) * kLanes;
        t.b = panel + k * t.b_stride + j;
        int64_t i = 0;
        for (int64_t r = 0; r < panels; ++r) {
          const int64_t rows = rows_each + (r < longer);
          t.a = p.a.at + i * p.a.stride + k;
          t.c = p.c.at + i * p.c.stride + j0 + j;
          const float* base = first ? p.base.at : p.c.at;
          t.base = base == nullptr ? nullptr : base + i * t.base_stride + j0 + j;
          kTiles[vecs - 1][rows - 1](t);
          i += rows;
        }
      }
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
