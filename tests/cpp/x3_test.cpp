// The engine that computes float32 products through AMX, against double and against plain float32.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "pronghorn/base/cpu.h"
#include "pronghorn/base/dtype.h"
#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"

namespace pronghorn {
namespace {

bool amx_is_active() { return active_isa() == Isa::kAvx512Amx; }

struct Problem {
  GemmShape shape;
  std::vector<float> a, b, c;

  size_t a_at(int64_t i, int64_t k) const {
    return static_cast<size_t>(shape.transpose_a ? k * shape.a_stride + i : i * shape.a_stride + k);
  }
  size_t b_at(int64_t k, int64_t j) const {
    return static_cast<size_t>(shape.transpose_b ? j * shape.b_stride + k : k * shape.b_stride + j);
  }
};

// mode: bit 0 transposes a, bit 1 transposes b, bit 2 accumulates.
Problem make(int64_t m, int64_t n, int64_t k, int mode, int64_t padding = 0) {
  Problem p;
  p.shape = {.m = m,
             .n = n,
             .k = k,
             .transpose_a = (mode & 1) != 0,
             .transpose_b = (mode & 2) != 0,
             .accumulate = (mode & 4) != 0,
             .engine = GemmEngine::kX3};
  p.shape.a_stride = ((mode & 1) != 0 ? m : k) + padding;
  p.shape.b_stride = ((mode & 2) != 0 ? k : n) + padding;
  p.shape.c_stride = n + padding;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  p.a.resize(static_cast<size_t>(((mode & 1) != 0 ? k : m) * p.shape.a_stride));
  p.b.resize(static_cast<size_t>(((mode & 2) != 0 ? n : k) * p.shape.b_stride));
  p.c.resize(static_cast<size_t>(m * p.shape.c_stride));
  for (std::vector<float>* v : {&p.a, &p.b, &p.c}) {
    for (float& x : *v) x = normal(random);
  }
  return p;
}

std::vector<float> run(const Problem& p, GemmEngine engine = GemmEngine::kX3) {
  GemmShape shape = p.shape;
  shape.engine = engine;
  const GemmPlan plan = plan_gemm(shape);
  std::vector<float> c = p.c;
  std::vector<float> workspace(plan.workspace / sizeof(float) + 32);
  float* aligned = workspace.data();
  while (reinterpret_cast<uintptr_t>(aligned) % 64 != 0) ++aligned;
  const FlushSubnormals flush;
  run_gemm(plan, {.a = p.a.data(), .b = p.b.data(), .c = c.data(), .workspace = aligned});
  return c;
}

struct Errors {
  double rms;      // of the errors, by that of the results
  double largest;  // in units of eps * (|a| |b| + |c|)
};

Errors errors(const Problem& p, const std::vector<float>& c) {
  const GemmShape& s = p.shape;
  double squares = 0;
  double sizes = 0;
  double largest = 0;
  for (int64_t i = 0; i < s.m; ++i) {
    for (int64_t j = 0; j < s.c_stride; ++j) {
      const size_t at = static_cast<size_t>(i * s.c_stride + j);
      if (j >= s.n) {
        if (c[at] != p.c[at]) return {INFINITY, INFINITY};
        continue;
      }
      double sum = s.accumulate ? static_cast<double>(p.c[at]) : 0.0;
      double size = std::fabs(sum);
      for (int64_t k = 0; k < s.k; ++k) {
        const double product =
            static_cast<double>(p.a[p.a_at(i, k)]) * static_cast<double>(p.b[p.b_at(k, j)]);
        sum += product;
        size += std::fabs(product);
      }
      const double error = static_cast<double>(c[at]) - sum;
      if (std::isnan(error)) return {INFINITY, INFINITY};
      squares += error * error;
      sizes += sum * sum;
      largest = std::fmax(largest, std::fabs(error) / (0x1p-23 * size + 1e-36));
    }
  }
  return {std::sqrt(squares / sizes), largest};
}

}  // namespace

TEST_CASE("x3 engine: odd sizes, layouts, padding, accumulation") {
  if (!amx_is_active()) return;
  const int64_t sizes[][3] = {{1, 1, 1},     {1, 300, 40},  {300, 1, 33},  {17, 31, 1100},
                              {33, 65, 129}, {130, 70, 31}, {257, 260, 5}, {96, 513, 641}};
  for (const auto& [m, n, k] : sizes) {
    for (int mode = 0; mode < 8; ++mode) {
      for (const int64_t padding : {0, 3}) {
        const Problem p = make(m, n, k, mode, padding);
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        CAPTURE(mode);
        REQUIRE(errors(p, run(p)).largest <= 8);
      }
    }
  }
}

TEST_CASE("x3 engine: blocks, shared panels, splits of k") {
  if (!amx_is_active()) return;
  const int64_t sizes[][3] = {{300, 600, 700}, {700, 90, 300}, {9, 32, 9001}, {170, 70, 7000}};
  for (const auto& [m, n, k] : sizes) {
    for (int mode = 0; mode < 8; ++mode) {
      const Problem p = make(m, n, k, mode);
      CAPTURE(m);
      CAPTURE(mode);
      REQUIRE(errors(p, run(p)).largest <= 8);
    }
  }
}

TEST_CASE("x3 engine: as accurate as plain float32, whatever the data look like") {
  if (!amx_is_active()) return;
  const auto scaled = [](int64_t index) {
    return std::ldexp(1.0f, static_cast<int>(index * 7919 % 41) - 20);
  };
  for (int data = 0; data < 4; ++data) {
    Problem p = make(60, 70, 1300, 0);
    for (int64_t k = 0; k < p.shape.k; ++k) {
      for (int64_t i = 0; i < p.shape.m; ++i) {
        float& a = p.a[p.a_at(i, k)];
        if (data == 1) a = std::fabs(a);
        if (data == 2) a *= scaled(i);
        if (data == 3) a *= scaled(k);
      }
      for (int64_t j = 0; j < p.shape.n; ++j) {
        if (data == 1) p.b[p.b_at(k, j)] = std::fabs(p.b[p.b_at(k, j)]);
      }
    }
    CAPTURE(data);
    CHECK(errors(p, run(p)).rms <= 1.5 * errors(p, run(p, GemmEngine::kFma)).rms);
  }
}

TEST_CASE("x3 engine: the same bits for any number of threads") {
  if (!amx_is_active()) return;
  const int before = num_threads();
  const int64_t sizes[][3] = {{500, 300, 400}, {9, 32, 20000}, {32, 1000, 784}};
  for (const auto& [m, n, k] : sizes) {
    Problem p = make(m, n, k, 0);
    p.a[5] = 1e-36f;  // and rows computed again
    set_num_threads(1);
    const std::vector<float> one = run(p);
    for (const int threads : {2, 3, 8}) {
      set_num_threads(threads);
      const std::vector<float> many = run(p);
      CHECK(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)) == 0);
    }
  }
  set_num_threads(before);
}

