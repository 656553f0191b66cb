#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"

namespace pronghorn {
namespace {

std::vector<float> numbers(int64_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> v(static_cast<size_t>(n));
  for (float& x : v) x = uniform(random);
  return v;
}

struct Problem {
  GemmShape shape;
  std::vector<float> a, b, c;
};

Problem make(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b, bool accumulate,
             int64_t padding = 0) {
  Problem p;
  p.shape = {.m = m, .n = n, .k = k, .transpose_a = transpose_a, .transpose_b = transpose_b};
  p.shape.a_stride = (transpose_a ? m : k) + padding;
  p.shape.b_stride = (transpose_b ? k : n) + padding;
  p.shape.c_stride = n + padding;
  p.shape.accumulate = accumulate;
  p.a = numbers((transpose_a ? k : m) * p.shape.a_stride, 1);
  p.b = numbers((transpose_b ? n : k) * p.shape.b_stride, 2);
  p.c = numbers(m * p.shape.c_stride, 3);
  return p;
}

std::vector<float> run(const Problem& p) {
  const GemmPlan plan = plan_gemm(p.shape);
  std::vector<float> c = p.c;
  std::vector<float> workspace(plan.workspace / sizeof(float) + 16);
  run_gemm(plan, {.a = p.a.data(), .b = p.b.data(), .c = c.data(), .workspace = workspace.data()});
  return c;
}

// Error of c(i, j) in units of eps * (|a| |b| + |c|); infinite where c is NaN.
double error_at(const Problem& p, const std::vector<float>& c, int64_t i, int64_t j) {
  const GemmShape& s = p.shape;
  const size_t at = static_cast<size_t>(i * s.c_stride + j);
  double sum = s.accumulate ? static_cast<double>(p.c[at]) : 0.0;
  double size = std::fabs(sum);
  for (int64_t k = 0; k < s.k; ++k) {
    const double a = static_cast<double>(
        p.a[static_cast<size_t>(s.transpose_a ? k * s.a_stride + i : i * s.a_stride + k)]);
    const double b = static_cast<double>(
        p.b[static_cast<size_t>(s.transpose_b ? j * s.b_stride + k : k * s.b_stride + j)]);
    sum += a * b;
    size += std::fabs(a * b);
  }
  if (std::isnan(c[at])) return INFINITY;
  return std::fabs(static_cast<double>(c[at]) - sum) / (0x1p-23 * size + 1e-30);
}

// The largest one; infinite if memory between the rows was written.
double error(const Problem& p, const std::vector<float>& c) {
  const GemmShape& s = p.shape;
  double worst = 0;
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.n; ++j) worst = std::fmax(worst, error_at(p, c, i, j));
    for (int64_t j = s.n; j < s.c_stride; ++j) {
      const size_t at = static_cast<size_t>(i * s.c_stride + j);
      if (c[at] != p.c[at]) return INFINITY;
    }
  }
  return worst;
}

// The largest one of 1,000 elements, the corners among them.
double sampled_error(const Problem& p, const std::vector<float>& c) {
  const GemmShape& s = p.shape;
  std::mt19937 random(4);
  double worst = 0;
  for (int64_t q = 0; q < 1000; ++q) {
    const int64_t i = q < 4 ? (q & 1) * (s.m - 1) : static_cast<int64_t>(random()) % s.m;
    const int64_t j = q < 4 ? (q >> 1) * (s.n - 1) : static_cast<int64_t>(random()) % s.n;
    worst = std::fmax(worst, error_at(p, c, i, j));
  }
  return worst;
}

}  // namespace

TEST_CASE("gemm: all small sizes") {
  for (const int64_t k : {0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 40}) {
    for (int64_t m = 1; m <= 40; m += m < 18 ? 1 : 3) {
      for (int64_t n = 1; n <= 40; n += n < 18 ? 1 : 5) {
        for (int mode = 0; mode < 8; ++mode) {
          const Problem p = make(m, n, k, mode & 1, mode & 2, mode & 4, mode == 0 ? 0 : 3);
          const double e = error(p, run(p));
          CAPTURE(m);
          CAPTURE(n);
          CAPTURE(k);
          CAPTURE(mode);
          REQUIRE(e <= static_cast<double>(k) / 2 + 2);
        }
      }
    }
  }
}

TEST_CASE("gemm: blocks, splits of k, copies of a") {
  const int64_t sizes[][3] = {{1, 1000, 300},  {300, 1, 1000},  {5, 129, 1024}, {64, 576, 32},
                              {32, 128, 5408}, {200, 200, 512}, {9, 32, 9001},  {170, 70, 700},
                              {31, 300, 1025}, {1024, 33, 513}, {2, 2, 3000},   {400, 384, 64}};
  for (const auto& [m, n, k] : sizes) {
    for (int mode = 0; mode < 8; ++mode) {
      const Problem p = make(m, n, k, mode & 1, mode & 2, mode & 4);
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      CAPTURE(mode);
      REQUIRE(error(p, run(p)) <= 64);
    }
  }
}

