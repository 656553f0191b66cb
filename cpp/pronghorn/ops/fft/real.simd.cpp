// Fourier transforms of real numbers, see RealFft. An even row of n numbers is transformed as n / 2
// complex ones, z(j) = x(2 j) + i x(2 j + 1) (Sorensen, Jones, Heideman, Burrus 1987).
#include "pronghorn/ops/fft/rows.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

template <typename T>
struct Bins {
  T low_re, low_im;    // bin k
  T high_re, high_im;  // bin n / 2 - k
};

// Bins k and n / 2 - k of twice the spectrum, from points k and n / 2 - k of the transform of z.
// (turn_re, turn_im) = exp(-2 pi i k / n).
template <typename T>
PRONGHORN_INLINE Bins<T> to_spectrum(const Bins<T>& z, T turn_re, T turn_im) {
  const T even_re = z.low_re + z.high_re;
  const T even_im = z.low_im - z.high_im;
  const T odd_re = z.low_im + z.high_im;
  const T odd_im = z.high_re - z.low_re;
  const T re = odd_re * turn_re - odd_im * turn_im;
  const T im = odd_re * turn_im + odd_im * turn_re;
  return {even_re + re, even_im + im, even_re - re, im - even_im};
}

// The other way: points of z, whose inverse transform has twice the spectrum of these bins.
template <typename T>
PRONGHORN_INLINE Bins<T> from_spectrum(const Bins<T>& s, T turn_re, T turn_im) {
  const T even_re = s.low_re + s.high_re;
  const T even_im = s.low_im - s.high_im;
  const T d_re = s.low_re - s.high_re;
  const T d_im = s.low_im + s.high_im;
  const T odd_re = d_re * turn_re + d_im * turn_im;
  const T odd_im = d_im * turn_re - d_re * turn_im;
  return {even_re - odd_im, even_im + odd_re, even_re + odd_im, odd_re - even_im};
}

// out(k), out(h - k) = scale * f(in(k), in(h - k)) for k = 1 to h / 2. Inputs and outputs do not
// overlap.
template <typename F>
PRONGHORN_INLINE void for_pairs(int64_t h, const float* turns, const float* re, const float* im,
                                float scale, float* out_re, float* out_im, F f) {
  const int64_t quarter = h / 2 + 1;
  int64_t k = 1;
  for (; k + kLanes <= h / 2 + 1; k += kLanes) {
    const int64_t high = h - k - kLanes + 1;
    if (k + kLanes > high) break;  // the pairs would meet in one vector
    const Bins<Vec> in{load(re + k), load(im + k), reverse(load(re + high)),
                       reverse(load(im + high))};
    const Bins<Vec> out = f(in, load(turns + k), load(turns + quarter + k));
    store(out_re + k, out.low_re * scale);
    store(out_im + k, out.low_im * scale);
    store(out_re + high, reverse(out.high_re * scale));
    store(out_im + high, reverse(out.high_im * scale));
  }
  for (; k <= h / 2; ++k) {
    const Bins<float> in{re[k], im[k], re[h - k], im[h - k]};
    const Bins<float> out = f(in, turns[k], turns[quarter + k]);
    out_re[h - k] = out.high_re * scale;
    out_im[h - k] = out.high_im * scale;
    out_re[k] = out.low_re * scale;
    out_im[k] = out.low_im * scale;
  }
}

PRONGHORN_INLINE float* signal_row(const RealFft& f, int64_t row) {
  return f.x + row / f.frames * f.signal_pitch + row % f.frames * f.frame_pitch;
}

PRONGHORN_INLINE bool keeps_rows_in_lanes(const FftPlan& plan) {
  return plan.lanes == 0 && plan.chirp == nullptr;
}

// --- One row ---

