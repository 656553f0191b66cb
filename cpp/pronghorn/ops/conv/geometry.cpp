#include "pronghorn/ops/conv/geometry.h"

#include <algorithm>

namespace pronghorn::ops {
namespace {

Shape text(const std::vector<int64_t>& values) { return Shape(std::span<const int64_t>(values)); }

}  // namespace

WindowSizes window_sizes(const WindowRequest& request) {
  const Shape& image = request.image;
  const std::string_view op = request.op;
  WindowSizes sizes;
  sizes.spatial = image.rank() - 2;
  if (sizes.spatial < 1 || sizes.spatial > kMaxSpatial) {
    value_error(
        op,
        ": expected an image (batch, spatial..., channels) of rank 3, 4 or 5. Received: x.shape=",
        image, ".");
  }
  const size_t spatial = static_cast<size_t>(sizes.spatial);
  const std::vector<int64_t> ones(spatial, 1);
  const std::vector<int64_t>& strides = request.attrs.integers("strides");
  const std::vector<int64_t>& low = request.attrs.integers("pads_low");
  const std::vector<int64_t>& high = request.attrs.integers("pads_high");
  const std::vector<int64_t>& dilations =
      request.attrs.has("dilations") ? request.attrs.integers("dilations") : ones;
  const auto expect = [&](const char* name, const std::vector<int64_t>& values, int64_t least) {
    if (values.size() != spatial ||
        std::any_of(values.begin(), values.end(), [&](int64_t v) { return v < least; })) {
      value_error(op, ": expected ", spatial, " values of at least ", least, " for ", name,
                  ". Received: ", name, "=", text(values), ", x.shape=", image, ".");
    }
  };
  expect("window", request.kernel, 1);
  expect("strides", strides, 1);
  expect("dilations", dilations, 1);
  expect("pads_low", low, 0);
  expect("pads_high", high, 0);

  sizes.batch = image[0];
  Windows& w = sizes.windows;
  w.channels = w.pixel = image.back();
  const int first = kMaxSpatial - sizes.spatial;
  for (int i = 0; i < first; ++i) {
    w.out[i] = w.in[i] = w.kernel[i] = w.stride[i] = w.dilation[i] = 1;
  }
  for (int i = first; i < kMaxSpatial; ++i) {
    const size_t at = static_cast<size_t>(i - first);
    w.in[i] = image[1 + i - first];
    w.kernel[i] = request.kernel[at];
    w.stride[i] = strides[at];
    w.dilation[i] = dilations[at];
    w.pad[i] = low[at];
    sizes.pad_high[i] = high[at];
    const int64_t last = w.in[i] + low[at] + high[at] - 1;  // of the padded image
    if (last < 0 || w.kernel[i] - 1 > last / w.dilation[i]) {
      value_error(op, ": the window must fit into the padded image. Received: x.shape=", image,
                  ", window=", text(request.kernel), ", dilations=", text(dilations),
                  ", pads_low=", text(low), ", pads_high=", text(high),
                  ". Use padding='same' or a smaller window.");
    }
    w.out[i] = (last - (w.kernel[i] - 1) * w.dilation[i]) / w.stride[i] + 1;
  }
  return sizes;
}

Shape window_output(const WindowSizes& sizes, int64_t channels) {
  Shape out{sizes.batch};
  for (int i = kMaxSpatial - sizes.spatial; i < kMaxSpatial; ++i)
    out.push_back(sizes.windows.out[i]);
  out.push_back(channels);
  return out;
}

}  // namespace pronghorn::ops
