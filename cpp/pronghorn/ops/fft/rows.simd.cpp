// Fourier transforms of rows of complex numbers: rows in the lanes of vectors, single rows cut into
// as many as there are lanes, and rows of lengths with large prime factors as convolutions.
#include "pronghorn/ops/fft/rows.h"

#include "pronghorn/ops/fft/butterflies.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// columns: (rows, 2, kLanes), row k holds point k of `radix` columns. Writes the transforms over
// the columns of rows k0 to k0 + count - 1, point u of row k to out[u * pitch + k].
template <int radix>
PRONGHORN_INLINE void across_lanes(const float* columns, int64_t k0, int64_t count,
                                   const float* turns, float* out_re, float* out_im,
                                   int64_t pitch) {
  const float* row[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    row[i] = columns + (k0 + (i < count ? i : count - 1)) * 2 * kLanes;
  }
  Complex a[radix];
#pragma GCC unroll 4
  for (int l = 0; l < radix; l += 4) {
    Vec re[4] = {load_quads(row, l), load_quads(row + 1, l), load_quads(row + 2, l),
                 load_quads(row + 3, l)};
    const int64_t at = l + kLanes;
    Vec im[4] = {load_quads(row, at), load_quads(row + 1, at), load_quads(row + 2, at),
                 load_quads(row + 3, at)};
    transpose_quads(re);
    transpose_quads(im);
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      a[l + q] = {re[q], im[q]};
      if (l + q > 0) {
        const float* turn = turns + (l + q - 1) * 2 * kLanes;
        a[l + q] = multiply(a[l + q], {load(turn), load(turn + kLanes)});
      }
    }
  }
  butterfly(a);
  if (count == kLanes) {
#pragma GCC unroll 16
    for (int u = 0; u < radix; ++u) {
      store(out_re + u * pitch + k0, a[u].re);
      store(out_im + u * pitch + k0, a[u].im);
    }
  } else {
#pragma GCC unroll 16
    for (int u = 0; u < radix; ++u) {
      store_part(out_re + u * pitch + k0, a[u].re, count);
      store_part(out_im + u * pitch + k0, a[u].im, count);
    }
  }
}

// The same for any number of columns up to kLanes.
void across_some(const FftPlan& plan, const float* columns, int64_t k0, int64_t count,
                 const float* turns, float* out_re, float* out_im, float* work) {
  const int64_t lanes = plan.lanes;
  const int64_t step = 2 * kLanes;
  LaneBuffers rows(work, kLanes);
  transpose_strip(columns + k0 * step, step, count, lanes, rows.data, step, true);
  transpose_strip(columns + k0 * step + kLanes, step, count, lanes, rows.data + kLanes, step, true);
  for (int64_t l = 1; l < lanes; ++l) {
    float* at = rows.data + l * step;
    const float* turn = turns + (l - 1) * step;
    const Complex y = multiply({load(at), load(at + kLanes)}, {load(turn), load(turn + kLanes)});
    store(at, y.re);
    store(at + kLanes, y.im);
  }
  rows.transform(plan.across, false);
  for (int64_t u = 0; u < lanes; ++u) {
    store_part(out_re + u * plan.columns.length + k0, load(rows.data + u * step), count);
    store_part(out_im + u * plan.columns.length + k0, load(rows.data + u * step + kLanes), count);
  }
}

void split_row(const FftPlan& plan, const float* re, const float* im, float* out_re, float* out_im,
               float* work) {
  const int64_t points = plan.columns.length;
  const int64_t lanes = plan.lanes;
  const int64_t step = 2 * kLanes;
  float* columns = work;
  float* other = work + points * step;
  float* more = other + points * step;
  fft_columns(plan.columns, {re, im, lanes}, {columns, columns + kLanes, step},
              {other, other + kLanes, step});
  const float* turns = plan.turns;
  for (int64_t k = 0; k < points; k += kLanes) {
    const int64_t count = points - k < kLanes ? points - k : kLanes;
    if (lanes == kLanes) {
      across_lanes<kLanes>(columns, k, count, turns, out_re, out_im, points);
    } else if (kLanes > 8 && lanes == 8) {
      across_lanes<8>(columns, k, count, turns, out_re, out_im, points);
    } else {
      across_some(plan, columns, k, count, turns, out_re, out_im, more);
    }
    turns += (lanes - 1) * step;
  }
}

