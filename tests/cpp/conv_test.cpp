// Convolutions and their gradients against sums in double, over every form that the drivers choose
// from.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ir/op_def.h"
#include "pronghorn/runtime/eager.h"

namespace pronghorn {
namespace {

struct Case {
  int64_t batch;
  int64_t in[3];
  int64_t kernel[3];
  int64_t stride[3];
  int64_t dilation[3];
  int64_t low[3];
  int64_t high[3];
  int64_t groups;
  int64_t ic, oc;

  int64_t out(int d) const {
    return (in[d] + low[d] + high[d] - (kernel[d] - 1) * dilation[d] - 1) / stride[d] + 1;
  }
  int64_t pixels_in() const { return in[0] * in[1] * in[2]; }
  int64_t pixels_out() const { return out(0) * out(1) * out(2); }
  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
};

// Two dimensions.
Case plane(int64_t batch, int64_t h, int64_t w, int64_t ic, int64_t oc, int64_t k, int64_t stride,
           int64_t dilation, int64_t pad, int64_t groups = 1) {
  return {batch,
          {1, h, w},
          {1, k, k},
          {1, stride, stride},
          {1, dilation, dilation},
          {0, pad, pad},
          {0, pad, pad},
          groups,
          ic,
          oc};
}

std::vector<Case> cases() {
  return {
      // first layers
      plane(3, 28, 28, 1, 32, 3, 1, 1, 0),
      plane(2, 32, 32, 3, 64, 3, 1, 1, 1),
      plane(1, 57, 57, 3, 32, 3, 2, 1, 1),
      plane(1, 40, 40, 3, 16, 7, 2, 1, 3),
      // 3x3
      plane(3, 13, 13, 32, 64, 3, 1, 1, 0),
      plane(5, 5, 5, 64, 64, 3, 1, 1, 0),
      plane(2, 16, 16, 64, 40, 3, 1, 1, 1),
      plane(7, 8, 8, 40, 33, 3, 1, 1, 1),
      plane(17, 7, 7, 33, 30, 3, 1, 1, 1),
      plane(4, 14, 3, 20, 20, 3, 1, 1, 1),
      plane(2, 5, 70, 17, 30, 3, 1, 1, 1),
      plane(1, 140, 5, 8, 9, 3, 1, 1, 1),
      // 5x5, 1x1
      plane(2, 14, 14, 19, 18, 5, 1, 1, 2),
      plane(2, 14, 14, 65, 70, 1, 2, 1, 0),
      plane(2, 6, 6, 1024, 16, 1, 1, 1, 1),
      plane(1, 9, 9, 1030, 5, 1, 3, 1, 0),
      // strides, dilation, groups
      plane(3, 15, 15, 18, 34, 3, 2, 1, 1),
      plane(2, 17, 17, 12, 8, 3, 3, 1, 0),
      plane(2, 15, 15, 21, 17, 3, 1, 2, 2),
      plane(2, 12, 12, 64, 64, 3, 1, 1, 1, 4),
      plane(2, 14, 14, 64, 64, 3, 1, 1, 1, 16),
      plane(2, 9, 9, 6, 9, 3, 2, 1, 1, 3),
      plane(2, 9, 9, 66, 132, 3, 1, 3, 3, 2),
      plane(4, 6, 6, 4, 4, 2, 4, 1, 0),
      plane(2, 12, 12, 40, 40, 3, 2, 3, 3),
      // one pixel, nothing but padding, uneven padding, three dimensions
      plane(40, 1, 1, 30, 20, 1, 1, 1, 0, 2),
      plane(2, 3, 3, 3, 4, 3, 2, 1, 4),
      {2, {1, 1, 300}, {1, 1, 5}, {1, 1, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 3}, 1, 10, 24},
      {1, {1, 1, 5000}, {1, 1, 3}, {1, 1, 1}, {1, 1, 1}, {0, 0, 2}, {0, 0, 0}, 1, 9, 20},
      {2, {1, 2, 3000}, {1, 2, 3}, {1, 1, 2}, {1, 1, 2}, {0, 0, 0}, {0, 0, 0}, 1, 8, 8},
      {2, {1, 12, 9}, {1, 3, 2}, {1, 2, 1}, {1, 1, 2}, {0, 0, 1}, {0, 1, 2}, 1, 16, 20},
      {2, {5, 6, 7}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, 1, 9, 20},
      {1, {7, 6, 9}, {2, 3, 2}, {2, 1, 2}, {2, 1, 1}, {0, 1, 0}, {1, 1, 0}, 2, 8, 12},
      // empty
      plane(0, 8, 8, 4, 4, 3, 1, 1, 1),
      plane(2, 8, 8, 0, 4, 3, 1, 1, 1),
      plane(2, 8, 8, 4, 0, 3, 1, 1, 1),
  };
}

std::vector<float> numbers(int64_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> v(static_cast<size_t>(n));
  for (float& x : v) x = uniform(random);
  return v;
}

std::vector<double> zeros(int64_t n) { return std::vector<double>(static_cast<size_t>(n)); }

// Calls f(pixel of x, tap, pixel of y) for all products of one image.
template <typename F>
void for_products(const Case& c, F f) {
  for (int64_t o = 0; o < c.pixels_out(); ++o) {
    for (int64_t t = 0; t < c.taps(); ++t) {
      const int64_t at[3] = {o / c.out(2) / c.out(1), o / c.out(2) % c.out(1), o % c.out(2)};
      const int64_t k[3] = {t / c.kernel[2] / c.kernel[1], t / c.kernel[2] % c.kernel[1],
                            t % c.kernel[2]};
      int64_t pixel = 0;
      bool inside = true;
      for (int d = 0; d < 3; ++d) {
        const int64_t i = at[d] * c.stride[d] - c.low[d] + k[d] * c.dilation[d];
        inside = inside && i >= 0 && i < c.in[d];
        pixel = pixel * c.in[d] + i;
      }
      if (inside) f(pixel, t, o);
    }
  }
}

// Adds to y(.., oc), or dx or dw, what x, w and dy give: `kind` 0, 1, 2. sizes: sums of absolute
// values.
void reference(const Case& c, int kind, const std::vector<float>& x, const std::vector<float>& w,
               const std::vector<float>& dy, std::vector<double>& result,
               std::vector<double>& sizes) {
  const int64_t gi = c.ic / c.groups;
  const int64_t go = c.oc / c.groups;
  for (int64_t n = 0; n < c.batch; ++n) {
    for_products(c, [&](int64_t pixel, int64_t tap, int64_t o) {
      for (int64_t g = 0; g < c.groups; ++g) {
        for (int64_t i = 0; i < gi; ++i) {
          const auto xi = static_cast<size_t>((n * c.pixels_in() + pixel) * c.ic + g * gi + i);
          const auto wi = static_cast<size_t>((tap * gi + i) * c.oc + g * go);
          const auto yi = static_cast<size_t>((n * c.pixels_out() + o) * c.oc + g * go);
          for (size_t j = 0; j < static_cast<size_t>(go); ++j) {
            const size_t at = kind == 0 ? yi + j : kind == 1 ? xi : wi + j;
            const double a = static_cast<double>(kind == 0 ? x[xi] : dy[yi + j]);
            const double b = static_cast<double>(kind == 2 ? x[xi] : w[wi + j]);
            result[at] += a * b;
            sizes[at] += std::fabs(a * b);
          }
        }
      }
    });
  }
}

Tensor tensor(const Shape& shape, const std::vector<float>& values) {
  Tensor t(TensorType{DType::kFloat32, shape});
  if (!values.empty()) std::memcpy(t.data(), values.data(), values.size() * sizeof(float));
  return t;
}

std::vector<int64_t> list(const int64_t (&v)[3]) { return {v[0], v[1], v[2]}; }

// Results and gradients of an op and its gradient ops; w of the shape given after the kernel's.
void check_forms(const Case& c, const char* const (&names)[3], int64_t w_rows, int64_t w_columns,
                 bool groups) {
  const int before = num_threads();
  const std::vector<float> x = numbers(c.batch * c.pixels_in() * c.ic, 1);
  const std::vector<float> w = numbers(c.taps() * (c.ic / c.groups) * c.oc, 2);
  const std::vector<float> dy = numbers(c.batch * c.pixels_out() * c.oc, 3);
  const Tensor tx = tensor({c.batch, c.in[0], c.in[1], c.in[2], c.ic}, x);
  const Tensor tw = tensor({c.kernel[0], c.kernel[1], c.kernel[2], w_rows, w_columns}, w);
  const Tensor tdy = tensor({c.batch, c.out(0), c.out(1), c.out(2), c.oc}, dy);
  Attrs attrs;
  attrs.set("strides", list(c.stride));
  attrs.set("dilations", list(c.dilation));
  attrs.set("pads_low", list(c.low));
  attrs.set("pads_high", list(c.high));
  if (groups) attrs.set("groups", c.groups);
  for (int kind = 0; kind < 3; ++kind) {
    Attrs full = attrs;
    if (kind == 1) full.set("input_spatial", list(c.in));
    if (kind == 2) full.set("kernel_spatial", list(c.kernel));
    const Tensor operands[2] = {kind == 1 ? tdy : tx, kind == 0 ? tw : kind == 1 ? tw : tdy};
    const size_t n = kind == 0 ? dy.size() : kind == 1 ? x.size() : w.size();
    std::vector<double> wanted = zeros(static_cast<int64_t>(n));
    std::vector<double> sizes = wanted;
    reference(c, kind, x, w, dy, wanted, sizes);
    CAPTURE(kind);
    CAPTURE(c.batch);
    CAPTURE(c.in[1]);
    CAPTURE(c.in[2]);
    CAPTURE(c.ic);
    CAPTURE(c.oc);
    CAPTURE(c.kernel[2]);
    CAPTURE(c.stride[2]);
    CAPTURE(c.groups);
    std::vector<float> first(n);
    for (const int threads : {1, 2, 3, 8}) {
      set_num_threads(threads);
      const std::vector<Tensor> results = apply_eager(find_op(names[kind]), operands, full);
      REQUIRE(static_cast<size_t>(results[0].shape().size()) == n);
      if (n == 0) break;
      const auto* got = static_cast<const float*>(results[0].data());
      if (threads > 1) {
        REQUIRE(std::memcmp(got, first.data(), n * sizeof(float)) == 0);
        continue;
      }
      std::memcpy(first.data(), got, n * sizeof(float));
      double worst = 0;
      for (size_t i = 0; i < n; ++i) {
        const double bound = 0x1p-23 * sizes[i] + 1e-30;
        const double error = std::fabs(static_cast<double>(got[i]) - wanted[i]) / bound;
        worst = error <= worst ? worst : error;  // NaN counts
      }
      REQUIRE(worst <= 16);
    }
  }
  set_num_threads(before);
}

}  // namespace

TEST_CASE("conv, conv_dx, conv_dw: all forms, the same bits for any number of threads") {
  for (const Case& c : cases())
    check_forms(c, {"conv", "conv_dx", "conv_dw"}, c.ic / c.groups, c.oc, true);
}

TEST_CASE("depthwise_conv and its gradients: all forms, the same bits for any number of threads") {
  const auto channels = [](Case c) {
    c.groups = c.ic = c.oc;
    return c;
  };
  std::vector<Case> all;
  for (const int64_t k : {1, 2, 3, 4, 5, 6, 7}) {
    for (const int64_t stride : {1, 2, 3})
      all.push_back(plane(2, 13, 17, 0, k == 3 ? 70 : 19, k, stride, 1, k / 2));
  }
  for (Case c : {plane(3, 56, 56, 0, 35, 3, 1, 1, 1), plane(3, 57, 40, 0, 16, 3, 2, 1, 1),
                 plane(1, 12, 12, 0, 33, 3, 1, 2, 2), plane(2, 7, 7, 0, 130, 3, 1, 1, 0),
                 plane(2, 3, 3, 0, 20, 5, 1, 1, 2), plane(0, 3, 3, 0, 20, 3, 1, 1, 1),
                 plane(2, 30, 1, 0, 8, 3, 1, 1, 1), plane(2, 1, 30, 0, 8, 1, 2, 1, 0)})
    all.push_back(c);
  all.push_back({2, {4, 5, 9}, {3, 2, 3}, {2, 1, 2}, {1, 2, 1}, {1, 0, 1}, {1, 1, 0}, 1, 0, 21});
  for (const Case& c : all) {
    check_forms(channels(c), {"depthwise_conv", "depthwise_conv_dx", "depthwise_conv_dw"}, c.oc, 1,
                false);
    Case twice = channels(c);
    twice.oc *= 2;
    check_forms(twice, {"depthwise_conv", "depthwise_conv_dx", "depthwise_conv_dw"}, c.oc, 2,
                false);
  }
}

TEST_CASE("conv, conv_dx, conv_dw: infinities and overflow as in sums of products") {
  const Case c = plane(2, 16, 16, 64, 64, 3, 1, 1, 1);
  std::vector<float> x = numbers(c.batch * c.pixels_in() * c.ic, 1);
  std::vector<float> w = numbers(c.taps() * c.ic * c.oc, 2);
  std::vector<float> dy = numbers(c.batch * c.pixels_out() * c.oc, 3);
  for (float& v : w) v = std::fabs(v);
  x[static_cast<size_t>((5 * 16 + 6) * 64 + 7)] = INFINITY;
  x[static_cast<size_t>((100 + 3) * 64)] = -INFINITY;
  dy[static_cast<size_t>((4 * 16 + 4) * 64 + 3)] = INFINITY;
  // Their sum overflows, which only a transform takes.
  x[static_cast<size_t>((200 + 4) * 64 + 1)] = 1.8e38f;
  x[static_cast<size_t>((200 + 5) * 64 + 1)] = 1.8e38f;
  for (int64_t tap = 0; tap < 9; ++tap)
    for (int64_t j = 0; j < 64; ++j) w[static_cast<size_t>((tap * 64 + 1) * 64 + j)] *= 0.25f;
  Attrs attrs;
  attrs.set("strides", list(c.stride));
  attrs.set("dilations", list(c.dilation));
  attrs.set("pads_low", list(c.low));
  attrs.set("pads_high", list(c.high));
  attrs.set("groups", c.groups);
  const Tensor tx = tensor({c.batch, c.in[0], c.in[1], c.in[2], c.ic}, x);
  const Tensor tw = tensor({1, 3, 3, c.ic, c.oc}, w);
  const Tensor tdy = tensor({c.batch, c.out(0), c.out(1), c.out(2), c.oc}, dy);
  for (int kind = 0; kind < 3; ++kind) {
    const char* const names[] = {"conv", "conv_dx", "conv_dw"};
    Attrs full = attrs;
    if (kind == 1) full.set("input_spatial", list(c.in));
    if (kind == 2) full.set("kernel_spatial", list(c.kernel));
    const Tensor operands[2] = {kind == 1 ? tdy : tx, kind == 2 ? tdy : tw};
    const size_t n = kind == 0 ? dy.size() : kind == 1 ? x.size() : w.size();
    std::vector<double> wanted = zeros(static_cast<int64_t>(n));
    std::vector<double> sizes = wanted;
    reference(c, kind, x, w, dy, wanted, sizes);
    const std::vector<Tensor> results = apply_eager(find_op(names[kind]), operands, full);
    const auto* got = static_cast<const float*>(results[0].data());
    size_t wrong = 0;
    for (size_t i = 0; i < n; ++i) {
      const double v = wanted[i];
      const auto f = static_cast<double>(got[i]);
      // Sums near the largest float may overflow in one order of additions and not in another.
      if (std::fabs(v) > 3e38 && std::isfinite(v)) {
        wrong += std::isnan(f);
      } else if (std::isfinite(v)) {
        // A transform mixes the factors of neighbouring pixels.
        const double size = sizes[i] > 1e30 ? 1e39 : sizes[i];
        wrong += !(std::fabs(f - v) <= 16 * 0x1p-23 * size);
      } else {
        wrong += std::isnan(v) ? !std::isnan(f) : f != v;
      }
    }
    CAPTURE(kind);
    REQUIRE(wrong == 0);
  }
}

}  // namespace pronghorn
