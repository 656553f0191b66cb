#include "pronghorn/ops/conv/amx_geometry.h"

#include <algorithm>
#include <cstring>

#include "pronghorn/base/precision.h"

namespace pronghorn::ops {

double used_part(int64_t n, int64_t block) {
  if (n == 0) return 0;
  return static_cast<double>(n) / static_cast<double>((n + block - 1) / block * block);
}

bool takes_amx(DType dtype) {
  return kernels().conv_line != nullptr &&
         (dtype == DType::kBfloat16 || (dtype == DType::kFloat32 && !strict_float32()));
}

std::vector<int32_t> inputs_along(const Windows& w, int d, bool gradient) {
  const int64_t outs = gradient ? w.in[d] : w.out[d];
  const int64_t ins = gradient ? w.out[d] : w.in[d];
  std::vector<int32_t> inputs(static_cast<size_t>(outs * w.kernel[d]), -1);
  for (int64_t o = 0; o < outs; ++o) {
    for (int64_t k = 0; k < w.kernel[d]; ++k) {
      int64_t i = o * w.stride[d] - w.pad[d] + k * w.dilation[d];
      if (gradient) {
        i = o + w.pad[d] - k * w.dilation[d];
        if (i % w.stride[d] != 0) continue;
        i /= w.stride[d];
      }
      if (i >= 0 && i < ins)
        inputs[static_cast<size_t>(o * w.kernel[d] + k)] = static_cast<int32_t>(i);
    }
  }
  return inputs;
}

std::pair<int64_t, int64_t> reach(const std::vector<int32_t>& inputs, int64_t kernel, int64_t begin,
                                  int64_t end) {
  int64_t low = INT64_MAX;
  int64_t high = -1;
  for (int64_t i = begin * kernel; i < end * kernel; ++i) {
    const int64_t at = inputs[static_cast<size_t>(i)];
    if (at < 0) continue;
    low = std::min(low, at);
    high = std::max(high, at);
  }
  return high < 0 ? std::pair<int64_t, int64_t>{0, -1} : std::pair{low, high};
}

int64_t ring_slots(const std::vector<int32_t>& inputs, int64_t kernel, int64_t outs,
                   int64_t count) {
  int64_t slots = 1;
  for (int64_t o = 0; o < outs; ++o) {
    const auto [low, high] = reach(inputs, kernel, o, std::min(o + count, outs));
    slots = std::max(slots, high - low + 1);
  }
  return slots;
}

float least_result(const ConvRange& a, const ConvRange& b, int64_t depth) {
  const auto value = [](uint32_t bits) {
    float f;
    std::memcpy(&f, &bits, sizeof f);
    return f;
  };
  if (a.largest == 0 || b.largest == 0) return 0;
  const float small_a = value(a.smallest);
  const float small_b = value(b.smallest);
  if (std::min({small_a, small_b, small_a * small_b}) >= 0x1p-100f) return 0;
  return 0x1p-102f * static_cast<float>(depth) * (value(a.largest) + value(b.largest) + 6.0f);
}

void widen(ConvRange& range, const ConvRange& by) {
  range.smallest = std::min(range.smallest, by.smallest);
  range.largest = std::max(range.largest, by.largest);
}

}  // namespace pronghorn::ops
