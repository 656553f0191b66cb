// Depthwise convolution with one result a channel, a line of windows at a time: successive windows
// share what they read, and the taps of a line of the kernel stay in registers.
#include "pronghorn/simd/windows.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

void depthwise_dw_lines(const Windows& w, const int32_t* source, const float* x, const float* dy,
                        int64_t line0, int64_t lines, int64_t out_channels, float* dw);

namespace {

#if defined(PRONGHORN_ISA_AVX512)
constexpr int kPixels = 8;  // windows of a tile: their sums and the taps of a line in registers
#else
constexpr int kPixels = 4;
#endif
constexpr int kMaxRows = 64;

PRONGHORN_INLINE Vec read(const float* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
PRONGHORN_INLINE void write(float* p, Vec v, int64_t n) {
  n == kLanes ? store(p, v) : store_part(p, v, n);
}

// Lines of the kernel that lie inside the image, for the windows of a line of the row grid.
struct Rows {
  int64_t x[kMaxRows];  // from the line's first window: where its first tap reads
  int64_t w[kMaxRows];  // its taps
  int count;
};

Rows rows_of(const Windows& w, const WindowAt& window) {
  Rows rows;
  rows.count = 0;
  for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
    const int64_t i0 = window.at[0] + k0 * w.dilation[0];
    if (i0 < 0 || i0 >= w.in[0]) continue;
    for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
      const int64_t i1 = window.at[1] + k1 * w.dilation[1];
      if (i1 < 0 || i1 >= w.in[1]) continue;
      rows.x[rows.count] = ((i0 * w.in[1] + i1) * w.in[2] + window.at[2]) * w.pixel;
      rows.w[rows.count++] = (k0 * w.kernel[1] + k1) * w.kernel[2] * w.pixel;
    }
  }
  return rows;
}

// What a tile of windows needs; pixels of x and of the result lie x_pixel and y_pixel floats apart.
struct Tile {
  const Rows* rows;
  const float* x;  // of the first window
  int64_t x_pixel;
  const float* w;  // the taps of a line lie `channels` apart
  int64_t channels;
  float* y;
  int64_t y_pixel;
};

template <int kCount, int kTaps, int kStep>
PRONGHORN_INLINE void sum_tile(const Tile& t, int64_t c, int64_t n) {
  Vec sum[kCount];
#pragma GCC unroll 8
  for (int p = 0; p < kCount; ++p) sum[p] = zero();
  for (int r = 0; r < t.rows->count; ++r) {
    const float* x = t.x + t.rows->x[r] + c;
    const float* w = t.w + t.rows->w[r] + c;
    Vec taps[kTaps];
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) taps[k] = read(w + k * t.channels, n);
#pragma GCC unroll 32
    for (int i = 0; i < (kCount - 1) * kStep + kTaps; ++i) {
      const Vec v = read(x + i * t.x_pixel, n);
#pragma GCC unroll 8
      for (int p = 0; p < kCount; ++p) {
        const int k = i - p * kStep;
        if (k >= 0 && k < kTaps) sum[p] = fma(v, taps[k], sum[p]);
      }
    }
  }
#pragma GCC unroll 8
  for (int p = 0; p < kCount; ++p) write(t.y + p * t.y_pixel + c, sum[p], n);
}

template <int kCount, int kTaps, int kStep>
void run_tile(const Tile& t) {
  int64_t c = 0;
  for (; c + kLanes <= t.channels; c += kLanes) sum_tile<kCount, kTaps, kStep>(t, c, kLanes);
  if (c < t.channels) sum_tile<kCount, kTaps, kStep>(t, c, t.channels - c);
}