TEST_CASE("x3 engine: infinities, NaN and overflow as in plain float32") {
  if (!amx_is_active()) return;
  for (int mode = 0; mode < 8; ++mode) {
    Problem p = make(70, 90, 100, mode);
    p.a[p.a_at(3, 4)] = INFINITY;
    p.a[p.a_at(40, 4)] = -INFINITY;
    p.b[p.b_at(4, 20)] = 0.0f;  // infinity times zero
    p.b[p.b_at(7, 9)] = NAN;
    uint32_t bits = 0x7fffffff;  // a NaN that rounding could carry into zero
    std::memcpy(&p.b[p.b_at(50, 89)], &bits, sizeof bits);
    p.a[p.a_at(60, 0)] = 3.4e38f;  // finite, but rounds to infinity in bfloat16
    p.b[p.b_at(0, 33)] = 0.5f;
    p.b[p.b_at(0, 34)] = 2.0f;
    const std::vector<float> c = run(p);
    const std::vector<float> plain = run(p, GemmEngine::kFma);
    CAPTURE(mode);
    for (size_t i = 0; i < c.size(); ++i) {
      CAPTURE(i);
      if (std::isnan(plain[i])) {
        REQUIRE(std::isnan(c[i]));
      } else if (std::isinf(plain[i])) {
        REQUIRE(c[i] == plain[i]);
      } else {
        REQUIRE(std::fabs(c[i] - plain[i]) <= 1e-5f * std::fmax(std::fabs(plain[i]), 10.0f));
      }
    }
    CHECK(std::isfinite(c[60 * 90 + 33]));
    CHECK(std::isinf(c[60 * 90 + 34]));
  }
}

