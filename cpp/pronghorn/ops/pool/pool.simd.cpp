// Pooling over windows, vectorized over channels (w.channels == w.pixel), of float32 and 16-bit
// floats.
#include "pronghorn/kernels/pool_types.h"
#include "pronghorn/simd/windows.h"
#include "pronghorn/tile/convert.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

template <typename T>
using Stored = typename Element<T>::Storage;

template <typename T>
PRONGHORN_INLINE Vec read(const Stored<T>* p, int64_t n) {
  if (n == kLanes) return Element<T>::load(p);
  if constexpr (sizeof(Stored<T>) == 4) {
    return load_part(p, n);
  } else {
    Stored<T> lanes[kLanes] = {};
    std::memcpy(lanes, p, static_cast<size_t>(n) * sizeof(Stored<T>));
    return Element<T>::load(lanes);
  }
}
template <typename T>
PRONGHORN_INLINE void write(Stored<T>* p, Vec v, int64_t n) {
  if (n == kLanes) return Element<T>::store(p, v);
  if constexpr (sizeof(Stored<T>) == 4) {
    store_part(p, v, n);
  } else {
    Stored<T> lanes[kLanes];
    Element<T>::store(lanes, v);
    std::memcpy(p, lanes, static_cast<size_t>(n) * sizeof(Stored<T>));
  }
}
PRONGHORN_INLINE IVec read(const int32_t* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
PRONGHORN_INLINE void write(int32_t* p, IVec v, int64_t n) {
  n == kLanes ? store(p, v) : store_part(p, v, n);
}

// f.operator()<T>() with T such that Element<T> converts that float type.
template <typename F>
PRONGHORN_INLINE void dispatch_float(ElementType type, F f) {
  switch (type) {
    case ElementType::kBfloat16: return f.template operator()<Bfloat16Tag>();
    case ElementType::kFloat16: return f.template operator()<Float16Tag>();
    default: return f.template operator()<float>();
  }
}

template <typename F>
PRONGHORN_INLINE void for_lanes(int64_t count, F f) {
  for (int64_t j = 0; j < count; j += kLanes) f(j, count - j < kLanes ? count - j : kLanes);
}

constexpr int kMaxTaps = 64;

// Where the taps of a window lie relative to its first pixel, in floats; their number, or 0 if
// there are too many.
int tap_offsets(const Windows& w, int64_t (&offsets)[kMaxTaps]) {
  int taps = 0;
  for (int64_t k0 = 0; k0 < w.kernel[0]; ++k0) {
    for (int64_t k1 = 0; k1 < w.kernel[1]; ++k1) {
      for (int64_t k2 = 0; k2 < w.kernel[2]; ++k2) {
        if (taps == kMaxTaps) return 0;
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

// Whether no pixel is in two windows.
bool are_disjoint(const Windows& w) {
  bool disjoint = true;
  for (int d = 0; d < 3; ++d) disjoint = disjoint && (w.stride[d] >= w.kernel[d] || w.out[d] == 1);
  return disjoint;
}

// 1 / (taps of the window inside the image), 0 if there are none.
PRONGHORN_INLINE float border_share(const Windows& w, const WindowAt& window) {
  float count = 0;
  for_taps(w, window, [&](int64_t, int64_t) { count += 1.0f; });
  return count > 0 ? 1.0f / count : 0.0f;
}

// Whether v replaces the best so far: it is larger, or the first NaN.
PRONGHORN_INLINE Mask beats(Vec v, Vec best) { return ~(v <= best) & (best == best); }

// kTaps: of the window if it is not 0.
template <typename T, bool kTaken, int kTaps>
PRONGHORN_INLINE void max_of(const Stored<T>* from, const int64_t* offsets, int taps, int64_t n,
                             Stored<T>* y, int32_t* taken) {
  Vec best = read<T>(from, n);
  IVec at{};
  const int count = kTaps > 0 ? kTaps : taps;
#pragma GCC unroll 9
  for (int t = 1; t < count; ++t) {
    const Vec v = read<T>(from + offsets[t], n);
    const Mask better = beats(v, best);
    best = select(better, v, best);
    if (kTaken) at = select(better, broadcast(int32_t{t}), at);
  }
  write<T>(y, best, n);
  if (kTaken) write(taken, at, n);
}

template <typename T, bool kTaken, int kTaps>
void max_pool(const Pooling& p, const int64_t* offsets, int taps) {
  const Windows& w = p.windows;
  const int64_t channels = w.channels;
  const auto* const x = static_cast<const Stored<T>*>(p.x);
  auto* const y = static_cast<Stored<T>*>(p.y);
  for_windows(
      w, p.row0, p.rows, taps > 0,
      [&](int64_t row, int64_t first) PRONGHORN_LAMBDA_INLINE {
        const int64_t to = row * channels;
        int64_t c = 0;
        for (; c + kLanes <= channels; c += kLanes) {
          max_of<T, kTaken, kTaps>(x + first + c, offsets, taps, kLanes, y + to + c,
                                   kTaken ? p.taken + to + c : nullptr);
        }
        if (c < channels) {
          max_of<T, kTaken, kTaps>(x + first + c, offsets, taps, channels - c, y + to + c,
                                   kTaken ? p.taken + to + c : nullptr);
        }
      },
      [&](int64_t row, const WindowAt& window) {
        const Stored<T>* image = x + window.image * image_floats(w);
        for_lanes(channels, [&](int64_t c, int64_t n) {
          Vec best = broadcast(-__builtin_inff());
          IVec at = broadcast(int32_t{-1});
          for_taps(w, window, [&](int64_t tap, int64_t pixel) {
            const Vec v = read<T>(image + pixel * channels + c, n);
            // The second term: a window of nothing but -inf takes its first tap.
            const Mask better = beats(v, best) | (at < 0);
            best = select(better, v, best);
            at = select(better, broadcast(static_cast<int32_t>(tap)), at);
          });
          write<T>(y + row * channels + c, best, n);
          if (kTaken) write(p.taken + row * channels + c, at, n);
        });
      });
}

template <typename T, bool kTaken>
PRONGHORN_INLINE void max_pool_taps(const Pooling& p) {
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(p.windows, offsets);
  if (taps == 4) return max_pool<T, kTaken, 4>(p, offsets, taps);
  if (taps == 9) return max_pool<T, kTaken, 9>(p, offsets, taps);
  max_pool<T, kTaken, 0>(p, offsets, taps);
}

// The gradient of a window inside the image.
template <typename T, typename To, int kTaps>
PRONGHORN_INLINE void spread(const PoolingGrad& p, int64_t from, const int64_t* offsets, int taps,
                             int64_t n, bool adds, Stored<To>* dx) {
  const Vec d = read<T>(static_cast<const Stored<T>*>(p.dy) + from, n);
  const IVec at = read(p.taken + from, n);
  const int count = kTaps > 0 ? kTaps : taps;
#pragma GCC unroll 9
  for (int t = 0; t < count; ++t) {
    Stored<To>* const to = dx + offsets[t];
    const Vec here = select(at == broadcast(int32_t{t}), d, zero());
    write<To>(to, adds ? read<To>(to, n) + here : here, n);
  }
}

template <typename T, typename To, int kTaps>
void max_pool_grad(const PoolingGrad& p, const int64_t* offsets, int taps) {
  const Windows& w = p.windows;
  const int64_t channels = w.channels;
  const bool adds = !are_disjoint(w);
  auto* const dx = static_cast<Stored<To>*>(p.dx) - p.first_pixel * channels;
  for_windows(
      w, p.row0, p.rows, taps > 0,
      [&](int64_t row, int64_t first) PRONGHORN_LAMBDA_INLINE {
        int64_t c = 0;
        for (; c + kLanes <= channels; c += kLanes) {
          spread<T, To, kTaps>(p, row * channels + c, offsets, taps, kLanes, adds, dx + first + c);
        }
        if (c < channels) {
          spread<T, To, kTaps>(p, row * channels + c, offsets, taps, channels - c, adds,
                               dx + first + c);
        }
      },
      [&](int64_t row, const WindowAt& window) {
        Stored<To>* const image = dx + window.image * image_floats(w);
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Vec d = read<T>(static_cast<const Stored<T>*>(p.dy) + row * channels + c, n);
          const IVec at = read(p.taken + row * channels + c, n);
          for_taps(w, window, [&](int64_t tap, int64_t pixel) {
            Stored<To>* const to = image + pixel * channels + c;
            const Vec here = select(at == broadcast(static_cast<int32_t>(tap)), d, zero());
            write<To>(to, adds ? read<To>(to, n) + here : here, n);
          });
        });
      });
}

template <typename T, typename To>
PRONGHORN_INLINE void max_pool_grad_taps(const PoolingGrad& p) {
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(p.windows, offsets);
  if (taps == 4) return max_pool_grad<T, To, 4>(p, offsets, taps);
  max_pool_grad<T, To, 0>(p, offsets, taps);
}

template <typename T>
void average_pool(const Pooling& p) {
  const Windows& w = p.windows;
  const int64_t channels = w.channels;
  const auto* const x = static_cast<const Stored<T>*>(p.x);
  auto* const y = static_cast<Stored<T>*>(p.y);
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(w, offsets);
  const float whole = 1.0f / static_cast<float>(taps > 0 ? taps : 1);
  for_windows(
      w, p.row0, p.rows, taps > 0,
      [&](int64_t row, int64_t first) {
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Stored<T>* from = x + first + c;
          Vec sum = read<T>(from, n);
          for (int t = 1; t < taps; ++t) sum += read<T>(from + offsets[t], n);
          write<T>(y + row * channels + c, sum * whole, n);
        });
      },
      [&](int64_t row, const WindowAt& window) {
        const Stored<T>* image = x + window.image * image_floats(w);
        const float scale = border_share(w, window);
        for_lanes(channels, [&](int64_t c, int64_t n) {
          Vec sum = zero();
          for_taps(w, window, [&](int64_t, int64_t pixel) {
            sum += read<T>(image + pixel * channels + c, n);
          });
          write<T>(y + row * channels + c, sum * scale, n);
        });
      });
}

template <typename T, typename To>
void average_pool_grad(const PoolingGrad& p) {
  const Windows& w = p.windows;
  const int64_t channels = w.channels;
  const bool adds = !are_disjoint(w);
  const auto* const dy = static_cast<const Stored<T>*>(p.dy);
  auto* const dx = static_cast<Stored<To>*>(p.dx) - p.first_pixel * channels;
  int64_t offsets[kMaxTaps];
  const int taps = tap_offsets(w, offsets);
  const float whole = 1.0f / static_cast<float>(taps > 0 ? taps : 1);
  for_windows(
      w, p.row0, p.rows, taps > 0,
      [&](int64_t row, int64_t first) {
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Vec d = read<T>(dy + row * channels + c, n) * whole;
          for (int t = 0; t < taps; ++t) {
            Stored<To>* const to = dx + first + offsets[t] + c;
            write<To>(to, adds ? read<To>(to, n) + d : d, n);
          }
        });
      },
      [&](int64_t row, const WindowAt& window) {
        const float scale = border_share(w, window);
        Stored<To>* const image = dx + window.image * image_floats(w);
        for_lanes(channels, [&](int64_t c, int64_t n) {
          const Vec d = read<T>(dy + row * channels + c, n) * scale;
          for_taps(w, window, [&](int64_t, int64_t pixel) {
            Stored<To>* const to = image + pixel * channels + c;
            write<To>(to, adds ? read<To>(to, n) + d : d, n);
          });
        });
      });
}

}  // namespace

