// Depthwise convolution, vectorized over channels. Output channel j reads input channel source[j] =
// j / multiplier; a null `source` stands for multiplier 1. w, dw: (taps, out_channels).
#include "pronghorn/simd/windows.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE Vec read(const float* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}

// Channels [j, j + n) of a pixel of x, as output channels see them.
PRONGHORN_INLINE Vec read_source(const float* pixel, const int32_t* source, int64_t j, int64_t n) {
  if (source == nullptr) return read(pixel + j, n);
  return gather(pixel, n == kLanes ? load(source + j) : load_part(source + j, n));
}

}  // namespace

// y(o, j) = sum over taps of x(pixel of the tap, source[j]) w(tap, j).  Windows [row0, row0 +
// rows); y: from window 0 on.
void depthwise_pixels(const Windows& w, const int32_t* source, const float* x, const float* weights,
                      int64_t row0, int64_t rows, int64_t out_channels, float* y) {
  for (int64_t row = row0; row < row0 + rows; ++row) {
    const WindowAt window = window_at(w, row);
    const float* image = x + window.image * image_floats(w);
    float* out = y + row * out_channels;
    for_channels(
        out_channels, 4,
        [&](int64_t j) {
          Vec sum[4] = {zero(), zero(), zero(), zero()};
          for_taps(w, window, [&](int64_t tap, int64_t pixel) {
            const float* from = image + pixel * w.pixel;
#pragma GCC unroll 4
            for (int v = 0; v < 4; ++v) {
              const int64_t at = j + v * kLanes;
              sum[v] = fma(read_source(from, source, at, kLanes),
                           load(weights + tap * out_channels + at), sum[v]);
            }
          });
#pragma GCC unroll 4
          for (int v = 0; v < 4; ++v) store(out + j + v * kLanes, sum[v]);
        },
        [&](int64_t j, int64_t n) {
          Vec sum = zero();
          for_taps(w, window, [&](int64_t tap, int64_t pixel) {
            sum = fma(read_source(image + pixel * w.pixel, source, j, n),
                      read(weights + tap * out_channels + j, n), sum);
          });
          store_part(out + j, sum, n);
        });
  }
}

// dx(i, c) = sum over the windows o and taps that hold pixel i, and over m < multiplier, of dy(o, c
// * multiplier + m) times w(tap, c * multiplier + m).  Pixels [row0, row0 + rows) of all images;
// dx: from pixel 0 on.
void depthwise_dx_pixels(const Windows& w, const float* dy, const float* weights, int64_t row0,
                         int64_t rows, int64_t multiplier, float* dx) {
  const int64_t channels = w.pixel;
  const int64_t out_channels = channels * multiplier;
  // Along one dimension: the window for which tap k holds pixel i, or -1.
  const auto window_of = [&](int d, int64_t i, int64_t k) -> int64_t {
    const int64_t at = i + w.pad[d] - k * w.dilation[d];
    if (at < 0 || at % w.stride[d] != 0) return -1;
    const int64_t o = at / w.stride[d];
    return o < w.out[d] ? o : -1;
  };
  for (int64_t row = row0; row < row0 + rows; ++row) {
    const int64_t i2 = row % w.in[2];
    const int64_t i1 = row / w.in[2] % w.in[1];
    const int64_t i0 = row / w.in[2] / w.in[1] % w.in[0];
    const int64_t image = row / w.in[2] / w.in[1] / w.in[0];
    float* out = dx + row * channels;
    std::memset(out, 0, static_cast<size_t>(channels) * sizeof(float));
    for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
      const int64_t o0 = window_of(0, i0, k0);
      if (o0 < 0) continue;
      for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
        const int64_t o1 = window_of(1, i1, k1);
        if (o1 < 0) continue;
        for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2) {
          const int64_t o2 = window_of(2, i2, k2);
          if (o2 < 0) continue;
          const float* d =
              dy + (((image * w.out[0] + o0) * w.out[1] + o1) * w.out[2] + o2) * out_channels;
          const float* t = weights + ((k0 * w.kernel[1] + k1) * w.kernel[2] + k2) * out_channels;
          for (int64_t c = 0; c < channels; ++c) {
            float sum = out[c];
            for (int64_t m = 0; m < multiplier; ++m)
              sum += d[c * multiplier + m] * t[c * multiplier + m];
            out[c] = sum;
          }
        }
      }
    }
  }
}

// dw(tap, j) += sum over windows o of x(pixel of the tap, source[j]) dy(o, j), for windows in lines
// [line0, line0 + lines) of the row grid (a line: windows that differ in the last dimension only).
void depthwise_dw_lines(const Windows& w, const int32_t* source, const float* x, const float* dy,
                        int64_t line0, int64_t lines, int64_t out_channels, float* dw) {
  const int64_t step = w.stride[2] * w.pixel;
  for (int64_t line = line0; line < line0 + lines; ++line) {
    const WindowAt window = window_at(w, line * w.out[2]);
    const float* image = x + window.image * image_floats(w);
    const float* d = dy + line * w.out[2] * out_channels;
    for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
      const int64_t i0 = window.at[0] + k0 * w.dilation[0];
      if (i0 < 0 || i0 >= w.in[0]) continue;
      for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
        const int64_t i1 = window.at[1] + k1 * w.dilation[1];
        if (i1 < 0 || i1 >= w.in[1]) continue;
        for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2) {
          // Windows [begin, end) of the line have this tap inside the image.
          const int64_t shift = k2 * w.dilation[2] - w.pad[2];
          const int64_t begin = shift >= 0 ? 0 : (-shift + w.stride[2] - 1) / w.stride[2];
          const int64_t room = w.in[2] - shift;
          const int64_t fit = room <= 0 ? 0 : (room + w.stride[2] - 1) / w.stride[2];
          const int64_t end = fit < w.out[2] ? fit : w.out[2];
          if (begin >= end) continue;
          const float* from =
              image + ((i0 * w.in[1] + i1) * w.in[2] + begin * w.stride[2] + shift) * w.pixel;
          float* out = dw + ((k0 * w.kernel[1] + k1) * w.kernel[2] + k2) * out_channels;
          for_channels(
              out_channels, 4,
              [&](int64_t j) {
                Vec sum[4];
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) sum[v] = load(out + j + v * kLanes);
                for (int64_t o = begin; o < end; ++o) {
#pragma GCC unroll 4
                  for (int v = 0; v < 4; ++v) {
                    const int64_t at = j + v * kLanes;
                    sum[v] = fma(read_source(from + (o - begin) * step, source, at, kLanes),
                                 load(d + o * out_channels + at), sum[v]);
                  }
                }
#pragma GCC unroll 4
                for (int v = 0; v < 4; ++v) store(out + j + v * kLanes, sum[v]);
              },
              [&](int64_t j, int64_t n) {
                Vec sum = read(out + j, n);
                for (int64_t o = begin; o < end; ++o) {
                  sum = fma(read_source(from + (o - begin) * step, source, j, n),
                            read(d + o * out_channels + j, n), sum);
                }
                store_part(out + j, sum, n);
              });
        }
      }
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
