// Matrix product of one block on one thread: the loops over panels of columns and of rows around
// the micro-kernels, and dot products for few rows.
#include "pronghorn/gemm/micro.h"
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/transpose.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

static_assert(8 * kLanes <= kGemmPanel);

// panel[k][j] = b(k, j), `stride` wide; columns past `width` are zero (or repeat a column).
void pack_panel(const GemmBlock& g, const float* b, int64_t width, int64_t stride, float* panel) {
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
constexpr int64_t kAhead = 1024;  // floats of packed a: the next rows, from a farther cache

}  // namespace

// See GemmBlock.  rows, cols, depth >= 1. c overlaps neither a nor b.
void gemm_block(const GemmBlock& g) {
  const bool by_depth = g.packed_a || g.a_depth != 1;
  const bool packed_b = g.b_panel != 0;
  if (g.cols == 1 && !by_depth && g.b_depth == 1 && !packed_b) {
    dot_rows<1>(g.b, 0, g.a, g.a_row, g.rows, g.depth, g.c, 0, g.c_row, g.accumulate);
    return;
  }
  if (g.rows <= kDotRows && g.b_depth == 1 && g.b_col != 1 && !by_depth && !packed_b) {
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
  const RowPanels split = row_panels(g.rows, limit);
  const bool packs = !packed_b && (g.pack_b || g.b_col != 1);

  Tile t;
  t.depth = g.depth;
  t.a_ahead = g.packed_a ? kAhead : 0;
  t.c_stride = g.c_row;
  t.accumulate = g.accumulate;
  for (int64_t j = 0; j < g.cols;) {
    const int64_t left = g.cols - j;
    int vecs = widest;
    while (vecs > 1 && (vecs / 2) * kLanes >= left) vecs /= 2;
    while (vecs > 2 && (vecs - 1) * kLanes >= left) vecs /= 2;
    const int64_t full = static_cast<int64_t>(vecs) * kLanes;
    const int64_t width = left < full ? left : full;
    t.last = width - (vecs - 1) * kLanes;
    const float* next;
    if (packed_b) {
      t.b = g.b + j / kPanelColumns * g.b_panel;
      t.b_stride = kPanelColumns;
      t.b_pair = g.b_panel;
      t.b_next_stride = kPanelColumns;
      next = t.b + (full + kPanelColumns - 1) / kPanelColumns * g.b_panel;
    } else {
      t.b = g.b + j * g.b_col;
      t.b_stride = g.b_depth;
      t.b_pair = 2 * kLanes;
      t.b_next_stride = g.b_depth;
      next = g.b_col == 1 ? t.b + full : t.b;
      if (packs || (!kMaskedLoads && width < full)) {
        pack_panel(g, t.b, width, full, g.panel);
        t.b = g.panel;
        t.b_stride = full;
      }
    }
    if (j + width >= g.cols) next = g.b_then != nullptr ? g.b_then : t.b;
    int64_t i = 0;
    for (int64_t p = 0; p < split.panels; ++p) {
      const int64_t rows = split.rows + (p < split.longer);
      if (g.packed_a) {
        t.a = g.a + i * g.depth;
        t.a_stride = rows;
      } else {
        t.a = g.a + i * g.a_row;
        t.a_stride = by_depth ? g.a_depth : g.a_row;
      }
      t.c = g.c + i * g.c_row + j;
      // The first rows bring what the next columns need.
      t.b_next = p == 0 ? next : t.b;
      if (p == 1) t.b_next_stride = t.b_stride;
      pick(vecs, by_depth, g.fetch, rows)(t);
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
