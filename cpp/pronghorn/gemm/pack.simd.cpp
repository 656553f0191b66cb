// Copies that bring operands of a matrix product into a form that the micro-kernels read well.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/transpose.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE void copy_floats(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(x + i));
  if (i < n) store_part(y + i, load_part(x + i, n - i), n - i);
}

PRONGHORN_INLINE void zero_floats(int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, zero());
  if (i < n) store_part(y + i, zero(), n - i);
}

// Part [begin, end) of the elements [at, at + n) of a row of patches; `from` is where element `at` lies, null for zeros.
PRONGHORN_INLINE void copy_piece(const float* from, int64_t at, int64_t n, int64_t begin, int64_t end, float* row) {
  const int64_t first = at < begin ? begin : at;
  const int64_t last = at + n > end ? end : at + n;
  if (first >= last) return;
  if (from == nullptr) {
    zero_floats(last - first, row + (first - begin));
  } else {
    copy_floats(from + (first - at), last - first, row + (first - begin));
  }
}

// Columns [begin, end) of the row of patches whose window starts at pixel (i0, i1, i2) of the image.
void copy_patch(const Patches& p, const float* image, int64_t i0, int64_t i1, int64_t i2, int64_t begin, int64_t end,
                float* row) {
  const int64_t line = p.kernel[2] * p.channels;
  // Pixels of one line of the window that follow one another in memory and lie inside the image.
  const bool whole = p.dilation[2] == 1 && p.pixel == p.channels && i2 >= 0 && i2 + p.kernel[2] <= p.in[2];
  int64_t at = 0;
  for (int64_t k0 = 0; k0 < p.kernel[0]; ++k0) {
    const int64_t y0 = i0 + k0 * p.dilation[0];
    for (int64_t k1 = 0; k1 < p.kernel[1]; ++k1, at += line) {
      if (at + line <= begin || at >= end) continue;
      const int64_t y1 = i1 + k1 * p.dilation[1];
      if (y0 < 0 || y0 >= p.in[0] || y1 < 0 || y1 >= p.in[1]) {
        copy_piece(nullptr, at, line, begin, end, row);
        continue;
      }
      const float* from = image + (y0 * p.in[1] + y1) * p.in[2] * p.pixel;
      if (whole) {
        copy_piece(from + i2 * p.pixel, at, line, begin, end, row);
        continue;
      }
      for (int64_t k2 = 0; k2 < p.kernel[2]; ++k2) {
        const int64_t y2 = i2 + k2 * p.dilation[2];
        const bool inside = y2 >= 0 && y2 < p.in[2];
        copy_piece(inside ? from + y2 * p.pixel : nullptr, at + k2 * p.channels, p.channels, begin, end, row);
      }
    }
  }
}

}  // namespace

// y(i, j) = x(i, j).  x, y: rows of n floats, x_stride and y_stride apart; no overlap.
void copy_rows(const float* x, int64_t x_stride, int64_t rows, int64_t n, float* y, int64_t y_stride) {
  for (int64_t i = 0; i < rows; ++i) copy_floats(x + i * x_stride, n, y + i * y_stride);
}

// y(j, i) = x(i, j).  x: rows of `cols` floats, x_stride apart; y: cols rows, y_stride apart; no overlap.
void transpose_matrix(const float* x, int64_t x_stride, int64_t rows, int64_t cols, float* y, int64_t y_stride) {
  for (int64_t i = 0; i < rows; i += kLanes) {
    const int64_t strip = rows - i < kLanes ? rows - i : kLanes;
    transpose_strip(x + i * x_stride, x_stride, strip, cols, y + i, y_stride, false);
  }
}

// y(i, j) = element (row0 + i, col0 + j) of the matrix of patches of x.  y: rows of `cols` floats, y_stride apart.
void copy_patches(const Patches& p, const float* x, int64_t row0, int64_t rows, int64_t col0, int64_t cols, float* y,
                  int64_t y_stride) {
  const int64_t image_size = p.in[0] * p.in[1] * p.in[2] * p.pixel;
  int64_t o2 = row0 % p.out[2];
  int64_t rest = row0 / p.out[2];
  int64_t o1 = rest % p.out[1];
  rest /= p.out[1];
  int64_t o0 = rest % p.out[0];
  const float* image = x + rest / p.out[0] * image_size;
  for (int64_t i = 0; i < rows; ++i) {
    copy_patch(p, image, o0 * p.stride[0] - p.pad[0], o1 * p.stride[1] - p.pad[1], o2 * p.stride[2] - p.pad[2], col0,
               col0 + cols, y + i * y_stride);
    if (++o2 < p.out[2]) continue;
    o2 = 0;
    if (++o1 < p.out[1]) continue;
    o1 = 0;
    if (++o0 < p.out[0]) continue;
    o0 = 0;
    image += image_size;
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
