// Vector functions of the active ISA (PRONGHORN_ISA chooses it) against double, through one-op
// programs.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "pronghorn/ir/builder.h"
#include "pronghorn/runtime/program.h"

namespace pronghorn {
namespace {

std::vector<float> run_op(const char* op, const std::vector<float>& x) {
  Graph graph;
  Builder g(graph);
  const auto n = static_cast<int64_t>(x.size());
  const Value v = g.input({DType::kFloat32, Shape{n}});
  graph.outputs = {g.apply(op, {v})};
  const Program program(graph, {});
  std::vector<float> y(x.size());
  const void* inputs[] = {x.data()};
  void* outputs[] = {y.data()};
  program.run(inputs, outputs);
  return y;
}

// Distance in units of the last place of the expected value; results below the normal range are
// flushed and left out.
double worst_ulp(const char* op, double (*reference)(double), double low, double high) {
  constexpr int kCount = 40'000;
  std::vector<float> x;
  for (int i = 0; i <= kCount; ++i)
    x.push_back(static_cast<float>(low + (high - low) * i / kCount));
  const std::vector<float> y = run_op(op, x);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = reference(x[i]);
    if (std::abs(expected) < std::numeric_limits<float>::min()) continue;
    if (std::abs(expected) > std::numeric_limits<float>::max()) continue;
    const double ulp = std::ldexp(1.0, std::ilogb(expected) - 23);
    worst = std::max(worst, std::abs(static_cast<double>(y[i]) - expected) / ulp);
  }
  return worst;
}

}  // namespace

TEST_CASE("simd: functions are within a few units of the last place of double") {
  CHECK(worst_ulp("exp", [](double x) { return std::exp(x); }, -87, 88.5) < 2);
  CHECK(worst_ulp("expm1", [](double x) { return std::expm1(x); }, -10, 80) < 2);
  CHECK(worst_ulp("log", [](double x) { return std::log(x); }, 1e-3, 1e4) < 2);
  CHECK(worst_ulp("log1p", [](double x) { return std::log1p(x); }, -0.9, 100) < 2);
  CHECK(worst_ulp("log2", [](double x) { return std::log2(x); }, 1e-3, 1e4) < 3);
  CHECK(worst_ulp("erf", [](double x) { return std::erf(x); }, -5, 5) < 2);
  CHECK(worst_ulp("tanh", [](double x) { return std::tanh(x); }, -12, 12) < 3.5);
  CHECK(worst_ulp("sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, -60, 60) < 3.5);
  CHECK(worst_ulp("sqrt", [](double x) { return std::sqrt(x); }, 0, 1e6) <= 0.5);
}

TEST_CASE("simd: every length, whole vectors and remainders") {
  for (size_t n = 0; n <= 70; ++n) {
    std::vector<float> x;
    for (size_t i = 0; i < n; ++i) x.push_back(static_cast<float>(i) - 20);
    const std::vector<float> y = run_op("abs", x);
    bool equal = true;
    for (size_t i = 0; i < n; ++i) equal = equal && y[i] == std::abs(x[i]);
    CHECK_MESSAGE(equal, "length ", n);
  }
}

TEST_CASE("simd: infinities, NaN and signed zero") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> x = {kInf, -kInf, nan, 0.0f, -0.0f};
  const std::vector<float> e = run_op("exp", x);
  CHECK(e[0] == kInf);
  CHECK(e[1] == 0.0f);
  CHECK(std::isnan(e[2]));
  CHECK(e[3] == 1.0f);
  const std::vector<float> l = run_op("log", x);
  CHECK(l[0] == kInf);
  CHECK(std::isnan(l[1]));
  CHECK(std::isnan(l[2]));
  CHECK(l[3] == -kInf);
  const std::vector<float> t = run_op("tanh", x);
  CHECK(t[0] == 1.0f);
  CHECK(t[1] == -1.0f);
  CHECK(std::isnan(t[2]));
  CHECK(std::signbit(t[4]));
  const std::vector<float> r = run_op("relu", x);
  CHECK(r[0] == kInf);
  CHECK(r[1] == 0.0f);
  CHECK(std::isnan(r[2]));
}

}  // namespace pronghorn
