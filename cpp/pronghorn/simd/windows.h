// Walking over sliding windows. Include only from *.simd.cpp.
#pragma once

#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Window `row` of the row grid: its image and its first pixel (which may lie outside).
struct WindowAt {
  int64_t image;
  int64_t at[3];
};

PRONGHORN_INLINE WindowAt window_at(const Windows& w, int64_t row) {
  const int64_t o2 = row % w.out[2];
  const int64_t o1 = row / w.out[2] % w.out[1];
  const int64_t rest = row / w.out[2] / w.out[1];
  return {rest / w.out[0],
          {rest % w.out[0] * w.stride[0] - w.pad[0], o1 * w.stride[1] - w.pad[1],
           o2 * w.stride[2] - w.pad[2]}};
}

PRONGHORN_INLINE int64_t image_floats(const Windows& w) {
  return w.in[0] * w.in[1] * w.in[2] * w.pixel;
}

// Taps of a window inside the image, along dimension d: [*begin, *end).
PRONGHORN_INLINE void inside(const Windows& w, int d, int64_t at, int64_t* begin, int64_t* end) {
  const int64_t dilation = w.dilation[d];
  const int64_t first = at < 0 ? (-at + dilation - 1) / dilation : 0;
  const int64_t room = w.in[d] - at;  // pixels from the window's first to the image's end
  const int64_t last = room <= 0 ? 0 : (room + dilation - 1) / dilation;
  *end = last < w.kernel[d] ? last : w.kernel[d];
  *begin = first < *end ? first : *end;
}

// Calls f(tap, pixel) for the taps of the window inside the image: the tap's number in the window
// and its pixel's number in the image.
template <typename F>
PRONGHORN_INLINE void for_taps(const Windows& w, const WindowAt& window, F f) {
  int64_t b0, e0, b1, e1, b2, e2;
  inside(w, 0, window.at[0], &b0, &e0);
  inside(w, 1, window.at[1], &b1, &e1);
  inside(w, 2, window.at[2], &b2, &e2);
  for (int64_t k0 = b0; k0 < e0; ++k0) {
    const int64_t plane = (window.at[0] + k0 * w.dilation[0]) * w.in[1];
    for (int64_t k1 = b1; k1 < e1; ++k1) {
      const int64_t line = (plane + window.at[1] + k1 * w.dilation[1]) * w.in[2];
      for (int64_t k2 = b2; k2 < e2; ++k2) {
        f((k0 * w.kernel[1] + k1) * w.kernel[2] + k2, line + window.at[2] + k2 * w.dilation[2]);
      }
    }
  }
}

// Successive windows of one line of the row grid, all inside the image or all (partly) outside.
struct Run {
  int64_t image;
  int64_t at[3];  // first pixel of the first window; the next one is stride[2] pixels on
  int64_t row;    // number of the first window
  int64_t count;
  bool interior;
};

// Calls f for runs that make up windows [row0, row0 + rows), in order.
template <typename F>
PRONGHORN_INLINE void for_runs(const Windows& w, int64_t row0, int64_t rows, F f) {
  // Windows [low, high) of a line are inside along the last dimension.
  const int64_t room = w.in[2] - (w.kernel[2] - 1) * w.dilation[2] - 1 + w.pad[2];
  const int64_t low = w.pad[2] <= 0 ? 0 : (w.pad[2] + w.stride[2] - 1) / w.stride[2];
  const int64_t high = room < 0 ? 0 : room / w.stride[2] + 1;
  const auto fits = [&](int d, int64_t at) {
    return at >= 0 && at + (w.kernel[d] - 1) * w.dilation[d] < w.in[d];
  };
  int64_t row = row0;
  while (row < row0 + rows) {
    const WindowAt first = window_at(w, row);
    const int64_t o = row % w.out[2];
    const int64_t left = row0 + rows - row < w.out[2] - o ? row0 + rows - row : w.out[2] - o;
    const bool inside_line = fits(0, first.at[0]) && fits(1, first.at[1]);
    for (int64_t done = 0; done < left;) {
      const int64_t here = o + done;
      int64_t end = o + left;
      bool interior = false;
      if (inside_line) {
        interior = here >= low && here < high;
        const int64_t change = here < low ? low : here < high ? high : end;
        end = change < end ? change : end;
      }
      f(Run{first.image,
            {first.at[0], first.at[1], here * w.stride[2] - w.pad[2]},
            row + done,
            end - here,
            interior});
      done = end - o;
    }
    row += left;
  }
}

// Calls f(j, n) over [0, count) in steps of kVecs vectors, then of one; n floats from j on (n <
// kLanes only at the end).
template <typename Wide, typename Narrow>
PRONGHORN_INLINE void for_channels(int64_t count, int64_t wide, Wide many, Narrow one) {
  int64_t j = 0;
  for (; j + wide * kLanes <= count; j += wide * kLanes) many(j);
  for (; j < count; j += kLanes) one(j, count - j < kLanes ? count - j : kLanes);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
