// Copies that bring operands of a matrix product into a form that the micro-kernels read well.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/transpose.h"
#include "pronghorn/simd/windows.h"

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

// Part [begin, end) of the elements [at, at + n) of a row of patches; `from` is where element `at`
// lies, null for zeros.
PRONGHORN_INLINE void copy_piece(const float* from, int64_t at, int64_t n, int64_t begin,
                                 int64_t end, float* row) {
  const int64_t first = at < begin ? begin : at;
  const int64_t last = at + n > end ? end : at + n;
  if (first >= last) return;
  if (from == nullptr) {
    zero_floats(last - first, row + (first - begin));
  } else {
    copy_floats(from + (first - at), last - first, row + (first - begin));
  }
}

// Columns [begin, end) of the row of patches whose window starts at pixel (i0, i1, i2) of the
// image.
void copy_patch(const Windows& p, const float* image, int64_t i0, int64_t i1, int64_t i2,
                int64_t begin, int64_t end, float* row) {
  const int64_t line = p.kernel[2] * p.channels;
  // Pixels of one line of the window that follow one another in memory and lie inside the image.
  const bool whole =
      p.dilation[2] == 1 && p.pixel == p.channels && i2 >= 0 && i2 + p.kernel[2] <= p.in[2];
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
        copy_piece(inside ? from + y2 * p.pixel : nullptr, at + k2 * p.channels, p.channels, begin,
                   end, row);
      }
    }
  }
}

PRONGHORN_INLINE void add_floats(const float* x, int64_t n, float* y) {
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, load(y + i) + load(x + i));
  if (i < n) store_part(y + i, load_part(y + i, n - i) + load_part(x + i, n - i), n - i);
}

// A piece of a row of patches that is contiguous in the image, for windows inside the image.
struct Segment {
  int64_t offset;  // from the window's first pixel
  int64_t column;  // in the part of the row that is copied
  int64_t length;
};

constexpr int kMaxSegments = 128;

// Segments of columns [col0, col0 + cols); their number, or -1 if there are too many.
int find_segments(const Windows& w, int64_t col0, int64_t cols, Segment (&segments)[kMaxSegments]) {
  const bool lines = w.dilation[2] == 1 && w.pixel == w.channels;
  const int64_t pieces = lines ? 1 : w.kernel[2];
  const int64_t length = lines ? w.kernel[2] * w.channels : w.channels;
  if (w.kernel[0] * w.kernel[1] * pieces > kMaxSegments) return -1;
  int count = 0;
  int64_t at = 0;
  for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
    for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
      for (int64_t k2 = 0; k2 < pieces; ++k2, at += length) {
        const int64_t first = at < col0 ? col0 : at;
        const int64_t last = at + length > col0 + cols ? col0 + cols : at + length;
        if (first >= last) continue;
        const int64_t pixel =
            (k0 * w.dilation[0] * w.in[1] + k1 * w.dilation[1]) * w.in[2] + k2 * w.dilation[2];
        segments[count++] = {pixel * w.pixel + (first - at), first - col0, last - first};
      }
    }
  }
  return count;
}

}  // namespace

// y(i, j) = x(i, j).  x, y: rows of n floats, x_stride and y_stride apart; no overlap.
void copy_rows(const float* x, int64_t x_stride, int64_t rows, int64_t n, float* y,
               int64_t y_stride) {
  for (int64_t i = 0; i < rows; ++i) copy_floats(x + i * x_stride, n, y + i * y_stride);
}

// y(j, i) = x(i, j).  x: rows of `cols` floats, x_stride apart; y: cols rows, y_stride apart; no
// overlap.
void transpose_matrix(const float* x, int64_t x_stride, int64_t rows, int64_t cols, float* y,
                      int64_t y_stride) {
  for (int64_t i = 0; i < rows; i += kLanes) {
    const int64_t strip = rows - i < kLanes ? rows - i : kLanes;
    transpose_strip(x + i * x_stride, x_stride, strip, cols, y + i, y_stride, false);
  }
}

// y(i, j) = element (row0 + i, col0 + j) of the matrix of patches of x.  y: rows of `cols` floats,
// y_stride apart.
void copy_patches(const Windows& w, const float* x, int64_t row0, int64_t rows, int64_t col0,
                  int64_t cols, float* y, int64_t y_stride) {
  Segment segments[kMaxSegments];
  const int count = find_segments(w, col0, cols, segments);
  int64_t longest = 0;
  for (int s = 0; s < count; ++s)
    longest = segments[s].length > longest ? segments[s].length : longest;
  for_runs(w, row0, rows, [&](const Run& run) {
    const float* image = x + run.image * image_floats(w);
    float* out = y + (run.row - row0) * y_stride;
    if (!run.interior || count < 0) {
      for (int64_t i = 0; i < run.count; ++i) {
        copy_patch(w, image, run.at[0], run.at[1], run.at[2] + i * w.stride[2], col0, col0 + cols,
                   out + i * y_stride);
      }
      return;
    }
    const float* from = image + ((run.at[0] * w.in[1] + run.at[1]) * w.in[2] + run.at[2]) * w.pixel;
    const int64_t step = w.stride[2] * w.pixel;
    if (longest <= kLanes) {
      for (int64_t i = 0; i < run.count; ++i, from += step, out += y_stride) {
        for (int s = 0; s < count; ++s) {
          const Segment& g = segments[s];
          store_part(out + g.column, load_part(from + g.offset, g.length), g.length);
        }
      }
      return;
    }
    for (int64_t i = 0; i < run.count; ++i, from += step, out += y_stride) {
      for (int s = 0; s < count; ++s)
        copy_floats(from + segments[s].offset, segments[s].length, out + segments[s].column);
    }
  });
}

// The other way: element (row0 + i, col0 + j) of the matrix of patches of x += y(i, j). Patches
// overlap: elements of x are added to in the order of rows.
void add_patches(const Windows& w, const float* y, int64_t y_stride, int64_t row0, int64_t rows,
                 int64_t col0, int64_t cols, float* x) {
  Segment segments[kMaxSegments];
  const int count = find_segments(w, col0, cols, segments);
  for_runs(w, row0, rows, [&](const Run& run) {
    float* image = x + run.image * image_floats(w);
    const float* from = y + (run.row - row0) * y_stride;
    if (!run.interior || count < 0) {
      for (int64_t i = 0; i < run.count; ++i) {
        const WindowAt window{run.image, {run.at[0], run.at[1], run.at[2] + i * w.stride[2]}};
        const float* row = from + i * y_stride;
        for_taps(w, window, [&](int64_t tap, int64_t pixel) {
          const int64_t at = tap * w.channels;
          const int64_t first = at < col0 ? col0 : at;
          const int64_t last = at + w.channels > col0 + cols ? col0 + cols : at + w.channels;
          if (first < last)
            add_floats(row + (first - col0), last - first, image + pixel * w.pixel + (first - at));
        });
      }
      return;
    }
    float* to = image + ((run.at[0] * w.in[1] + run.at[1]) * w.in[2] + run.at[2]) * w.pixel;
    for (int64_t i = 0; i < run.count; ++i, to += w.stride[2] * w.pixel, from += y_stride) {
      for (int s = 0; s < count; ++s)
        add_floats(from + segments[s].column, segments[s].length, to + segments[s].offset);
    }
  });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
