// Matrix product of one block on one thread: micro-kernels that keep a tile of the result in
// registers, and the loops over panels of columns and of rows around them.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/transpose.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

#if defined(PRONGHORN_ISA_AVX512)
constexpr int kTileRows = 14;  // 14 x 2 results, 2 of b, 2 free
constexpr bool kMaskedLoads = true;
#else
constexpr int kTileRows = 6;  // 6 x 2 results, 2 of b, 1 of a
constexpr bool kMaskedLoads = false;
#endif

// One tile of the result. The last vector of each row of b and c has `last` valid lanes.
struct Tile {
  int64_t depth;
  const float* a;
  int64_t
      a_stride;  // from row to row, or with kByDepth from one k to the next; the other stride is 1
  const float* b;
  int64_t b_stride;
  float* c;
  int64_t c_stride;
  int64_t last;
  bool accumulate;
};

// c(i, j) = sum of a(i, k) b(k, j), kRows x (kVecs * kLanes). Few results use several accumulators
// each, because a chain of dependent additions runs at a fraction of the speed.
template <int kRows, int kVecs, bool kByDepth>
void micro(const Tile& t) {
  constexpr int kChains = kRows * kVecs <= 2 ? 4 : kRows * kVecs <= 4 ? 2 : 1;
  Vec sum[kChains][kRows][kVecs];
#pragma GCC unroll 4
  for (int u = 0; u < kChains; ++u) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) sum[u][i][j] = zero();
    }
  }
  const float* a = t.a;
  const float* b = t.b;
  const int64_t a_stride = t.a_stride;
  const int64_t b_stride = t.b_stride;
  const int64_t a_step = kByDepth ? a_stride : 1;
  const int64_t a_row = kByDepth ? 1 : a_stride;
#if defined(PRONGHORN_ISA_AVX512)
  const __mmask16 last = static_cast<__mmask16>((1u << t.last) - 1u);
#endif
  const auto step = [&](Vec(&s)[kRows][kVecs]) {
    Vec bv[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) {
#if defined(PRONGHORN_ISA_AVX512)
      bv[j] =
          j + 1 < kVecs ? load(b + j * kLanes) : (Vec)_mm512_maskz_loadu_ps(last, b + j * kLanes);
#else
      bv[j] = load(b + j * kLanes);
#endif
    }
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vec x = broadcast(a[i * a_row]);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) s[i][j] = fma(x, bv[j], s[i][j]);
    }
    a += a_step;
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
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
        for (int j = 0; j < kVecs; ++j) sum[0][i][j] += sum[u][i][j];
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    float* c = t.c + i * t.c_stride;
#pragma GCC unroll 8
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

#define PRONGHORN_ROWS_3(vecs, mode) \
  &micro<1, vecs, mode>, &micro<2, vecs, mode>, &micro<3, vecs, mode>
#define PRONGHORN_ROWS_6(vecs, mode) \
  PRONGHORN_ROWS_3(vecs, mode), &micro<4, vecs, mode>, &micro<5, vecs, mode>, &micro<6, vecs, mode>
#define PRONGHORN_ROWS_14(vecs, mode)                                         \
  PRONGHORN_ROWS_6(vecs, mode), &micro<7, vecs, mode>, &micro<8, vecs, mode>, \
      &micro<9, vecs, mode>, &micro<10, vecs, mode>, &micro<11, vecs, mode>,  \
      &micro<12, vecs, mode>, &micro<13, vecs, mode>, &micro<14, vecs, mode>

// kMicro...[by depth][rows - 1]; each width holds as many rows as fit into the registers.
#if defined(PRONGHORN_ISA_AVX512)
constexpr Micro kMicro1[2][kTileRows] = {{PRONGHORN_ROWS_14(1, false)},
                                         {PRONGHORN_ROWS_14(1, true)}};
constexpr Micro kMicro2[2][kTileRows] = {{PRONGHORN_ROWS_14(2, false)},
                                         {PRONGHORN_ROWS_14(2, true)}};
