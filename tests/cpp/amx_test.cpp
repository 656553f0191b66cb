// The kernels that only AMX has, against double.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <new>
#include <random>
#include <vector>

#include "pronghorn/base/cpu.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {
namespace {

bool amx_is_active() { return active_isa() == Isa::kAvx512Amx; }

struct Aligned {
  explicit Aligned(int64_t bytes) : data(static_cast<char*>(std::aligned_alloc(64, bytes))) {
    if (data == nullptr) throw std::bad_alloc();
  }
  ~Aligned() { std::free(data); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  char* data;
};

// How the floats of an operand lie in memory.
struct Operand {
  std::vector<float> values;
  int64_t line_stride;
  int64_t depth_stride;

  double at(int64_t line, int64_t k) const {
    return static_cast<double>(values[static_cast<size_t>(line * line_stride + k * depth_stride)]);
  }
};

Operand make_operand(int64_t lines, int64_t depth, bool along_k, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const int64_t padding = 3;
  Operand x;
  x.line_stride = along_k ? depth + padding : 1;
  x.depth_stride = along_k ? 1 : lines + padding;
  x.values.resize(static_cast<size_t>((lines + padding) * (depth + padding)));
  for (float& v : x.values) v = normal(random);
  return x;
}

int64_t panels(int64_t lines) { return (lines + kX3Lines - 1) / kX3Lines; }
int64_t panel_bytes(int64_t depth) { return (depth + kX3Depth - 1) / kX3Depth * kX3StepBytes; }

void pack(const Operand& x, int64_t lines, int64_t depth, bool is_b, char* packed,
          std::vector<float>& largest) {
  kernels().x3_pack({.x = x.values.data(),
                     .line_stride = x.line_stride,
                     .depth_stride = x.depth_stride,
                     .lines = lines,
                     .depth = depth,
                     .is_b = is_b,
                     .packed = packed,
                     .panel_bytes = panel_bytes(depth),
                     .largest = largest.data()});
}

}  // namespace

TEST_CASE("x3: packed panels and their product, all layouts, odd sizes") {
  if (!amx_is_active()) return;
  const int64_t sizes[][3] = {{1, 1, 1},    {16, 16, 32}, {17, 31, 33}, {32, 32, 64},
                              {33, 16, 15}, {70, 45, 16}, {5, 100, 17}, {64, 96, 512}};
  for (const auto& [m, n, k] : sizes) {
    for (int mode = 0; mode < 8; ++mode) {
      const Operand a = make_operand(m, k, mode & 1, 1);
      const Operand b = make_operand(n, k, mode & 2, 2);
      const bool accumulate = mode & 4;
      const Aligned packed_a(panels(m) * panel_bytes(k));
      const Aligned packed_b(panels(n) * panel_bytes(k));
      std::vector<float> largest_a(static_cast<size_t>(panels(m)), 0.0f);
      std::vector<float> largest_b(static_cast<size_t>(panels(n)), 0.0f);
      pack(a, m, k, false, packed_a.data, largest_a);
      pack(b, n, k, true, packed_b.data, largest_b);
      double most = 0;
      for (int64_t i = 0; i < std::min(m, kX3Lines); ++i) {
        for (int64_t j = 0; j < k; ++j) most = std::fmax(most, std::fabs(a.at(i, j)));
      }
      CHECK(std::fabs(static_cast<double>(largest_a[0]) - most) <= 0x1p-8 * most);

      const int64_t stride = n + 5;
      std::vector<float> c(static_cast<size_t>(m * stride), 0.25f);
      std::vector<uint32_t> suspect(static_cast<size_t>(panels(m) * panels(n)), 77);
      kernels().x3_block({.a = packed_a.data,
                          .a_panel_bytes = panel_bytes(k),
                          .b = packed_b.data,
                          .b_panel_bytes = panel_bytes(k),
                          .steps = (k + kX3Depth - 1) / kX3Depth,
                          .parts = 3,
                          .c = c.data(),
                          .c_row = stride,
                          .rows = m,
                          .cols = n,
                          .accumulate = accumulate,
                          .suspect = suspect.data(),
                          .suspect_stride = panels(n),
                          .largest_a = largest_a.data(),
                          .largest_b = largest_b.data(),
                          .depth = k});
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      CAPTURE(mode);
      for (const uint32_t rows : suspect) REQUIRE(rows == 0);
      for (int64_t i = 0; i < m; ++i) {
        for (int64_t j = 0; j < stride; ++j) {
          const double value = static_cast<double>(c[static_cast<size_t>(i * stride + j)]);
          if (j >= n) {
            REQUIRE(value == 0.25);
            continue;
          }
          double sum = accumulate ? 0.25 : 0.0;
          double size = sum;
          for (int64_t p = 0; p < k; ++p) {
            sum += a.at(i, p) * b.at(j, p);
            size += std::fabs(a.at(i, p) * b.at(j, p));
          }
          REQUIRE(std::fabs(value - sum) <= 0x1p-23 * size * 4);
        }
      }
    }
  }
}

}  // namespace pronghorn
