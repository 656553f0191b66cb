#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

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

TEST_CASE("gemm: infinities, NaN and overflow stay in their row and column") {
  for (const int64_t size : {20, 200, 300}) {
    for (int mode = 0; mode < 4; ++mode) {
      Problem p = make(size, size, size, mode & 1, mode & 2, false);
      p.shape.engine = GemmEngine::kFma;
      const auto a_at = [&](int64_t i, int64_t k) -> float& {
        return p.a[static_cast<size_t>(mode & 1 ? k * size + i : i * size + k)];
      };
      const auto b_at = [&](int64_t k, int64_t j) -> float& {
        return p.b[static_cast<size_t>(mode & 2 ? j * size + k : k * size + j)];
      };
      a_at(3, 4) = INFINITY;
      a_at(5, 6) = 3e38f;
      a_at(5, 7) = 3e38f;
      b_at(6, 11) = 1.5f;
      b_at(7, 9) = NAN;
      const std::vector<float> c = run(p);
      CAPTURE(size);
      CAPTURE(mode);
      for (int64_t i = 0; i < size; ++i) {
        for (int64_t j = 0; j < size; ++j) {
          const float v = c[static_cast<size_t>(i * size + j)];
          if (j == 9) {
            REQUIRE(std::isnan(v));
          } else if (i == 3 || (i == 5 && j == 11)) {
            REQUIRE(std::isinf(v));
          } else if (i != 5) {
            REQUIRE(std::isfinite(v));
          }
        }
      }
    }
  }
}

TEST_CASE("gemm: subnormal operands and results, where the caller keeps them") {
  // Subnormal factors, then subnormal products of normal ones.
  for (const auto& [of_a, of_b] : {std::array{1e-39f, 1.0f}, std::array{1e-20f, 1e-20f}}) {
    Problem p = make(40, 50, 60, false, false, false);
    for (float& x : p.a) x *= of_a;
    for (float& x : p.b) x *= of_b;
    const std::vector<float> c = run(p);
    for (size_t i = 0; i < c.size(); ++i) {
      double exact = 0;
      for (size_t k = 0; k < 60; ++k) {
        exact +=
            static_cast<double>(p.a[i / 50 * 60 + k]) * static_cast<double>(p.b[k * 50 + i % 50]);
      }
      REQUIRE(std::fabs(static_cast<double>(c[i]) - exact) <= 60 * 0x1p-149);
    }
  }
}

TEST_CASE("gemm: no less accurate than sums of one chain, whatever the data look like") {
  const auto scale = [](size_t i) {
    return std::ldexp(1.0f, static_cast<int>(i * 7919 % 31) - 15);
  };
  for (int data = 0; data < 4; ++data) {
    Problem p = make(70, 90, 1100, false, false, false);
    p.shape.engine = GemmEngine::kFma;
    for (size_t i = 0; i < p.a.size(); ++i) {
      if (data == 1) p.a[i] = std::fabs(p.a[i]);
      if (data == 2) p.a[i] *= scale(i / 1100);
      if (data == 3) p.a[i] *= scale(i % 1100);
    }
    for (float& x : p.b) x = data == 1 ? std::fabs(x) : x;
    const std::vector<float> c = run(p);
    double ours = 0;
    double chain = 0;
    for (size_t i = 0; i < 70; ++i) {
      double size = 0;
      double squares[2] = {0, 0};
      for (size_t j = 0; j < 90; ++j) {
        double exact = 0;
        float sum = 0;
        for (size_t k = 0; k < 1100; ++k) {
          exact += static_cast<double>(p.a[i * 1100 + k]) * static_cast<double>(p.b[k * 90 + j]);
          sum = std::fma(p.a[i * 1100 + k], p.b[k * 90 + j], sum);
        }
        size += exact * exact;
        squares[0] += std::pow(static_cast<double>(c[i * 90 + j]) - exact, 2);
        squares[1] += std::pow(static_cast<double>(sum) - exact, 2);
      }
      ours += squares[0] / size;
      chain += squares[1] / size;
    }
    CAPTURE(data);
    CHECK(std::sqrt(ours) <= 1.1 * std::sqrt(chain));
  }
}

