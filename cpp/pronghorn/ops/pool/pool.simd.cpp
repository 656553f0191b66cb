// Pooling over windows, vectorized over channels (w.channels == w.pixel).
#include "pronghorn/simd/windows.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE Vec read(const float* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
PRONGHORN_INLINE IVec read(const int32_t* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
PRONGHORN_INLINE void write(float* p, Vec v, int64_t n) {
  n == kLanes ? store(p, v) : store_part(p, v, n);
}
PRONGHORN_INLINE void write(int32_t* p, IVec v, int64_t n) {
  n == kLanes ? store(p, v) : store_part(p, v, n);
}

template <typename F>
PRONGHORN_INLINE void for_lanes(int64_t count, F f) {
  for (int64_t j = 0; j < count; j += kLanes) f(j, count - j < kLanes ? count - j : kLanes);
}

constexpr int kMaxTaps = 64;

// Where the taps of a window lie relative to its first pixel, in floats; their number, or 0 if
// there are too many.
int tap_offsets(const Windows& w, int64_t (&offsets)[kMaxTaps]) {
  if (w.kernel[0] * w.kernel[1] * w.kernel[2] > kMaxTaps) return 0;
  int taps = 0;
  for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
    for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
      for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2) {
        offsets[taps++] = ((k0 * w.in[1] + k1) * w.in[2] + k2) * w.pixel;
      }
    }
  }
  return taps;
}

// Calls interior(row, first) for windows inside the image (first: offset of their first pixel from
// x) and border(row, window) for the others.
template <typename Interior, typename Border>
PRONGHORN_INLINE void for_windows(const Windows& w, int64_t row0, int64_t rows, bool use_interior,
                                  Interior interior, Border border) {
  for_runs(w, row0, rows, [&](const Run& run) {
    if (run.interior && use_interior) {
      const int64_t pixel = (run.at[0] * w.in[1] + run.at[1]) * w.in[2] + run.at[2];
      int64_t first = run.image * image_floats(w) + pixel * w.pixel;
      for (int64_t i = 0; i < run.count; ++i, first += w.stride[2] * w.pixel)
        interior(run.row + i, first);
    } else {
      for (int64_t i = 0; i < run.count; ++i) {
        border(run.row + i,
               WindowAt{run.image, {run.at[0], run.at[1], run.at[2] + i * w.stride[2]}});
      }
    }
  });
}

struct Cover {
  bool disjoint = true;  // no pixel is in two windows
  bool whole = true;     // and each is in one
};

Cover cover_of(const Windows& w) {
  Cover cover;
  for (int d = 0; d < 3; ++d) {
    cover.disjoint = cover.disjoint && (w.stride[d] >= w.kernel[d] || w.out[d] == 1);
    cover.whole = cover.whole && w.stride[d] == w.kernel[d] && w.out[d] * w.kernel[d] == w.in[d] &&
                  w.pad[d] == 0;
  }
  return cover;
}

// 1 / (taps of the window inside the image), 0 if there are none.
PRONGHORN_INLINE float border_share(const Windows& w, const WindowAt& window) {
  float count = 0;
  for_taps(w, window, [&](int64_t, int64_t) { count += 1.0f; });
  return count > 0 ? 1.0f / count : 0.0f;
}

// Whether v replaces the best so far: it is larger, or the first NaN.
PRONGHORN_INLINE Mask beats(Vec v, Vec best) { return ~(v <= best) & (best == best); }

}  // namespace

// y(o, c) = max over the taps of window o inside the image; taken(o, c): the first tap that has it,
// -1 if there is none. NaN if one of them is.  Windows [row0, row0 + rows); y, taken: from window 0
// on.
void max_pool_pixels(const Windows& w, const float* x, int64_t row0, int64_t rows, float* y,
                     int32_t* taken) {
  const int64_t channels = w.channels;
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(w, offsets);
  for_windows(
      w, row0, rows, taps > 0,
      [&](int64_t row, int64_t first) {
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const float* from = x + first + c;
          Vec best = read(from, n);
          IVec at{};
          for (int t = 1; t < taps; ++t) {
            const Vec v = read(from + offsets[t], n);
            const Mask better = beats(v, best);
            best = select(better, v, best);
            at = select(better, broadcast(int32_t{t}), at);
          }
          write(y + row * channels + c, best, n);
          write(taken + row * channels + c, at, n);
        });
      },
      [&](int64_t row, const WindowAt& window) {
        const float* image = x + window.image * image_floats(w);
        for_lanes(channels, [&](int64_t c, int64_t n) {
          Vec best = broadcast(-__builtin_inff());
          IVec at = broadcast(int32_t{-1});
          for_taps(w, window, [&](int64_t tap, int64_t pixel) {
            const Vec v = read(image + pixel * channels + c, n);
            // The second term: a window of nothing but -inf takes its first tap.
            const Mask better = beats(v, best) | (at < 0);
            best = select(better, v, best);
            at = select(better, broadcast(static_cast<int32_t>(tap)), at);
          });
          write(y + row * channels + c, best, n);
          write(taken + row * channels + c, at, n);
        });
      });
}

