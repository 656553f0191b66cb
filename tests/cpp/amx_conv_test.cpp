// The AMX form of convolutions, whatever the sizes, against sums in double.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "pronghorn/base/cpu.h"
#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/conv/amx_dw.h"
#include "pronghorn/ops/conv/amx_form.h"
#include "pronghorn/tensor/buffer.h"

namespace pronghorn::ops {
namespace {

bool amx_is_active() { return active_isa() == Isa::kAvx512Amx; }

uint16_t to_half(float x) {  // to nearest even
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}
float from_half(uint16_t x) {
  const uint32_t bits = uint32_t{x} << 16;
  float f;
  std::memcpy(&f, &bits, 4);
  return f;
}

// A convolution of two dimensions (or three, with `depth`), and random operands.
struct Problem {
  ConvSizes sizes;
  bool half = false;
  bool by_places = false;  // of a forward product or the gradient of the image
  std::vector<float> x, w, dy;

  Problem(int64_t batch, int64_t depth, int64_t height, int64_t width, int64_t ic, int64_t oc,
          int64_t kernel, int64_t stride, int64_t dilation, int64_t pad, int64_t groups = 1) {
    sizes.spatial = depth > 1 ? 3 : 2;
    sizes.batch = batch;
    sizes.groups = groups;
    sizes.in_channels = ic;
    sizes.out_channels = oc;
    Windows& v = sizes.windows;
    const int64_t in[3] = {depth, height, width};
    for (int d = 0; d < 3; ++d) {
      const bool used = d > 0 || depth > 1;
      v.in[d] = in[d];
      v.kernel[d] = used ? kernel : 1;
      v.stride[d] = used ? stride : 1;
      v.dilation[d] = used ? dilation : 1;
      v.pad[d] = used ? pad : 0;
      sizes.pad_high[d] = v.pad[d];
      v.out[d] = (in[d] + 2 * v.pad[d] - (v.kernel[d] - 1) * v.dilation[d] - 1) / v.stride[d] + 1;
    }
    v.channels = ic / groups;
    v.pixel = ic;
    x = numbers(batch * volume(v.in) * ic, 1);
    w = numbers(sizes.taps() * ic / groups * oc, 2);
    dy = numbers(batch * volume(v.out) * oc, 3);
  }

  static std::vector<float> numbers(int64_t n, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> v(static_cast<size_t>(n));
    for (float& value : v) value = normal(random);
    return v;
  }