TEST_CASE("x3 engine: tiny operands are as accurate as in plain float32") {
  if (!amx_is_active()) return;
  const float scales[][2] = {{1e-33f, 1.0f},  {1.0f, 1e-37f},   {1e-20f, 1e-15f},
                             {1e-33f, 1e33f}, {1e-19f, 1e-18f}, {1e-30f, 1e-30f}};
  for (const auto& [of_a, of_b] : scales) {
    for (const int mode : {0, 3}) {
      Problem p = make(40, 50, 64, mode);
      for (float& x : p.a) x = std::copysign(of_a * (1.0f + std::fabs(x)), x);
      for (float& x : p.b) x = std::copysign(of_b * (1.0f + std::fabs(x)), x);
      const std::vector<float> c = run(p);
      const std::vector<float> plain = run(p, GemmEngine::kFma);
      CAPTURE(of_a);
      CAPTURE(of_b);
      for (size_t i = 0; i < c.size(); ++i) {
        const float size = of_a * of_b * 64 * 4;
        REQUIRE(std::fabs(c[i] - plain[i]) <= 1e-6f * size + 1e-37f);
      }
    }
  }
}

// 64-byte aligned memory for `bytes` bytes.
struct Memory {
  explicit Memory(int64_t bytes) : floats(static_cast<size_t>(bytes) / sizeof(float) + 32) {
    while (reinterpret_cast<uintptr_t>(data()) % 64 != 0) ++skipped;
  }
  float* data() { return floats.data() + skipped; }
  std::vector<float> floats;
  size_t skipped = 0;
};