// y(o, c) = max over the taps of window o inside the image; taken(o, c): the first tap that has it,
// -1 if there is none. NaN if one of them is.
void max_pool_pixels(const Pooling& p) {
  dispatch_float(p.type, [&]<typename T>() {
    if (p.taken != nullptr) {
      max_pool_taps<T, true>(p);
    } else {
      max_pool_taps<T, false>(p);
    }
  });
}

// dx(i, c) = sum of dy(o, c) over the windows o whose taken tap is pixel i.
void max_pool_grad_pixels(const PoolingGrad& p) {
  dispatch_float(p.type, [&]<typename T>() {
    if (p.dx_type == ElementType::kFloat32) {
      max_pool_grad_taps<T, float>(p);
    } else {
      max_pool_grad_taps<T, T>(p);
    }
  });
}

// y(o, c) = mean over the taps of window o inside the image, 0 if there are none.
void average_pool_pixels(const Pooling& p) {
  dispatch_float(p.type, [&]<typename T>() { average_pool<T>(p); });
}

// dx(i, c) = sum over the windows o that hold pixel i of dy(o, c) / (taps of o inside).
void average_pool_grad_pixels(const PoolingGrad& p) {
  dispatch_float(p.type, [&]<typename T>() {
    if (p.dx_type == ElementType::kFloat32) {
      average_pool_grad<T, float>(p);
    } else {
      average_pool_grad<T, T>(p);
    }
  });
}

// y(i) = x(i) as a 16-bit float.
void narrow_floats(const float* x, int64_t n, ElementType type, void* y) {
  dispatch_float(type, [&]<typename T>() {
    auto* const to = static_cast<Stored<T>*>(y);
    for_lanes(
        n, [&](int64_t i, int64_t count) { write<T>(to + i, read<float>(x + i, count), count); });
  });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
