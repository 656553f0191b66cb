// Packing of whole operands of a matrix product, in the order in which micro-kernels read them.
#include "pronghorn/gemm/panels.h"
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/transpose.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

int64_t gemm_panel_columns() { return kPanelColumns; }

// panel(j / w)[k][j % w] = b(k, j), w = gemm_panel_columns(); a last panel that is not full ends in
// zeros or repeats a column.  b: element (k, j) at b[k * b_depth + j * b_col], one of the strides
// 1. Panels: panel_stride floats apart, rows of w floats.
void pack_columns(const float* b, int64_t b_depth, int64_t b_col, int64_t depth, int64_t cols,
                  float* panels, int64_t panel_stride) {
  if (b_col == 1) {
    const int64_t whole = cols / kPanelColumns;
    const int64_t rest = cols % kPanelColumns;
    for (int64_t k = 0; k < depth; ++k) {
      const float* from = b + k * b_depth;
      float* to = panels + k * kPanelColumns;
      for (int64_t p = 0; p < whole; ++p, from += kPanelColumns, to += panel_stride) {
        store(to, load(from));
        store(to + kLanes, load(from + kLanes));
      }
      if (rest == 0) continue;
      store(to, rest < kLanes ? load_part(from, rest) : load(from));
      store(to + kLanes, rest > kLanes ? load_part(from + kLanes, rest - kLanes) : zero());
    }
    return;
  }
  for (int64_t j = 0; j < cols; j += kLanes) {
    const int64_t rows = cols - j < kLanes ? cols - j : kLanes;
    float* to = panels + j / kPanelColumns * panel_stride + j % kPanelColumns;
    transpose_strip(b + j * b_col, b_col, rows, depth, to, kPanelColumns, true);
    if (j % kPanelColumns == 0 && cols - j <= kLanes) {
      for (int64_t k = 0; k < depth; ++k) store(to + k * kPanelColumns + kLanes, zero());
    }
  }
}

// The rows of a block as gemm_block splits them into panels, one after the other: panel[k][i] =
// a(row + i, k).  a: element (i, k) at a[i * a_row + k * a_depth], one of the strides 1. out: rows
// * depth floats.
void pack_rows(const float* a, int64_t a_row, int64_t a_depth, int64_t rows, int64_t depth,
               float* out) {
  const RowPanels split = row_panels(rows, kTileRows);
  int64_t i = 0;
  for (int64_t p = 0; p < split.panels; ++p) {
    const int64_t n = split.rows + (p < split.longer);
    const float* from = a + i * a_row;
    float* to = out + i * depth;
    if (a_row == 1) {
      for (int64_t k = 0; k < depth; ++k) {
        for (int64_t q = 0; q < n; q += kLanes) {
          const int64_t part = n - q < kLanes ? n - q : kLanes;
          store_part(to + k * n + q, load_part(from + k * a_depth + q, part), part);
        }
      }
    } else {
      for (int64_t q = 0; q < n; q += kLanes) {
        const int64_t part = n - q < kLanes ? n - q : kLanes;
        transpose_strip(from + q * a_row, a_row, part, depth, to + q, n, false);
      }
    }
    i += n;
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