void pack_even(const RealFft& f, const float* x, float* re, float* im) {
  const int64_t h = f.n / 2;
  int64_t j = 0;
  for (; 2 * (j + kLanes) <= f.frame; j += kLanes) {
    Vec a = load(x + 2 * j);
    Vec b = load(x + 2 * j + kLanes);
    if (f.window != nullptr) {
      a *= load(f.window + 2 * j);
      b *= load(f.window + 2 * j + kLanes);
    }
    store(re + j, even_lanes(a, b));
    store(im + j, odd_lanes(a, b));
  }
  const auto at = [&](int64_t i) PRONGHORN_LAMBDA_INLINE {
    if (i >= f.frame) return 0.0f;
    return f.window == nullptr ? x[i] : x[i] * f.window[i];
  };
  for (; j < h; ++j) {
    re[j] = at(2 * j);
    im[j] = at(2 * j + 1);
  }
}

void unpack_even(const RealFft& f, const float* re, const float* im, float* x) {
  int64_t j = 0;
  for (; 2 * (j + kLanes) <= f.frame; j += kLanes) {
    Vec a = interleave_low(load(re + j), load(im + j));
    Vec b = interleave_high(load(re + j), load(im + j));
    if (f.window != nullptr) {
      a *= load(f.window + 2 * j);
      b *= load(f.window + 2 * j + kLanes);
    }
    store(x + 2 * j, a);
    store(x + 2 * j + kLanes, b);
  }
  for (int64_t i = 2 * j; i < f.frame; ++i) {
    const float value = i % 2 == 0 ? re[i / 2] : im[i / 2];
    x[i] = f.window == nullptr ? value : value * f.window[i];
  }
}

void forward_row(const RealFft& f, int64_t row, float* work) {
  const int64_t points = f.plan->n;
  float* z_re = work;
  float* z_im = z_re + points + kLanes;
  float* more = z_im + points + kLanes;
  const float* x = signal_row(f, row);
  float* re = f.re + row * f.bins;
  float* im = f.im + row * f.bins;
  if (f.n % 2 == 0) {
    pack_even(f, x, z_re, z_im);
    fft_row(*f.plan, z_re, z_im, z_re, z_im, more);
    for_pairs(points, f.half_turns, z_re, z_im, 0.5f * f.inner, re, im,
              [](const auto& z, auto c, auto s)
                  PRONGHORN_LAMBDA_INLINE { return to_spectrum(z, c, s); });
    re[0] = (z_re[0] + z_im[0]) * f.edge;
    re[points] = (z_re[0] - z_im[0]) * f.edge;
    im[points] = 0.0f;
  } else {
    for (int64_t j = 0; j < f.n; ++j) {
      z_re[j] = j < f.frame ? (f.window == nullptr ? x[j] : x[j] * f.window[j]) : 0.0f;
      z_im[j] = 0.0f;
    }
    fft_row(*f.plan, z_re, z_im, z_re, z_im, more);
    for (int64_t k = 1; k < f.bins; ++k) {
      re[k] = z_re[k] * f.inner;
      im[k] = z_im[k] * f.inner;
    }
    re[0] = z_re[0] * f.edge;
  }
  im[0] = 0.0f;
}

void inverse_row(const RealFft& f, int64_t row, float* work) {
  const int64_t points = f.plan->n;
  const int64_t needed = f.n / 2 + 1;
  float* z_re = work;
  float* z_im = z_re + points + kLanes;
  float* more = z_im + points + kLanes;
  float* x = f.x + row * f.frame_pitch;
  const float* re = f.re + row * f.bins;
  const float* im = f.im + row * f.bins;
  if (f.bins < needed) {
    float* whole_re = more;
    float* whole_im = whole_re + needed;
    more = whole_im + needed;
    for (int64_t k = 0; k < needed; ++k) {
      whole_re[k] = k < f.bins ? re[k] : 0.0f;
      whole_im[k] = k < f.bins ? im[k] : 0.0f;
    }
    re = whole_re;
    im = whole_im;
  }
  if (f.n % 2 == 0) {
    for_pairs(points, f.half_turns, re, im, 0.5f * f.inner, z_re, z_im,
              [](const auto& s, auto c, auto d)
                  PRONGHORN_LAMBDA_INLINE { return from_spectrum(s, c, d); });
    z_re[0] = (re[0] + re[points]) * f.edge;
    z_im[0] = (re[0] - re[points]) * f.edge;
    fft_row(*f.plan, z_im, z_re, z_im, z_re, more);
    unpack_even(f, z_re, z_im, x);
    return;
  }
  z_re[0] = re[0] * f.edge;
  z_im[0] = 0.0f;
  for (int64_t k = 1; k < needed; ++k) {
    z_re[k] = re[k] * (0.5f * f.inner);
    z_im[k] = im[k] * (0.5f * f.inner);
    z_re[f.n - k] = z_re[k];
    z_im[f.n - k] = -z_im[k];
  }
  fft_row(*f.plan, z_im, z_re, z_im, z_re, more);
  for (int64_t j = 0; j < f.frame; ++j) {
    x[j] = f.window == nullptr ? z_re[j] : z_re[j] * f.window[j];
  }
}