// Adds to the gradients of the taps of a line of the kernel: kCount windows, dy in place of w.
// Windows take turns with two sets of sums, because a chain of dependent additions is slow.
template <int kTaps, int kStep>
PRONGHORN_INLINE void add_line(const float* x, int64_t x_pixel, const float* dy, int64_t channels,
                               int64_t count, float* dw, int64_t n) {
  constexpr int kTogether = 4;
  Vec sum[2][kTaps];
#pragma GCC unroll 8
  for (int k = 0; k < kTaps; ++k) {
    sum[0][k] = read(dw + k * channels, n);
    sum[1][k] = zero();
  }
  int64_t p = 0;
  for (; p + kTogether <= count; p += kTogether) {
    Vec d[kTogether];
#pragma GCC unroll 4
    for (int q = 0; q < kTogether; ++q) d[q] = read(dy + q * channels, n);
#pragma GCC unroll 32
    for (int i = 0; i < (kTogether - 1) * kStep + kTaps; ++i) {
      const Vec v = read(x + i * x_pixel, n);
#pragma GCC unroll 4
      for (int q = 0; q < kTogether; ++q) {
        const int k = i - q * kStep;
        if (k >= 0 && k < kTaps) sum[q % 2][k] = fma(v, d[q], sum[q % 2][k]);
      }
    }
    x += kTogether * kStep * x_pixel;
    dy += kTogether * channels;
  }
  for (; p < count; ++p) {
    const Vec d = read(dy, n);
#pragma GCC unroll 8
    for (int k = 0; k < kTaps; ++k) sum[0][k] = fma(read(x + k * x_pixel, n), d, sum[0][k]);
    x += kStep * x_pixel;
    dy += channels;
  }
#pragma GCC unroll 8
  for (int k = 0; k < kTaps; ++k) write(dw + k * channels, sum[0][k] + sum[1][k], n);
}

using RunTile = void (*)(const Tile&);
using AddLine = void (*)(const float* x, int64_t x_pixel, const float* dy, int64_t channels,
                         int64_t count, float* dw);

template <int kTaps, int kStep>
void add_lines(const float* x, int64_t x_pixel, const float* dy, int64_t channels, int64_t count,
               float* dw) {
  int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes)
    add_line<kTaps, kStep>(x + c, x_pixel, dy + c, channels, count, dw + c, kLanes);
  if (c < channels)
    add_line<kTaps, kStep>(x + c, x_pixel, dy + c, channels, count, dw + c, channels - c);
}

struct Forms {
  RunTile many;  // kPixels windows
  RunTile two;
  RunTile one;
  AddLine add;
};

template <int kTaps, int kStep>
constexpr Forms kForms = {&run_tile<kPixels, kTaps, kStep>, &run_tile<2, kTaps, kStep>,
                          &run_tile<1, kTaps, kStep>, &add_lines<kTaps, kStep>};

// Null where there is none.
const Forms* forms_of(const Windows& w) {
  if (w.dilation[2] != 1 && w.kernel[2] > 1) return nullptr;
  if (w.kernel[0] * w.kernel[1] > kMaxRows) return nullptr;
  if (w.stride[2] == 1) {
    switch (w.kernel[2]) {
      case 1: return &kForms<1, 1>;
      case 2: return &kForms<2, 1>;
      case 3: return &kForms<3, 1>;
      case 4: return &kForms<4, 1>;
      case 5: return &kForms<5, 1>;
      case 7: return &kForms<7, 1>;
      default: return nullptr;
    }
  }
  if (w.stride[2] == 2) {
    switch (w.kernel[2]) {
      case 3: return &kForms<3, 2>;
      case 5: return &kForms<5, 2>;
      default: return nullptr;
    }
  }
  return nullptr;
}

// Windows [low, high) of a line lie inside the image along it.
PRONGHORN_INLINE void inner_windows(const Windows& w, int64_t* low, int64_t* high) {
  const int64_t room = w.in[2] - (w.kernel[2] - 1) * w.dilation[2] - 1 + w.pad[2];
  const int64_t first = w.pad[2] <= 0 ? 0 : (w.pad[2] + w.stride[2] - 1) / w.stride[2];
  const int64_t end = room < 0 ? 0 : room / w.stride[2] + 1;
  *low = first < w.out[2] ? first : w.out[2];
  *high = end < *low ? *low : end < w.out[2] ? end : w.out[2];
}

}  // namespace