  // f(x, w, y) of each product, as indices.
  template <typename F>
  void for_products(F f) const {
    const Windows& v = sizes.windows;
    const int64_t ic = sizes.group_in();
    const int64_t oc = sizes.group_out();
    for (int64_t n = 0; n < sizes.batch; ++n) {
      for (int64_t o = 0; o < volume(v.out); ++o) {
        const int64_t at[3] = {o / (v.out[1] * v.out[2]), o / v.out[2] % v.out[1], o % v.out[2]};
        for (int64_t k = 0; k < sizes.taps(); ++k) {
          const int64_t tap[3] = {k / (v.kernel[1] * v.kernel[2]), k / v.kernel[2] % v.kernel[1],
                                  k % v.kernel[2]};
          int64_t pixel = 0;
          bool inside = true;
          for (int d = 0; d < 3; ++d) {
            const int64_t i = at[d] * v.stride[d] - v.pad[d] + tap[d] * v.dilation[d];
            inside = inside && i >= 0 && i < v.in[d];
            pixel = pixel * v.in[d] + i;
          }
          if (!inside) continue;
          for (int64_t g = 0; g < sizes.groups; ++g) {
            for (int64_t i = 0; i < ic; ++i) {
              const int64_t xi = (n * volume(v.in) + pixel) * sizes.in_channels + g * ic + i;
              for (int64_t j = 0; j < oc; ++j) {
                f(static_cast<size_t>(xi),
                  static_cast<size_t>((k * ic + i) * sizes.out_channels + g * oc + j),
                  static_cast<size_t>((n * volume(v.out) + o) * sizes.out_channels + g * oc + j));
              }
            }
          }
        }
      }
    }
  }
};

std::vector<uint16_t> halves(const std::vector<float>& x) {
  std::vector<uint16_t> h;
  for (const float v : x) h.push_back(to_half(v));
  return h;
}

enum class Which { kForward, kInput, kWeights };

std::vector<float> run(const Problem& p, Which which, const Epilogue& epilogue = {}) {
  const DType dtype = p.half ? DType::kBfloat16 : DType::kFloat32;
  const bool weights = which == Which::kWeights;
  const std::vector<float>& a = which == Which::kInput ? p.dy : p.x;
  const std::vector<float>& b = weights ? p.dy : p.w;
  std::vector<float> y((weights ? p.w : which == Which::kInput ? p.x : p.dy).size());
  std::vector<uint16_t> half_y(y.size());
  const std::vector<uint16_t> half_a = halves(a), half_b = halves(b);
  const void* const from_a = p.half ? static_cast<const void*>(half_a.data()) : a.data();
  const void* const from_b = p.half ? static_cast<const void*>(half_b.data()) : b.data();
  void* const to = p.half ? static_cast<void*>(half_y.data()) : y.data();
  if (weights) {
    const auto plan = plan_amx_dw(p.sizes, dtype);
    const Buffer workspace(plan->workspace);
    run_amx_dw(*plan, from_a, from_b, to, p.half, workspace.data());
  } else {
    const bool gradient = which == Which::kInput;
    AmxForm form;
    if (p.by_places) {
      form.by_places = plan_amx_places(p.sizes, gradient, dtype);
    } else {
      form.by_images = plan_amx_conv(p.sizes, gradient, dtype);
    }
    const Buffer packed(form.weights().packed_bytes());
    const Buffer workspace(form.workspace());
    pack_amx_weights(form.weights(), from_b, packed.data());
    run_amx(form, from_a, from_b, packed.data(), to, epilogue, workspace.data());
  }
  for (size_t i = 0; p.half && i < y.size(); ++i) y[i] = from_half(half_y[i]);
  return y;
}

// rms of the error over rms of the sums' sizes; infinite where one is finite and the other is not.
double error(const Problem& p, const std::vector<float>& got, Which which) {
  std::vector<double> sum(got.size()), size(got.size());
  const auto value = [&](const std::vector<float>& v, size_t i) {
    return static_cast<double>(p.half ? from_half(to_half(v[i])) : v[i]);
  };
  p.for_products([&](size_t x, size_t w, size_t y) {
    const double product = which == Which::kForward ? value(p.x, x) * value(p.w, w)
                           : which == Which::kInput ? value(p.dy, y) * value(p.w, w)
                                                    : value(p.x, x) * value(p.dy, y);
    const size_t at = which == Which::kForward ? y : which == Which::kInput ? x : w;
    sum[at] += product;
    size[at] += product * product;
  });
  double errors = 0;
  double sizes = 1e-300;
  for (size_t i = 0; i < got.size(); ++i) {
    const bool finite = std::isfinite(static_cast<float>(sum[i]));
    if (finite != std::isfinite(got[i])) return INFINITY;
    if (!finite) continue;
    const double d = static_cast<double>(got[i]) - sum[i];
    errors += d * d;
    sizes += size[i];
  }
  return std::sqrt(errors / sizes);
}

constexpr Which kAll[] = {Which::kForward, Which::kInput, Which::kWeights};

std::vector<Problem> problems() {
  return {
      {16, 1, 6, 6, 32, 32, 3, 1, 1, 1},   {17, 1, 5, 7, 33, 31, 3, 1, 1, 1},
      {3, 1, 9, 4, 40, 24, 3, 1, 1, 0},    {1, 1, 11, 11, 64, 17, 5, 1, 1, 2},
      {18, 1, 9, 9, 20, 34, 3, 2, 1, 1},   {4, 1, 10, 11, 7, 5, 3, 3, 1, 0},
      {5, 1, 9, 13, 16, 16, 3, 1, 2, 2},   {16, 1, 6, 6, 64, 64, 3, 1, 1, 1, 2},
      {2, 1, 7, 6, 66, 99, 3, 2, 1, 1, 3}, {16, 1, 6, 5, 70, 48, 1, 2, 1, 0},
      {2, 1, 8, 8, 32, 32, 2, 4, 1, 0},    {2, 5, 4, 6, 32, 33, 3, 1, 1, 1},
      {3, 5, 6, 5, 18, 32, 3, 2, 1, 1},    {1, 1, 3, 300, 96, 16, 3, 1, 1, 1},
      {2, 1, 5, 5, 300, 200, 3, 1, 1, 1},  {1, 1, 40, 3, 256, 32, 3, 1, 1, 1},
      {2, 1, 4, 4, 160, 33, 5, 1, 3, 6},   {1, 1, 1, 1, 1, 1, 1, 1, 1, 0},
      {1, 1, 40, 34, 64, 64, 3, 1, 1, 1},  {3, 1, 8, 8, 96, 70, 3, 1, 1, 1},
      {1, 1, 33, 20, 40, 48, 3, 2, 2, 2},  {2, 1, 7, 9, 512, 48, 3, 1, 1, 0},
      {16, 1, 3, 3, 128, 32, 3, 1, 1, 0},
  };
}

// Calls check(p, which) for each product of p, in each form that takes it.
template <typename Check>
void for_forms(Problem p, Check check) {
  for (const bool places : {false, true}) {
    p.by_places = places;
    for (const Which which : kAll) {
      const bool form = which != Which::kWeights && takes_places(p.sizes, which == Which::kInput);
      if (!places || form) check(p, which);
    }
  }
}

TEST_CASE("convolutions on AMX, float32 in three parts") {
  if (!amx_is_active()) return;
  for (const Problem& p : problems()) {
    CAPTURE(p.sizes.in_channels);
    CAPTURE(p.sizes.out_channels);
    for_forms(p, [](const Problem& of, Which which) {
      CAPTURE(of.by_places);
      CHECK(error(of, run(of, which), which) < 3e-7);
    });
  }
}

TEST_CASE("convolutions on AMX, bfloat16") {
  if (!amx_is_active()) return;
  for (Problem& p : problems()) {
    p.half = true;
    CAPTURE(p.sizes.in_channels);
    CAPTURE(p.sizes.out_channels);
    // the result's rounding
    for_forms(p, [](const Problem& of, Which which) {
      CAPTURE(of.by_places);
      CHECK(error(of, run(of, which), which) < 2.5e-3);
    });
  }
}

TEST_CASE("convolutions on AMX: infinities, NaN and tiny numbers are those of float32") {
  if (!amx_is_active()) return;
  for (const bool places : {false, true}) {
    Problem p(5, 1, 6, 7, 40, 33, 3, 1, 1, 1);
    p.by_places = places;
    const Problem plain = p;
    p.x[100] = INFINITY;
    p.x[5000] = NAN;
    p.dy[77] = -INFINITY;
    p.w[3] = 3.4e38f;
    for (const Which which : kAll) CHECK(error(p, run(p, which), which) < 3e-7);
    for (const float scale : {1e-20f, 1e-33f, 1e-36f}) {
      p = plain;
      const size_t image = p.x.size() / 5;
      for (size_t i = 0; i < image; ++i) p.x[i] *= scale;  // one image of five
      Problem first = p;
      for (size_t i = image; i < p.x.size(); ++i) first.x[i] = 0;
      const std::vector<float> y = run(p, Which::kForward);
      std::vector<float> of_first(y.begin(), y.begin() + static_cast<int64_t>(y.size() / 5));
      of_first.resize(y.size(), 0.0f);
      CHECK(error(first, of_first, Which::kForward) < 3e-7);
      CHECK(error(first, run(first, Which::kWeights), Which::kWeights) < 3e-7);
      for (float& w : p.w) w *= 1e-10f;
      for (float& v : p.dy) v *= scale * 1e10f;
      CHECK(error(p, run(p, Which::kInput), Which::kInput) < 3e-7);
    }
  }
}

TEST_CASE("convolutions on AMX have the same bits for any number of threads") {
  if (!amx_is_active()) return;
  const int before = num_threads();
  for (const int64_t batch : {1, 33}) {
    for_forms(Problem(batch, 1, 9, 9, 48, 64, 3, 1, 1, 1), [](const Problem& p, Which which) {
      set_num_threads(1);
      const std::vector<float> y = run(p, which);
      for (const int threads : {2, 3, 8}) {
        set_num_threads(threads);
        CHECK(run(p, which) == y);
      }
    });
  }
  set_num_threads(before);
}

struct Twice {
  std::vector<int> seen;
  static void apply(const void* context, float* block, int64_t row0, int64_t rows, int64_t col0,
                    int64_t cols, int64_t row_stride) noexcept {
    auto& seen = const_cast<std::vector<int>&>(static_cast<const Twice*>(context)->seen);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        block[i * row_stride + j] *= 2;
        ++seen[static_cast<size_t>((row0 + i) * 66 + col0 + j)];
      }
    }
  }
};

TEST_CASE("epilogues of convolutions on AMX see every element once, in its place") {
  if (!amx_is_active()) return;
  for (const int64_t groups : {1, 2}) {
    for (const bool places : {false, true}) {
      Problem p(18, 1, 5, 5, 32, 66, 3, 1, 1, 1, groups);
      p.by_places = places;
      const std::vector<float> y = run(p, Which::kForward);
      const int before = num_threads();
      set_num_threads(1);
      const Twice twice{std::vector<int>(y.size())};
      const std::vector<float> doubled = run(p, Which::kForward, {&Twice::apply, &twice});
      set_num_threads(before);
      bool right = true;
      for (size_t i = 0; i < y.size(); ++i) right = right && doubled[i] == 2 * y[i];
      CHECK(right);
      CHECK(twice.seen == std::vector<int>(y.size(), 1));
    }
  }
}

}  // namespace
}  // namespace pronghorn::ops