// --- Rows in lanes ---

// For pairs of points k and h - k of the lanes at `from`, written to `to`.
template <typename F>
PRONGHORN_INLINE void for_lane_pairs(int64_t h, const float* turns, float scale, const float* from,
                                     float* to, F f) {
  const int64_t step = 2 * kLanes;
  const int64_t quarter = h / 2 + 1;
  for (int64_t k = 1; k <= h / 2; ++k) {
    const float* low = from + k * step;
    const float* high = from + (h - k) * step;
    const Bins<Vec> in{load(low), load(low + kLanes), load(high), load(high + kLanes)};
    const Bins<Vec> out = f(in, broadcast(turns[k]), broadcast(turns[quarter + k]));
    store(to + (h - k) * step, out.high_re * scale);
    store(to + (h - k) * step + kLanes, out.high_im * scale);
    store(to + k * step, out.low_re * scale);
    store(to + k * step + kLanes, out.low_im * scale);
  }
}

void forward_lanes(const RealFft& f, int64_t row0, int64_t count, float* work) {
  const int64_t points = f.plan->n;
  const int64_t step = 2 * kLanes;
  const bool even = f.n % 2 == 0;
  const int64_t x_step = even ? kLanes : step;
  const float* row[kLanes];
  for (int i = 0; i < kLanes; ++i) row[i] = signal_row(f, row0 + (i < count ? i : count - 1));
  LaneBuffers lanes(work, points + 1);
  transpose_rows(row, count, f.frame, lanes.data, x_step, true);
  for (int64_t j = f.frame; j < f.n; ++j) store(lanes.data + j * x_step, zero());
  if (f.window != nullptr) {
    for (int64_t j = 0; j < f.frame; ++j) {
      float* at = lanes.data + j * x_step;
      store(at, load(at) * f.window[j]);
    }
  }
  if (!even) {
    for (int64_t j = 0; j < f.n; ++j) store(lanes.data + j * step + kLanes, zero());
  }
  lanes.transform(f.plan->columns, false);
  const Vec first = load(lanes.data);
  const Vec second = load(lanes.data + kLanes);
  float* out = lanes.spare;
  if (even) {
    for_lane_pairs(points, f.half_turns, 0.5f * f.inner, lanes.data, out,
                   [](const auto& z, auto c, auto s)
                       PRONGHORN_LAMBDA_INLINE { return to_spectrum(z, c, s); });
    store(out, (first + second) * f.edge);
    store(out + points * step, (first - second) * f.edge);
    store(out + points * step + kLanes, zero());
  } else {
    for (int64_t k = 1; k < f.bins; ++k) {
      store(out + k * step, load(lanes.data + k * step) * f.inner);
      store(out + k * step + kLanes, load(lanes.data + k * step + kLanes) * f.inner);
    }
    store(out, first * f.edge);
  }
  store(out + kLanes, zero());
  for (int64_t k = 0; k < f.bins; k += kLanes) {
    const int64_t bins = f.bins - k < kLanes ? f.bins - k : kLanes;
    const float* from = out + k * step;
    const int64_t to = row0 * f.bins + k;
    transpose_strip(from, step, bins, count, f.re + to, f.bins, false);
    transpose_strip(from + kLanes, step, bins, count, f.im + to, f.bins, false);
  }
}

