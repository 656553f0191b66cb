// Vector functions of the active ISA (PRONGHORN_ISA chooses it) against double, through one-op
// programs.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "pronghorn/ir/builder.h"
#include "pronghorn/runtime/program.h"

namespace pronghorn {
namespace {

// op(x), or op(x, second).
std::vector<float> run_op(const char* op, const std::vector<float>& x,
                          const std::vector<float>& second = {}) {
  Graph graph;
  Builder g(graph);
  const TensorType type{DType::kFloat32, Shape{static_cast<int64_t>(x.size())}};
  const Value v = g.input(type);
  graph.outputs = {second.empty() ? g.apply(op, {v}) : g.apply(op, {v, g.input(type)})};
  const Program program(graph, {});
  std::vector<float> y(x.size());
  const void* inputs[] = {x.data(), second.data()};
  void* outputs[] = {y.data()};
  program.run(inputs, outputs);
  return y;
}

// In units of the last place; 0 where the expected value is no normal number.
double error_in_ulp(float value, double expected) {
  if (!(std::abs(expected) >= std::numeric_limits<float>::min())) return 0;
  if (std::abs(expected) > std::numeric_limits<float>::max()) return 0;
  const double ulp = std::ldexp(1.0, std::ilogb(expected) - 23);
  return std::abs(static_cast<double>(value) - expected) / ulp;
}

bool is_special(double x) { return x == 0 || !std::isfinite(static_cast<float>(x)); }

// Numbers of all magnitudes.
std::vector<float> all_magnitudes() {
  std::vector<float> x;
  for (int exponent = -125; exponent <= 127; ++exponent) {
    for (const double m : {1.0, 1.13, 1.37, 1.71, 1.999}) {
      x.push_back(static_cast<float>(std::ldexp(m, exponent)));
      x.push_back(-x.back());
    }
  }
  return x;
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
    worst = std::max(worst, error_in_ulp(y[i], reference(x[i])));
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

TEST_CASE("simd: inverse and hyperbolic functions over all numbers") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  struct Function {
    const char* op;
    double (*reference)(double);
  };
  const Function functions[] = {
      {"arcsin", [](double x) { return std::asin(x); }},
      {"arccos", [](double x) { return std::acos(x); }},
      {"arctan", [](double x) { return std::atan(x); }},
      {"sinh", [](double x) { return std::sinh(x); }},
      {"cosh", [](double x) { return std::cosh(x); }},
      {"arcsinh", [](double x) { return std::asinh(x); }},
      {"arccosh", [](double x) { return std::acosh(x); }},
      {"arctanh", [](double x) { return std::atanh(x); }},
      {"cbrt", [](double x) { return std::cbrt(x); }},
      {"log1p", [](double x) { return std::log1p(x); }},
      {"expm1", [](double x) { return std::expm1(x); }},
  };
  std::vector<float> x = all_magnitudes();
  for (const float special : {0.0f, -0.0f, 1.0f, -1.0f, 89.0f, -89.0f, 89.5f, kInf, -kInf})
    x.push_back(special);
  x.push_back(std::numeric_limits<float>::quiet_NaN());
  for (const auto& [op, reference] : functions) {
    CAPTURE(std::string(op));
    CHECK(worst_ulp(op, reference, -1, 1) < 3);
    CHECK(worst_ulp(op, reference, -89.4, 89.4) < 3);
    const std::vector<float> y = run_op(op, x);
    for (size_t i = 0; i < x.size(); ++i) {
      CAPTURE(x[i]);
      const double expected = reference(x[i]);
      CHECK(error_in_ulp(y[i], expected) < 3);
      CHECK(std::isnan(y[i]) == std::isnan(expected));
      if (std::isnan(expected) || !is_special(expected)) continue;
      CHECK(y[i] == static_cast<float>(expected));
      CHECK(std::signbit(y[i]) == std::signbit(expected));
    }
  }
}

TEST_CASE("simd: powers and angles of pairs of numbers") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  std::vector<float> numbers = {0.0f,  -0.0f, 1.0f,  -1.0f, 2.0f,        -2.0f,       3.0f,
                                -3.0f, 0.5f,  -0.5f, 2.5f,  -2.5f,       16777215.0f, 3e38f,
                                kInf,  -kInf, 1e-6f, -7.0f, 16777216.0f, 0.1f};
  numbers.push_back(std::numeric_limits<float>::quiet_NaN());
  for (int i = 1; i < 200; ++i) numbers.push_back(static_cast<float>(i * 7919 % 997) * 0.02f - 3);
  std::vector<float> a;
  std::vector<float> b;
  for (const float x : numbers) {
    for (const float y : numbers) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  for (const bool power : {true, false}) {
    const std::vector<float> found = run_op(power ? "power" : "arctan2", a, b);
    double worst = 0;
    bool special = true;
    for (size_t i = 0; i < a.size(); ++i) {
      const double expected = power ? std::pow(static_cast<double>(a[i]), static_cast<double>(b[i]))
                                    : std::atan2(static_cast<double>(a[i]), b[i]);
      worst = std::max(worst, error_in_ulp(found[i], expected));
      bool right = std::isnan(found[i]) == std::isnan(expected);
      if (!std::isnan(expected) && is_special(expected)) {
        right = right && found[i] == static_cast<float>(expected) &&
                std::signbit(found[i]) == std::signbit(expected);
      }
      if (!right) MESSAGE((power ? "power " : "arctan2 "), a[i], ", ", b[i], ": ", found[i]);
      special = special && right;
    }
    CHECK(worst < (power ? 1 : 3.5));
    CHECK(special);
  }
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