// dx(i, c) = sum of dy(o, c) over the windows o whose taken tap is pixel i. One image; dx is
// overwritten.
void max_pool_grad_image(const Windows& w, const float* dy, const int32_t* taken, float* dx) {
  const int64_t channels = w.channels;
  const Cover cover = cover_of(w);
  const bool disjoint = cover.disjoint;
  if (!cover.whole) std::memset(dx, 0, static_cast<size_t>(image_floats(w)) * sizeof(float));
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(w, offsets);
  for_windows(
      w, 0, w.out[0] * w.out[1] * w.out[2], taps > 0,
      [&](int64_t row, int64_t first) {
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Vec d = read(dy + row * channels + c, n);
          const IVec at = read(taken + row * channels + c, n);
          for (int t = 0; t < taps; ++t) {
            float* p = dx + first + offsets[t] + c;
            const Vec here = select(at == broadcast(int32_t{t}), d, zero());
            write(p, disjoint ? here : read(p, n) + here, n);
          }
        });
      },
      [&](int64_t row, const WindowAt& window) {
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Vec d = read(dy + row * channels + c, n);
          const IVec at = read(taken + row * channels + c, n);
          for_taps(w, window, [&](int64_t tap, int64_t pixel) {
            float* p = dx + pixel * channels + c;
            const Vec here = select(at == broadcast(static_cast<int32_t>(tap)), d, zero());
            write(p, disjoint ? here : read(p, n) + here, n);
          });
        });
      });
}

// y(o, c) = mean over the taps of window o inside the image, 0 if there are none.
void average_pool_pixels(const Windows& w, const float* x, int64_t row0, int64_t rows, float* y) {
  const int64_t channels = w.channels;
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(w, offsets);
  const float whole = 1.0f / static_cast<float>(taps > 0 ? taps : 1);
  for_windows(
      w, row0, rows, taps > 0,
      [&](int64_t row, int64_t first) {
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const float* from = x + first + c;
          Vec sum = read(from, n);
          for (int t = 1; t < taps; ++t) sum += read(from + offsets[t], n);
          write(y + row * channels + c, sum * whole, n);
        });
      },
      [&](int64_t row, const WindowAt& window) {
        const float* image = x + window.image * image_floats(w);
        const float scale = border_share(w, window);
        for_lanes(channels, [&](int64_t c, int64_t n) {
          Vec sum = zero();
          for_taps(w, window,
                   [&](int64_t, int64_t pixel) { sum += read(image + pixel * channels + c, n); });
          write(y + row * channels + c, sum * scale, n);
        });
      });
}

// dx(i, c) = sum over the windows o that hold pixel i of dy(o, c) / (taps of o inside). One image;
// dx is overwritten.
void average_pool_grad_image(const Windows& w, const float* dy, float* dx) {
  const int64_t channels = w.channels;
  const Cover cover = cover_of(w);
  if (!cover.whole) std::memset(dx, 0, static_cast<size_t>(image_floats(w)) * sizeof(float));
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(w, offsets);
  const float whole = 1.0f / static_cast<float>(taps > 0 ? taps : 1);
  for_windows(
      w, 0, w.out[0] * w.out[1] * w.out[2], taps > 0,
      [&](int64_t row, int64_t first) {
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Vec d = read(dy + row * channels + c, n) * whole;
          for (int t = 0; t < taps; ++t) {
            float* p = dx + first + offsets[t] + c;
            write(p, cover.disjoint ? d : read(p, n) + d, n);
          }
        });
      },
      [&](int64_t row, const WindowAt& window) {
        const float scale = border_share(w, window);
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Vec d = read(dy + row * channels + c, n) * scale;
          for_taps(w, window, [&](int64_t, int64_t pixel) {
            float* p = dx + pixel * channels + c;
            write(p, cover.disjoint ? d : read(p, n) + d, n);
          });
        });
      });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