TEST_CASE("gemm: operands packed before the product") {
  const int64_t sizes[][3] = {{260, 390, 300}, {463, 230, 540},  {20, 700, 400},
                              {700, 20, 400},  {257, 4100, 100}, {1000, 999, 130}};
  for (const auto& [m, n, k] : sizes) {
    for (int mode = 0; mode < 8; ++mode) {
      const Problem p = make(m, n, k, mode & 1, mode & 2, mode & 4, mode & 1 ? 5 : 0);
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      CAPTURE(mode);
      REQUIRE(sampled_error(p, run(p)) <= 64);
    }
  }
  // More columns than are packed at once.
  for (const bool transposed : {false, true}) {
    const Problem p = make(230, 2300, 2100, false, transposed, transposed);
    REQUIRE(sampled_error(p, run(p)) <= 64);
  }
}

TEST_CASE("gemm: batches, with operands that products share") {
  for (int mode = 0; mode < 4; ++mode) {
    for (const auto& [m, n, k, count] : std::vector<std::array<int64_t, 4>>{
             {5, 3, 7, 33}, {50, 10, 10, 32}, {128, 128, 64, 6}, {300, 256, 40, 3}}) {
      Problem p = make(m, n, k, mode & 1, mode & 2, false);
      p.a = numbers(m * k * count, 1);
      p.b = numbers(k * n, 2);
      p.c.assign(static_cast<size_t>(m * n * count), 0.0f);
      p.shape.batch.clear();
      for (int64_t i = 0; i < count; ++i)
        p.shape.batch.push_back({.a = i * m * k, .b = 0, .c = i * m * n, .row = i * m});
      const std::vector<float> c = run(p);
      for (int64_t i = 0; i < count; ++i) {
        Problem one = p;
        one.shape.batch.resize(1);
        one.a.assign(p.a.begin() + i * m * k, p.a.begin() + (i + 1) * m * k);
        const std::vector<float> part(c.begin() + i * m * n, c.begin() + (i + 1) * m * n);
        CAPTURE(m);
        CAPTURE(mode);
        REQUIRE(sampled_error(one, part) <= 64);
      }
    }
  }
}

TEST_CASE("gemm: the same bits for any number of threads") {
  const int before = num_threads();
  for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{
           {500, 300, 400}, {9, 32, 20000}, {32, 1000, 784}, {128, 512, 300}}) {
    for (int mode = 0; mode < 4; ++mode) {
      const Problem p = make(m, n, k, mode & 1, mode & 2, false);
      set_num_threads(1);
      const std::vector<float> one = run(p);
      for (const int threads : {2, 3, 8}) {
        set_num_threads(threads);
        const std::vector<float> many = run(p);
        CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)) == 0);
      }
    }
  }
  set_num_threads(before);
}

TEST_CASE("gemm: infinities and NaN stay in their row and column") {
  Problem p = make(20, 20, 20, false, false, false);
  p.a[3 * 20 + 4] = INFINITY;
  p.b[7 * 20 + 9] = NAN;
  const std::vector<float> c = run(p);
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 20; ++j) {
      const float v = c[static_cast<size_t>(i * 20 + j)];
      if (j == 9) {
        CHECK(std::isnan(v));
      } else if (i == 3) {
        CHECK(std::isinf(v));
      } else {
        CHECK(std::isfinite(v));
      }
    }
  }
}

TEST_CASE("gemm: the epilogue sees every element of the result once, complete") {
  const int64_t sizes[][3] = {{3, 5, 7}, {700, 90, 300}, {9, 32, 9001}, {40, 400, 0}};
  for (const auto& [m, n, k] : sizes) {
    Problem p = make(m, n, k, false, false, false);
    const std::vector<float> plain = run(p);
    const GemmPlan plan = plan_gemm(p.shape);
    std::vector<float> c = p.c;
    std::vector<float> workspace(plan.workspace / sizeof(float) + 16);
    GemmOperands operands{
        .a = p.a.data(), .b = p.b.data(), .c = c.data(), .workspace = workspace.data()};
    operands.epilogue.apply = [](const void*, float* block, int64_t row0, int64_t rows,
                                 int64_t col0, int64_t cols, int64_t stride) noexcept {
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < cols; ++j) {
          float& v = block[i * stride + j];
          v = v + static_cast<float>(row0 + i) * 1000.0f + static_cast<float>(col0 + j);
        }
      }
    };
    run_gemm(plan, operands);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        const size_t at = static_cast<size_t>(i * n + j);
        REQUIRE(c[at] == plain[at] + static_cast<float>(i) * 1000.0f + static_cast<float>(j));
      }
    }
  }
}

}  // namespace pronghorn