constexpr Micro kMicro4[2][6] = {{PRONGHORN_ROWS_6(4, false)}, {PRONGHORN_ROWS_6(4, true)}};
constexpr Micro kMicro8[2][3] = {{PRONGHORN_ROWS_3(8, false)}, {PRONGHORN_ROWS_3(8, true)}};
constexpr int kRows4 = 6;
constexpr int kRows8 = 3;
#else
constexpr Micro kMicro1[2][kTileRows] = {{PRONGHORN_ROWS_6(1, false)}, {PRONGHORN_ROWS_6(1, true)}};
constexpr Micro kMicro2[2][kTileRows] = {{PRONGHORN_ROWS_6(2, false)}, {PRONGHORN_ROWS_6(2, true)}};
constexpr Micro kMicro4[2][3] = {{PRONGHORN_ROWS_3(4, false)}, {PRONGHORN_ROWS_3(4, true)}};
constexpr Micro kMicro8[2][1] = {{&micro<1, 8, false>}, {&micro<1, 8, true>}};
constexpr int kRows4 = 3;
constexpr int kRows8 = 1;
#endif
static_assert(8 * kLanes <= kGemmPanel);

PRONGHORN_INLINE Micro pick(int vecs, bool by_depth, int64_t rows) {
  switch (vecs) {
    case 8: return kMicro8[by_depth][rows - 1];
    case 4: return kMicro4[by_depth][rows - 1];
    case 2: return kMicro2[by_depth][rows - 1];
    default: return kMicro1[by_depth][rows - 1];
  }
}

// panel[k][j] = b(k, j), kVecs * kLanes wide; columns past `width` are zero (or repeat a column).
void pack_panel(const GemmBlock& g, const float* b, int64_t width, int vecs, float* panel) {
  const int64_t stride = static_cast<int64_t>(vecs) * kLanes;
  if (g.b_col == 1) {
    for (int64_t k = 0; k < g.depth; ++k) {
      const float* from = b + k * g.b_depth;
      float* to = panel + k * stride;
      int64_t j = 0;
      for (; j + kLanes <= width; j += kLanes) store(to + j, load(from + j));
      if (j < width) store(to + j, load_part(from + j, width - j));
    }
    return;
  }
  for (int64_t j = 0; j < width; j += kLanes) {
    const int64_t rows = width - j < kLanes ? width - j : kLanes;
    transpose_strip(b + j * g.b_col, g.b_col, rows, g.depth, panel + j, stride, true);
  }
}

// Dot products of contiguous rows: out(i, j) = sum over k of x(i, k) y(j, k), kRows x kCols
// results.
template <int kRows, int kCols>
void dots(const float* x, int64_t x_stride, const float* y, int64_t y_stride, int64_t depth,
          float* out, int64_t out_row, int64_t out_col, bool accumulate) {
  Vec sum[kRows][kCols];
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) sum[i][j] = zero();
  }
  const auto step = [&](auto&& read) {
    Vec xv[kRows];
#pragma GCC unroll 4
    for (int i = 0; i < kRows; ++i) xv[i] = read(x + i * x_stride);
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
      const Vec yv = read(y + j * y_stride);
#pragma GCC unroll 4
      for (int i = 0; i < kRows; ++i) sum[i][j] = fma(xv[i], yv, sum[i][j]);
    }
  };
  int64_t k = 0;
  for (; k + kLanes <= depth; k += kLanes) {
    step([k](const float* p) PRONGHORN_LAMBDA_INLINE { return load(p + k); });
  }
  if (k < depth) {
    const int64_t n = depth - k;
    step([k, n](const float* p) PRONGHORN_LAMBDA_INLINE { return load_part(p + k, n); });
  }
#pragma GCC unroll 4
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
      float* c = out + i * out_row + j * out_col;
      const float s = horizontal_sum(sum[i][j]);
      *c = accumulate ? *c + s : s;
    }
  }
}

