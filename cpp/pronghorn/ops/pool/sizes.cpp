#include "pronghorn/ops/pool/sizes.h"

#include <cstdint>
#include <span>

#include "pronghorn/ops/conv/rules.h"

namespace pronghorn::ops {

WindowSizes pool_sizes(std::string_view op, const Shape& x, const Attrs& attrs) {
  const std::vector<int64_t>& window = attrs.integers("window");
  const WindowSizes sizes = window_sizes({op, x, window, attrs});
  double taps = 1;
  for (const int64_t size : window) taps *= static_cast<double>(size);
  if (taps > INT32_MAX) {  // max_pool numbers them
    value_error(op, ": expected windows of less than 2^31 pixels. Received: window=",
                Shape(std::span<const int64_t>(window)), ".");
  }
  return sizes;
}

Shape pool_input(std::string_view op, const Shape& dy, const Attrs& attrs) {
  const std::vector<int64_t>& spatial = attrs.integers("input_spatial");
  if (dy.rank() != static_cast<int>(spatial.size()) + 2) {
    value_error(op, ": expected rank ", spatial.size() + 2, ". Received: dy.shape=", dy, ".");
  }
  Shape x{dy[0]};
  for (const int64_t size : spatial) x.push_back(size);
  x.push_back(dy.back());
  return x;
}

Attrs with_input_spatial(const Attrs& attrs, const Shape& x) {
  return conv_attrs(attrs, "input_spatial", image_spatial(x));
}

Attrs without_input_spatial(const Attrs& attrs) { return conv_attrs(attrs); }

void check_pooled(std::string_view op, const WindowSizes& sizes, const char* name,
                  const Shape& shape) {
  const Shape expected = window_output(sizes, sizes.windows.channels);
  if (shape != expected) {
    value_error(op, ": expected ", name, ".shape=", expected, ". Received: ", name,
                ".shape=", shape, ".");
  }
}

}  // namespace pronghorn::ops