void inverse_lanes(const RealFft& f, int64_t row0, int64_t count, float* work) {
  const int64_t points = f.plan->n;
  const int64_t step = 2 * kLanes;
  const bool even = f.n % 2 == 0;
  const int64_t needed = f.n / 2 + 1;
  const int64_t given = f.bins < needed ? f.bins : needed;
  LaneBuffers lanes(work, points + 1);
  float* in = lanes.data;
  transpose_strip(f.re + row0 * f.bins, f.bins, count, given, in, step, true);
  transpose_strip(f.im + row0 * f.bins, f.bins, count, given, in + kLanes, step, true);
  for (int64_t k = given; k < needed; ++k) {
    store(in + k * step, zero());
    store(in + k * step + kLanes, zero());
  }
  float* z = lanes.spare;
  const Vec first = load(in);
  if (even) {
    const Vec last = load(in + points * step);
    for_lane_pairs(points, f.half_turns, 0.5f * f.inner, in, z,
                   [](const auto& s, auto c, auto d)
                       PRONGHORN_LAMBDA_INLINE { return from_spectrum(s, c, d); });
    store(z, (first + last) * f.edge);
    store(z + kLanes, (first - last) * f.edge);
  } else {
    for (int64_t k = 1; k < needed; ++k) {
      const Vec re = load(in + k * step) * (0.5f * f.inner);
      const Vec im = load(in + k * step + kLanes) * (0.5f * f.inner);
      store(z + k * step, re);
      store(z + k * step + kLanes, im);
      store(z + (f.n - k) * step, re);
      store(z + (f.n - k) * step + kLanes, -im);
    }
    store(z, first * f.edge);
    store(z + kLanes, zero());
  }
  lanes.swap();
  lanes.transform(f.plan->columns, true);
  const int64_t x_step = even ? kLanes : step;
  for (int64_t j = 0; j < f.frame; j += kLanes) {
    const int64_t numbers = f.frame - j < kLanes ? f.frame - j : kLanes;
    float* from = lanes.data + j * x_step;
    if (f.window != nullptr) {
      for (int64_t i = 0; i < numbers; ++i) {
        store(from + i * x_step, load(from + i * x_step) * f.window[j + i]);
      }
    }
    transpose_strip(from, x_step, numbers, count, f.x + row0 * f.frame_pitch + j, f.frame_pitch,
                    false);
  }
}

}  // namespace

// Spectra of rows begin to end - 1.
void rfft_rows(const RealFft& f, int64_t begin, int64_t end, float* work) {
  if (!keeps_rows_in_lanes(*f.plan)) {
    for (int64_t row = begin; row < end; ++row) forward_row(f, row, work);
    return;
  }
  for (int64_t row = begin; row < end; row += kLanes) {
    forward_lanes(f, row, end - row < kLanes ? end - row : kLanes, work);
  }
}

// x(t) = sum over the bins of weight Re((re + i im) exp(2 pi i k t / n)), times the window: the
// adjoint of rfft_rows. Rows lie frame_pitch apart; signals do not count.
void irfft_rows(const RealFft& f, int64_t begin, int64_t end, float* work) {
  if (!keeps_rows_in_lanes(*f.plan)) {
    for (int64_t row = begin; row < end; ++row) inverse_row(f, row, work);
    return;
  }
  for (int64_t row = begin; row < end; row += kLanes) {
    inverse_lanes(f, row, end - row < kLanes ? end - row : kLanes, work);
  }
}

// y(t) = sum over i of rows(i, t - i pitch), begin <= t < end.  rows: (count, frame).
void overlap_add(const float* rows, int64_t count, int64_t frame, int64_t pitch, int64_t begin,
                 int64_t end, float* y) {
  for (int64_t t = begin; t < end; ++t) y[t] = 0.0f;
  for (int64_t i = begin < frame ? 0 : (begin - frame) / pitch + 1; i < count; ++i) {
    const int64_t first = i * pitch;
    if (first >= end) break;
    const int64_t low = first < begin ? begin : first;
    const int64_t high = first + frame < end ? first + frame : end;
    const float* from = rows + i * frame + (low - first);
    int64_t t = low;
    for (; t + kLanes <= high; t += kLanes, from += kLanes) store(y + t, load(y + t) + load(from));
    for (; t < high; ++t, ++from) y[t] += *from;
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