// Bluestein 1970: j k = (j^2 + k^2 - (k - j)^2) / 2 makes the transform a convolution with a chirp.
void convolved_row(const FftPlan& plan, const float* re, const float* im, float* out_re,
                   float* out_im, float* work) {
  const int64_t n = plan.n;
  const int64_t size = plan.convolution->n;
  float* x_re = work;
  float* x_im = x_re + size;
  float* more = x_im + size;
  const float* c_re = plan.chirp;
  const float* c_im = plan.chirp + n;
  for (int64_t j = 0; j < n; ++j) {
    const float a = re[j];
    const float b = im[j];
    x_re[j] = a * c_re[j] - b * c_im[j];
    x_im[j] = a * c_im[j] + b * c_re[j];
  }
  for (int64_t j = n; j < size; ++j) {
    x_re[j] = 0.0f;
    x_im[j] = 0.0f;
  }
  split_row(*plan.convolution, x_re, x_im, x_re, x_im, more);
  for (int64_t j = 0; j < size; j += kLanes) {
    const Complex y = multiply({load(x_re + j), load(x_im + j)},
                               {load(plan.spectrum + j), load(plan.spectrum + size + j)});
    store(x_re + j, y.re);
    store(x_im + j, y.im);
  }
  // the inverse transform is the transform with real and imaginary parts exchanged
  split_row(*plan.convolution, x_im, x_re, x_im, x_re, more);
  for (int64_t k = 0; k < n; ++k) {
    const float a = x_re[k];
    const float b = x_im[k];
    out_re[k] = a * c_re[k] - b * c_im[k];
    out_im[k] = a * c_im[k] + b * c_re[k];
  }
}

}  // namespace

int64_t fft_lanes() { return kLanes; }

void fft_row(const FftPlan& plan, const float* re, const float* im, float* out_re, float* out_im,
             float* work) {
  if (plan.chirp != nullptr) {
    convolved_row(plan, re, im, out_re, out_im, work);
  } else {
    split_row(plan, re, im, out_re, out_im, work);
  }
}

// out(r, k) = sum over j of x(r, j) exp(-2 pi i j k / n).  x = (re, im), out: (rows, n) each.
void fft_rows(const FftPlan& plan, const float* re, const float* im, int64_t rows, float* out_re,
              float* out_im, float* work) {
  const int64_t n = plan.n;
  if (plan.lanes == 0 && plan.chirp == nullptr) {
    const int64_t step = 2 * kLanes;
    for (int64_t r = 0; r < rows; r += kLanes) {
      const int64_t count = rows - r < kLanes ? rows - r : kLanes;
      LaneBuffers lanes(work, n);
      transpose_strip(re + r * n, n, count, n, lanes.data, step, true);
      transpose_strip(im + r * n, n, count, n, lanes.data + kLanes, step, true);
      lanes.transform(plan.columns, false);
      for (int64_t k = 0; k < n; k += kLanes) {
        const int64_t points = n - k < kLanes ? n - k : kLanes;
        const float* from = lanes.data + k * step;
        transpose_strip(from, step, points, count, out_re + r * n + k, n, false);
        transpose_strip(from + kLanes, step, points, count, out_im + r * n + k, n, false);
      }
    }
    return;
  }
  const bool reads_behind = plan.chirp == nullptr && plan.lanes != kLanes;
  for (int64_t r = 0; r < rows; ++r) {
    const float* row_re = re + r * n;
    const float* row_im = im + r * n;
    float* more = work;
    if (reads_behind) {
      float* copy_re = work;
      float* copy_im = work + n + kLanes;
      more = copy_im + n + kLanes;
      std::memcpy(copy_re, row_re, static_cast<size_t>(n) * sizeof(float));
      std::memcpy(copy_im, row_im, static_cast<size_t>(n) * sizeof(float));
      row_re = copy_re;
      row_im = copy_im;
    }
    fft_row(plan, row_re, row_im, out_re + r * n, out_im + r * n, more);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