TEST_CASE("x3 engine: B packed ahead gives the same bits, repeated results too") {
  if (!amx_is_active()) return;
  const int64_t sizes[][3] = {{1, 1, 1},      {17, 31, 1100}, {33, 65, 129},   {130, 70, 31},
                              {300, 600, 70}, {40, 50, 9001}, {128, 513, 641}, {600, 40, 1300}};
  for (const auto& [m, n, k] : sizes) {
    for (int mode = 0; mode < 8; ++mode) {
      Problem p = make(m, n, k, mode, 3);
      p.a[0] = 3.4e38f;
      p.b[0] = 1e-37f;
      Memory packed(packed_bytes(p.shape));
      pack_operand(p.shape, p.b.data(), packed.data());
      GemmShape shape = p.shape;
      shape.packed_b = true;
      const GemmPlan plan = plan_gemm(shape);
      Memory workspace(static_cast<int64_t>(plan.workspace));
      const std::vector<float> expected = run(p);
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      CAPTURE(mode);
      for (const int threads : {1, 3}) {
        set_num_threads(threads);
        std::vector<float> c = p.c;
        const FlushSubnormals flush;
        run_gemm(plan, {.a = p.a.data(),
                        .b = p.b.data(),
                        .packed_b = packed.data(),
                        .c = c.data(),
                        .workspace = workspace.data()});
        REQUIRE(std::memcmp(c.data(), expected.data(), c.size() * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("x3 engine: filled rows, batches, epilogues") {
  if (!amx_is_active()) return;
  for (const bool transposed : {false, true}) {
    for (const int64_t k : {100, 5000}) {
      Problem p = make(70, 40, k, transposed ? 1 : 0);
      p.a[p.a_at(3, 4)] = 1e38f;
      p.b[p.b_at(4, 5)] = 1e38f;
      const std::vector<float> expected = run(p);
      CHECK(std::isinf(expected[3 * 40 + 5]));
      p.shape.fills_a = true;
      const GemmPlan plan = plan_gemm(p.shape);
      std::vector<float> c(p.c.size());
      std::vector<float> workspace(plan.workspace / sizeof(float) + 32);
      float* aligned = workspace.data();
      while (reinterpret_cast<uintptr_t>(aligned) % 64 != 0) ++aligned;
      GemmOperands operands{.b = p.b.data(), .c = c.data(), .workspace = aligned};
      operands.fill_context = &p;
      operands.fill_a = [](const void* context, int64_t, int64_t row0, int64_t rows, int64_t col0,
                           int64_t cols, float* out, int64_t stride) {
        const Problem& from = *static_cast<const Problem*>(context);
        for (int64_t i = 0; i < rows; ++i) {
          std::memcpy(out + i * stride, from.a.data() + (row0 + i) * from.shape.a_stride + col0,
                      static_cast<size_t>(cols) * sizeof(float));
        }
      };
      operands.epilogue.apply = [](const void*, float* block, int64_t row0, int64_t rows,
                                   int64_t col0, int64_t cols, int64_t stride) noexcept {
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < cols; ++j) {
            block[i * stride + j] += static_cast<float>((row0 + i) * 100 + col0 + j);
          }
        }
      };
      run_gemm(plan, operands);
      for (int64_t i = 0; i < 70; ++i) {
        for (int64_t j = 0; j < 40; ++j) {
          const size_t at = static_cast<size_t>(i * 40 + j);
          REQUIRE(c[at] == expected[at] + static_cast<float>(i * 100 + j));
        }
      }
    }
  }
  // Two products side by side in one result.
  Problem p = make(130, 300, 64, 0);
  const std::vector<float> whole = run(p);
  p.shape.n = 150;
  p.shape.batch = {{}, {.b = 150, .c = 150, .col = 150}};
  const std::vector<float> halves = run(p);
  CHECK(std::memcmp(whole.data(), halves.data(), whole.size() * sizeof(float)) == 0);
}

TEST_CASE("bfloat16 products: odd sizes, layouts, padding, accumulation, threads") {
  if (!takes_bfloat16()) return;
  const int before = num_threads();
  const int64_t sizes[][3] = {{1, 1, 1},     {1, 300, 40},  {300, 1, 33},   {17, 31, 1100},
                              {33, 65, 129}, {130, 70, 31}, {300, 600, 70}, {40, 50, 9001}};
  for (const auto& [m, n, k] : sizes) {
    for (int mode = 0; mode < 8; ++mode) {
      Problem p = make(m, n, k, mode, 3);
      p.shape.bfloat16 = true;
      p.shape.engine = GemmEngine::kAny;
      std::vector<Bfloat16> a, b;
      for (float& x : p.a) x = to_float(a.emplace_back(to_bfloat16(x)));
      for (float& x : p.b) x = to_float(b.emplace_back(to_bfloat16(x)));
      const GemmPlan plan = plan_gemm(p.shape);
      Memory workspace(static_cast<int64_t>(plan.workspace));
      const auto product = [&](int threads) {
        set_num_threads(threads);
        std::vector<float> c = p.c;
        run_gemm(plan, {.a = reinterpret_cast<const float*>(a.data()),
                        .b = reinterpret_cast<const float*>(b.data()),
                        .c = c.data(),
                        .workspace = workspace.data()});
        return c;
      };
      Memory packed(packed_bytes(p.shape));
      pack_operand(p.shape, b.data(), packed.data());
      const auto packed_product = [&]() {
        GemmShape shape = p.shape;
        shape.packed_b = true;
        const GemmPlan packed_plan = plan_gemm(shape);
        Memory memory(static_cast<int64_t>(packed_plan.workspace));
        std::vector<float> c = p.c;
        run_gemm(packed_plan, {.a = reinterpret_cast<const float*>(a.data()),
                               .packed_b = packed.data(),
                               .c = c.data(),
                               .workspace = memory.data()});
        return c;
      };
      const std::vector<float> c = product(1);
      CAPTURE(m);
      CAPTURE(n);
      CAPTURE(k);
      CAPTURE(mode);
      REQUIRE(errors(p, c).largest <= 16);
      REQUIRE(packed_product() == c);
      for (const int threads : {2, 3, 8}) {
        const std::vector<float> again = product(threads);
        REQUIRE(std::memcmp(c.data(), again.data(), c.size() * sizeof(float)) == 0);
      }
    }
  }
  set_num_threads(before);
}

}  // namespace pronghorn
