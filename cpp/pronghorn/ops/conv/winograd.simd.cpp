// The transforms of F(2 x 2, 3 x 3): Lavin and Gray, "Fast algorithms for convolutional neural
// networks" (2016), section 4.1. 16 products give 2 x 2 results of a 3 x 3 window in place of 36;
// the gradient of the kernel is F(3 x 3, 2 x 2) over the same points.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE Vec read(const float* p, int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
PRONGHORN_INLINE void write(float* p, Vec v, int64_t n) {
  n == kLanes ? store(p, v) : store_part(p, v, n);
}

// One dimension of each transform.
PRONGHORN_INLINE void of_input(const Vec (&d)[4], Vec (&v)[4]) {
  v[0] = d[0] - d[2];
  v[1] = d[1] + d[2];
  v[2] = d[2] - d[1];
  v[3] = d[1] - d[3];
}
PRONGHORN_INLINE void of_weights(const Vec (&g)[3], Vec (&u)[4]) {
  const Vec half = (g[0] + g[2]) * 0.5f;
  const Vec middle = g[1] * 0.5f;
  u[0] = g[0];
  u[1] = half + middle;
  u[2] = half - middle;
  u[3] = g[2];
}
PRONGHORN_INLINE void of_gradient(const Vec (&g)[2], Vec (&u)[4]) {
  u[0] = g[0];
  u[1] = (g[0] + g[1]) * 0.5f;
  u[2] = (g[0] - g[1]) * 0.5f;
  u[3] = g[1];
}
PRONGHORN_INLINE void to_output(const Vec (&m)[4], Vec (&y)[2]) {
  y[0] = m[0] + m[1] + m[2];
  y[1] = m[1] - m[2] - m[3];
}
PRONGHORN_INLINE void to_weights(const Vec (&m)[4], Vec (&w)[3]) {
  w[0] = m[0] + m[1] + m[2];
  w[1] = m[1] - m[2];
  w[2] = m[1] + m[2] - m[3];
}

// kTo x kTo results of kFrom x kFrom elements: `one` along the columns, then along the rows.
template <int kFrom, int kTo, typename Read, typename One, typename Write>
PRONGHORN_INLINE void both_ways(Read element, One one, Write result) {
  Vec half[kTo][kFrom];
#pragma GCC unroll 4
  for (int j = 0; j < kFrom; ++j) {
    Vec from[kFrom];
    Vec to[kTo];
#pragma GCC unroll 4
    for (int i = 0; i < kFrom; ++i) from[i] = element(i, j);
    one(from, to);
#pragma GCC unroll 4
    for (int i = 0; i < kTo; ++i) half[i][j] = to[i];
  }
#pragma GCC unroll 4
  for (int i = 0; i < kTo; ++i) {
    Vec to[kTo];
    one(half[i], to);
#pragma GCC unroll 4
    for (int j = 0; j < kTo; ++j) result(i, j, to[j]);
  }
}

// v(position, tile, channel) = transform of kSize x kSize pixels.
template <int kSize, typename One>
PRONGHORN_INLINE void transform_tiles(const WinogradLine& line, const float* image, float* v,
                                      int64_t v_row, int64_t v_position, One one) {
  const float nothing[kLanes] = {};
  for (int64_t t = 0; t < line.tiles; ++t, v += v_row) {
    const int64_t x = line.x + 2 * t;
    const auto put = [&](int64_t c, int64_t n) PRONGHORN_LAMBDA_INLINE {
      return [=](int i, int j, Vec value)
                 PRONGHORN_LAMBDA_INLINE { write(v + (i * 4 + j) * v_position + c, value, n); };
    };
    if (line.y >= 0 && line.y + kSize <= line.height && x >= 0 && x + kSize <= line.width) {
      const float* from = image + (line.y * line.width + x) * line.pixel;
      const int64_t down = line.width * line.pixel;
      const auto all = [&](int64_t c, int64_t n) PRONGHORN_LAMBDA_INLINE {
        both_ways<kSize, 4>(
            [&](int i, int j)
                PRONGHORN_LAMBDA_INLINE { return read(from + i * down + j * line.pixel + c, n); },
            one, put(c, n));
      };
      int64_t c = 0;
      for (; c + kLanes <= line.channels; c += kLanes) all(c, kLanes);
      if (c < line.channels) all(c, line.channels - c);
      continue;
    }
    // Pixels outside read `nothing` at every channel.
    const float* pixels[kSize][kSize];
    int64_t steps[kSize][kSize];
    for (int i = 0; i < kSize; ++i) {
      for (int j = 0; j < kSize; ++j) {
        const int64_t py = line.y + i;
        const int64_t px = x + j;
        const bool inside = py >= 0 && py < line.height && px >= 0 && px < line.width;
        pixels[i][j] = inside ? image + (py * line.width + px) * line.pixel : nothing;
        steps[i][j] = inside ? -1 : 0;
      }
    }
    const auto all = [&](int64_t c, int64_t n) PRONGHORN_LAMBDA_INLINE {
      both_ways<kSize, 4>(
          [&](int i, int j)
              PRONGHORN_LAMBDA_INLINE { return read(pixels[i][j] + (c & steps[i][j]), n); },
          one, put(c, n));
    };
    int64_t c = 0;
    for (; c + kLanes <= line.channels; c += kLanes) all(c, kLanes);
    if (c < line.channels) all(c, line.channels - c);
  }
}

}  // namespace