// y(o, c) = sum over taps of x(pixel of the tap, c) w(tap, c), for windows in lines [line0, line0 +
// lines) of the row grid (a line: windows that differ in the last dimension only). w: (taps,
// channels). Window (image, o0, o1, o2) goes to y + image * at.image + o0 * at.plane + o1 * at.line
// + o2 * at.pixel.
void depthwise_lines(const Windows& w, const float* x, const float* weights, int64_t line0,
                     int64_t lines, const DepthwiseOutput& at, float* y) {
  const int64_t channels = w.pixel;
  const Forms* forms = forms_of(w);
  int64_t low = 0;
  int64_t high = 0;
  if (forms != nullptr) inner_windows(w, &low, &high);
  for (int64_t line = line0; line < line0 + lines; ++line) {
    const WindowAt window = window_at(w, line * w.out[2]);
    const float* image = x + window.image * image_floats(w);
    float* out = y + window.image * at.image + line / w.out[1] % w.out[0] * at.plane +
                 line % w.out[1] * at.line;
    // Windows over the border: sums over their taps one by one.
    const auto single = [&](int64_t o) {
      const WindowAt here{window.image,
                          {window.at[0], window.at[1], window.at[2] + o * w.stride[2]}};
      float* to = out + o * at.pixel;
      for_channels(
          channels, 4,
          [&](int64_t c) {
            Vec sum[4] = {zero(), zero(), zero(), zero()};
            for_taps(w, here, [&](int64_t tap, int64_t pixel) {
              const float* from = image + pixel * w.pixel + c;
#pragma GCC unroll 4
              for (int v = 0; v < 4; ++v) {
                sum[v] = fma(load(from + v * kLanes),
                             load(weights + tap * channels + c + v * kLanes), sum[v]);
              }
            });
#pragma GCC unroll 4
            for (int v = 0; v < 4; ++v) store(to + c + v * kLanes, sum[v]);
          },
          [&](int64_t c, int64_t n) {
            Vec sum = zero();
            for_taps(w, here, [&](int64_t tap, int64_t pixel) {
              sum = fma(read(image + pixel * w.pixel + c, n), read(weights + tap * channels + c, n),
                        sum);
            });
            write(to + c, sum, n);
          });
    };
    for (int64_t o = 0; o < low; ++o) single(o);
    if (high > low) {
      const Rows rows = rows_of(w, window);
      Tile t{&rows, nullptr, w.pixel, weights, channels, nullptr, at.pixel};
      for (int64_t o = low; o < high;) {
        t.x = image + o * w.stride[2] * w.pixel;
        t.y = out + o * at.pixel;
        const int64_t left = high - o;
        (left >= kPixels ? forms->many : left >= 2 ? forms->two : forms->one)(t);
        o += left >= kPixels ? kPixels : left >= 2 ? 2 : 1;
      }
    }
    for (int64_t o = high; o < w.out[2]; ++o) single(o);
  }
}

// dw(tap, c) += sum over windows o of x(pixel of the tap, c) dy(o, c), for the same windows; dy
// contiguous, from window 0 on.
void depthwise_dw_inner(const Windows& w, const float* x, const float* dy, int64_t line0,
                        int64_t lines, float* dw) {
  const int64_t channels = w.pixel;
  const Forms* forms = forms_of(w);
  if (forms == nullptr) return depthwise_dw_lines(w, nullptr, x, dy, line0, lines, channels, dw);
  int64_t low = 0;
  int64_t high = 0;
  inner_windows(w, &low, &high);
  for (int64_t line = line0; line < line0 + lines; ++line) {
    const WindowAt window = window_at(w, line * w.out[2]);
    const float* image = x + window.image * image_floats(w);
    const float* d = dy + line * w.out[2] * channels;
    const auto single = [&](int64_t o) {
      const WindowAt here{window.image,
                          {window.at[0], window.at[1], window.at[2] + o * w.stride[2]}};
      for_taps(w, here, [&](int64_t tap, int64_t pixel) {
        for (int64_t c = 0; c < channels; c += kLanes) {
          const int64_t n = channels - c < kLanes ? channels - c : kLanes;
          float* to = dw + tap * channels + c;
          write(
              to,
              fma(read(image + pixel * w.pixel + c, n), read(d + o * channels + c, n), read(to, n)),
              n);
        }
      });
    };
    for (int64_t o = 0; o < low; ++o) single(o);
    if (high > low) {
      const Rows rows = rows_of(w, window);
      for (int r = 0; r < rows.count; ++r) {
        forms->add(image + rows.x[r] + low * w.stride[2] * w.pixel, w.pixel, d + low * channels,
                   channels, high - low, dw + rows.w[r]);
      }
    }
    for (int64_t o = high; o < w.out[2]; ++o) single(o);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