// kRows rows of x against all rows of y.
template <int kRows>
void dot_rows(const float* x, int64_t x_stride, const float* y, int64_t y_stride, int64_t count,
              int64_t depth, float* out, int64_t out_row, int64_t out_col, bool accumulate) {
  int64_t j = 0;
  for (; j + 4 <= count; j += 4) {
    dots<kRows, 4>(x, x_stride, y + j * y_stride, y_stride, depth, out + j * out_col, out_row,
                   out_col, accumulate);
  }
  for (; j < count; ++j) {
    dots<kRows, 1>(x, x_stride, y + j * y_stride, y_stride, depth, out + j * out_col, out_row,
                   out_col, accumulate);
  }
}

constexpr int64_t kDotRows = 3;

}  // namespace

// See GemmBlock.  rows, cols, depth >= 1. c overlaps neither a nor b.
void gemm_block(const GemmBlock& g) {
  const bool by_depth = g.a_depth != 1;
  if (g.cols == 1 && !by_depth && g.b_depth == 1) {
    dot_rows<1>(g.b, 0, g.a, g.a_row, g.rows, g.depth, g.c, 0, g.c_row, g.accumulate);
    return;
  }
  if (g.rows <= kDotRows && g.b_depth == 1 && g.b_col != 1 && (!by_depth || g.rows == 1) &&
      g.a_depth == 1) {
    switch (g.rows) {
      case 1:
        dot_rows<1>(g.a, g.a_row, g.b, g.b_col, g.cols, g.depth, g.c, g.c_row, 1, g.accumulate);
        return;
      case 2:
        dot_rows<2>(g.a, g.a_row, g.b, g.b_col, g.cols, g.depth, g.c, g.c_row, 1, g.accumulate);
        return;
      default:
        dot_rows<3>(g.a, g.a_row, g.b, g.b_col, g.cols, g.depth, g.c, g.c_row, 1, g.accumulate);
        return;
    }
  }
  const int widest = g.rows <= kRows8 ? 8 : g.rows <= kRows4 ? 4 : 2;
  const int64_t limit = widest == 8 ? kRows8 : widest == 4 ? kRows4 : kTileRows;
  const int64_t panels = (g.rows + limit - 1) / limit;
  const int64_t rows_each = g.rows / panels;
  const int64_t longer = g.rows % panels;  // so many panels have one row more
  const bool transposed = g.b_col != 1;

  Tile t;
  t.depth = g.depth;
  t.a_stride = by_depth ? g.a_depth : g.a_row;
  t.c_stride = g.c_row;
  t.accumulate = g.accumulate;
  for (int64_t j = 0; j < g.cols;) {
    const int64_t left = g.cols - j;
    int vecs = widest;
    while (vecs > 1 && (vecs / 2) * kLanes >= left) vecs /= 2;
    while (vecs > 2 && (vecs - 1) * kLanes >= left) vecs /= 2;
    const int64_t full = static_cast<int64_t>(vecs) * kLanes;
    const int64_t width = left < full ? left : full;
    t.b = g.b + j * g.b_col;
    t.b_stride = g.b_depth;
    t.last = width - (vecs - 1) * kLanes;
    if (g.pack_b || transposed || (!kMaskedLoads && width < full)) {
      pack_panel(g, t.b, width, vecs, g.panel);
      t.b = g.panel;
      t.b_stride = full;
    }
    int64_t i = 0;
    for (int64_t p = 0; p < panels; ++p) {
      const int64_t rows = rows_each + (p < longer);
      t.a = g.a + i * g.a_row;
      t.c = g.c + i * g.c_row + j;
      pick(vecs, by_depth, rows)(t);
      i += rows;
    }
    j += width;
  }
}

// out(i) = sum over p of parts(p, i), in the order of p, after out(i) if `accumulate`.
void add_partial_sums(const float* parts, int64_t count, int64_t part_stride, int64_t n, float* out,
                      bool accumulate) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    Vec sum = accumulate ? load(out + i) : zero();
    for (int64_t p = 0; p < count; ++p) sum += load(parts + p * part_stride + i);
    store(out + i, sum);
  }
  for (; i < n; ++i) {
    float sum = accumulate ? out[i] : 0.0f;
    for (int64_t p = 0; p < count; ++p) sum += parts[p * part_stride + i];
    out[i] = sum;
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