TEST_CASE("gemm: operands at any address") {
  for (const auto& [m, n, k] : std::vector<std::array<int64_t, 3>>{
           {5, 7, 9}, {33, 40, 20}, {300, 260, 310}, {16, 1024, 600}}) {
    for (int mode = 0; mode < 4; ++mode) {
      const Problem p = make(m, n, k, mode & 1, mode & 2, false);
      const std::vector<float> expected = run(p);
      const GemmPlan plan = plan_gemm(p.shape);
      std::vector<float> workspace(plan.workspace / sizeof(float) + 16);
      for (const size_t shift : {1, 3, 6}) {
        std::vector<float> a(p.a.size() + shift);
        std::vector<float> b(p.b.size() + shift);
        std::vector<float> c(p.c.size() + shift);
        std::copy(p.a.begin(), p.a.end(), a.begin() + static_cast<std::ptrdiff_t>(shift));
        std::copy(p.b.begin(), p.b.end(), b.begin() + static_cast<std::ptrdiff_t>(shift));
        run_gemm(plan, {.a = a.data() + shift,
                        .b = b.data() + shift,
                        .c = c.data() + shift,
                        .workspace = workspace.data()});
        REQUIRE(std::memcmp(c.data() + shift, expected.data(), p.c.size() * sizeof(float)) == 0);
      }
    }
  }
}

#if defined(__linux__)
TEST_CASE("gemm: rows 2^30 floats apart, matrices of more than 2^32") {
  constexpr int64_t kStride = int64_t{1} << 30;
  constexpr int64_t kRows = 9;
  const size_t bytes = static_cast<size_t>(kStride) * kRows * sizeof(float);
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return;  // a limit of address space
  float* const floats = static_cast<float*>(memory);
  float* const b = floats + 4096;
  float* const c = floats + 8192;
  for (int mode = 0; mode < 4; ++mode) {
    Problem p = make(kRows, kRows, kRows, mode & 1, mode & 2, false);
    const std::vector<float> expected = run(p);
    for (int64_t i = 0; i < kRows; ++i) {
      std::copy_n(p.a.data() + i * kRows, kRows, floats + i * kStride);
      std::copy_n(p.b.data() + i * kRows, kRows, b + i * kStride);
    }
    p.shape.a_stride = p.shape.b_stride = p.shape.c_stride = kStride;
    const GemmPlan plan = plan_gemm(p.shape);
    std::vector<float> workspace(plan.workspace / sizeof(float) + 16);
    run_gemm(plan, {.a = floats, .b = b, .c = c, .workspace = workspace.data()});
    for (int64_t i = 0; i < kRows; ++i) {
      for (int64_t j = 0; j < kRows; ++j) {
        const float difference = c[i * kStride + j] - expected[static_cast<size_t>(i * kRows + j)];
        REQUIRE(std::fabs(difference) <= 1e-5f);
      }
    }
  }
  munmap(memory, bytes);
}
#endif

TEST_CASE("gemm: sizes of plans are counted in 64 bits") {
  const int64_t big = 1 << 20;
  for (const bool transpose : {false, true}) {
    const GemmPlan plan = plan_gemm({.m = big,
                                     .n = big,
                                     .k = big,
                                     .transpose_b = transpose,
                                     .a_stride = big,
                                     .b_stride = big,
                                     .c_stride = big,
                                     .engine = GemmEngine::kFma});
    CHECK(plan.row_blocks * plan.rows >= big);
    CHECK(plan.col_blocks * plan.cols >= big);
    CHECK(plan.workspace < size_t{1} << 32);  // slices of B, not all of it
  }
  CHECK(packed_bytes({.n = big, .k = big}) == 4 * big * big);
}

TEST_CASE("gemm: a packed operand, with few rows and many") {
  for (const auto& [n, k] :
       std::vector<std::array<int64_t, 2>>{{1, 1}, {7, 0}, {33, 70}, {129, 300}, {700, 900}}) {
    for (const bool transposed : {false, true}) {
      for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 14, 15, 40, 300}) {
        const Problem p = make(m, n, k, false, transposed, false, 3);
        std::vector<float> packed(static_cast<size_t>(packed_bytes(p.shape) / 4));
        pack_operand(p.shape, p.b.data(), packed.data());
        GemmShape shape = p.shape;
        shape.packed_b = true;
        const GemmPlan plan = plan_gemm(shape);
        std::vector<float> c = p.c;
        std::vector<float> workspace(plan.workspace / sizeof(float) + 16);
        run_gemm(plan, {.a = p.a.data(),
                        .packed_b = packed.data(),
                        .c = c.data(),
                        .workspace = workspace.data()});
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        CAPTURE(transposed);
        REQUIRE(sampled_error(p, c) <= 64);
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
