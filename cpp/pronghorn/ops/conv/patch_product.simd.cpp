// Products of patches of an image that are read where they lie: what convolutions spend their time
// in.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

#if defined(PRONGHORN_ISA_AVX512)
constexpr int kTileRows = 14;  // 14 x 2 results, 2 of b, 2 free
#else
constexpr int kTileRows = 6;  // 6 x 2 results, 2 of b, 1 of a
#endif

// A tile of the result: kRows rows of kVecs vectors, the last of which has `last` valid lanes.
struct Tile {
  const float* a;
  int64_t a_stride;  // a_step with kByDepth, else a_row; the other one is 1
  const PatchSegment* segments;
  int64_t segment_count;
  const float* b;
  float* c;
  int64_t c_row;
  int64_t last;
  bool accumulate;
};

// Few results use several accumulators each: a chain of dependent additions is slow.
template <int kRows, int kVecs, bool kByDepth>
void micro(const Tile& t) {
  constexpr int kChains = kRows * kVecs <= 2 ? 4 : kRows * kVecs <= 6 ? 2 : 1;
  Vec sum[kChains][kRows][kVecs];
#pragma GCC unroll 4
  for (int u = 0; u < kChains; ++u) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) sum[u][i][j] = zero();
    }
  }
  const int64_t a_stride = t.a_stride;
  const int64_t a_step = kByDepth ? a_stride : 1;
  const int64_t a_row = kByDepth ? 1 : a_stride;
  const float* b = t.b;
  for (int64_t s = 0; s < t.segment_count; ++s) {
    const float* a = t.a + t.segments[s].a;
    const auto step = [&](Vec(&to)[kRows][kVecs]) PRONGHORN_LAMBDA_INLINE {
      Vec bv[kVecs];
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) bv[j] = load(b + j * kLanes);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Vec x = broadcast(a[i * a_row]);
#pragma GCC unroll 2
        for (int j = 0; j < kVecs; ++j) to[i][j] = fma(x, bv[j], to[i][j]);
      }
      a += a_step;
      b += kPatchPanel;
    };
    int64_t k = t.segments[s].count;
    for (; k >= kChains; k -= kChains) {
#pragma GCC unroll 4
      for (int u = 0; u < kChains; ++u) step(sum[u]);
    }
    if constexpr (kChains > 1) {
      for (; k > 0; --k) step(sum[0]);
    }
  }
#pragma GCC unroll 4
  for (int u = 1; u < kChains; ++u) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVecs; ++j) sum[0][i][j] += sum[u][i][j];
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* c = t.c + i * t.c_row;
#pragma GCC unroll 2
    for (int j = 0; j < kVecs; ++j) {
      float* p = c + j * kLanes;
      Vec v = sum[0][i][j];
      if (j + 1 < kVecs || t.last == kLanes) {
        if (t.accumulate) v += load(p);
        store(p, v);
      } else {
        if (t.accumulate) v += load_part(p, t.last);
        store_part(p, v, t.last);
      }
    }
  }
}

using Micro = void (*)(const Tile&);

#define PRONGHORN_ROWS_6(vecs, mode)                                                          \
  &micro<1, vecs, mode>, &micro<2, vecs, mode>, &micro<3, vecs, mode>, &micro<4, vecs, mode>, \
      &micro<5, vecs, mode>, &micro<6, vecs, mode>
#if defined(PRONGHORN_ISA_AVX512)
#define PRONGHORN_ROWS(vecs, mode)                                            \
  PRONGHORN_ROWS_6(vecs, mode), &micro<7, vecs, mode>, &micro<8, vecs, mode>, \
      &micro<9, vecs, mode>, &micro<10, vecs, mode>, &micro<11, vecs, mode>,  \
      &micro<12, vecs, mode>, &micro<13, vecs, mode>, &micro<14, vecs, mode>
#else
#define PRONGHORN_ROWS(vecs, mode) PRONGHORN_ROWS_6(vecs, mode)
#endif
// kMicro[vecs - 1][by depth][rows - 1]
constexpr Micro kMicro[2][2][kTileRows] = {{{PRONGHORN_ROWS(1, false)}, {PRONGHORN_ROWS(1, true)}},
                                           {{PRONGHORN_ROWS(2, false)}, {PRONGHORN_ROWS(2, true)}}};

}  // namespace

// See PatchProduct.  cols >= 1. c does not overlap a or b.
void patch_product(const PatchProduct& g) {
  const bool by_depth = g.a_step != 1;
  Tile t;
  t.a_stride = by_depth ? g.a_step : g.a_row;
  t.segments = g.segments;
  t.segment_count = g.segment_count;
  t.c_row = g.c_row;
  t.accumulate = g.accumulate;
  for (int64_t j = 0; j < g.cols; j += 2 * kLanes) {
    const int64_t left = g.cols - j;
    const int vecs = left > kLanes ? 2 : 1;
    t.last = left >= 2 * kLanes ? kLanes : left - (vecs - 1) * kLanes;
    t.b = g.b + j;
    const Micro* const micros = kMicro[vecs - 1][by_depth];
    for (int64_t r = 0; r < g.run_count; ++r) {
      const PatchRun& run = g.runs[r];
      const int64_t tiles = (run.count + kTileRows - 1) / kTileRows;
      if (tiles == 0) continue;
      const int64_t rows_each = run.count / tiles;
      const int64_t longer = run.count % tiles;  // so many tiles have one row more
      int64_t i = 0;
      for (int64_t p = 0; p < tiles; ++p) {
        const int64_t rows = rows_each + (p < longer);
        t.a = g.a + run.a + i * g.a_row;
        t.c = g.c + run.c + i * g.c_row + j;
        micros[rows - 1](t);
        i += rows;
      }
    }
  }
}

// y(i, j) = x(i, j), rows of kPatchPanel floats, zeros past cols.  x: rows of cols <= kPatchPanel
// floats, x_stride apart.
void pack_panel_rows(const float* x, int64_t x_stride, int64_t rows, int64_t cols, float* y) {
  if (cols == kPatchPanel) {
    for (int64_t i = 0; i < rows; ++i) {
#pragma GCC unroll 8
      for (int64_t j = 0; j < kPatchPanel; j += kLanes)
        store(y + i * kPatchPanel + j, load(x + i * x_stride + j));
    }
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < kPatchPanel; j += kLanes) {
      const int64_t n = cols - j >= kLanes ? kLanes : cols - j < 0 ? 0 : cols - j;
      store(y + i * kPatchPanel + j, load_part(x + i * x_stride + j, n));
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