// u(position, row, col) = transform of the 3 x 3 taps w(tap, row, col); `reversed`: tap 8 first.
// u: rows of kPatchPanel floats; cols <= kPatchPanel, those past them are zero.
void winograd_weights(const float* w, int64_t w_tap, int64_t w_row, int64_t rows, int64_t cols,
                      bool reversed, float* u, int64_t u_position) {
  const float* first = reversed ? w + 8 * w_tap : w;
  const int64_t tap = reversed ? -w_tap : w_tap;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < kPatchPanel; j += kLanes) {
      const int64_t n = cols - j >= kLanes ? kLanes : cols > j ? cols - j : 0;
      const float* from = first + r * w_row + j;
      float* to = u + r * kPatchPanel + j;
      Vec half[4][3];
#pragma GCC unroll 3
      for (int x = 0; x < 3; ++x) {
        const Vec g[3] = {read(from + x * tap, n), read(from + (3 + x) * tap, n),
                          read(from + (6 + x) * tap, n)};
        Vec column[4];
        of_weights(g, column);
#pragma GCC unroll 4
        for (int i = 0; i < 4; ++i) half[i][x] = column[i];
      }
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        Vec row[4];
        of_weights(half[i], row);
#pragma GCC unroll 4
        for (int k = 0; k < 4; ++k) store(to + (i * 4 + k) * u_position, row[k]);
      }
    }
  }
}

// v(position, tile, c) = transform of the tile's 4 x 4 pixels.
void winograd_input(const WinogradLine& line, const float* x, float* v, int64_t v_row,
                    int64_t v_position) {
  transform_tiles<4>(line, x, v, v_row, v_position,
                     [](const Vec(&d)[4], Vec(&to)[4])
                         PRONGHORN_LAMBDA_INLINE { of_input(d, to); });
}

// v(position, tile, c) = transform of the tile's 2 x 2 pixels of dy.
void winograd_gradient(const WinogradLine& line, const float* dy, float* v, int64_t v_row,
                       int64_t v_position) {
  transform_tiles<2>(line, dy, v, v_row, v_position,
                     [](const Vec(&g)[2], Vec(&to)[4])
                         PRONGHORN_LAMBDA_INLINE { of_gradient(g, to); });
}

// y(2 x 2 pixels of the tile, c) from m(position, tile, c). Whether all results are finite.
bool winograd_output(const WinogradLine& line, const float* m, int64_t m_row, int64_t m_position,
                     float* y) {
  Vec check = zero();
  const int64_t down = line.height - line.y < 2 ? line.height - line.y : 2;
  for (int64_t t = 0; t < line.tiles; ++t, m += m_row) {
    const int64_t x = line.x + 2 * t;
    const int64_t across = line.width - x < 2 ? line.width - x : 2;
    float* to = y + (line.y * line.width + x) * line.pixel;
    for (int64_t c = 0; c < line.channels; c += kLanes) {
      const int64_t n = line.channels - c < kLanes ? line.channels - c : kLanes;
      Vec half[2][4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const Vec column[4] = {
            read(m + j * m_position + c, n), read(m + (4 + j) * m_position + c, n),
            read(m + (8 + j) * m_position + c, n), read(m + (12 + j) * m_position + c, n)};
        Vec sums[2];
        to_output(column, sums);
        half[0][j] = sums[0];
        half[1][j] = sums[1];
      }
#pragma GCC unroll 2
      for (int i = 0; i < 2; ++i) {
        Vec row[2];
        to_output(half[i], row);
        check = fma(row[0], zero(), check);
        check = fma(row[1], zero(), check);
        if (i < down) {
          write(to + i * line.width * line.pixel + c, row[0], n);
          if (across > 1) write(to + (i * line.width + 1) * line.pixel + c, row[1], n);
        }
      }
    }
  }
  return !any(check != check);
}

// dw(tap, i) from the sums over `count` parts of m(position, i), i < n. Whether all are finite.
bool winograd_dw(const float* parts, int64_t count, int64_t part_stride, int64_t position,
                 int64_t n, float* dw, int64_t dw_tap) {
  Vec check = zero();
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t lanes = n - i < kLanes ? n - i : kLanes;
    Vec half[3][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      Vec column[4];
#pragma GCC unroll 4
      for (int k = 0; k < 4; ++k) {
        const float* from = parts + (k * 4 + j) * position + i;
        column[k] = read(from, lanes);
        for (int64_t p = 1; p < count; ++p) column[k] += read(from + p * part_stride, lanes);
      }
      Vec taps[3];
      to_weights(column, taps);
#pragma GCC unroll 3
      for (int k = 0; k < 3; ++k) half[k][j] = taps[k];
    }
#pragma GCC unroll 3
    for (int k = 0; k < 3; ++k) {
      Vec row[3];
      to_weights(half[k], row);
#pragma GCC unroll 3
      for (int j = 0; j < 3; ++j) {
        check = fma(row[j], zero(), check);
        write(dw + (k * 3 + j) * dw_tap + i, row[j], lanes);
      }
    }
  }
  return !any(check != check);
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
