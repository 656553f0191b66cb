#include "pronghorn/ops/conv/rules.h"

#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {

Attrs conv_attrs(const Attrs& attrs) {
  Attrs kept;
  for (const auto& [name, value] : attrs) {
    if (name != "input_spatial" && name != "kernel_spatial") kept.set(name, value);
  }
  return kept;
}

Attrs conv_attrs(const Attrs& attrs, const char* name, std::span<const int64_t> sizes) {
  Attrs with = conv_attrs(attrs);
  with.set(name, std::vector<int64_t>(sizes.begin(), sizes.end()));
  return with;
}

std::span<const int64_t> image_spatial(const Shape& x) {
  return x.dims().subspan(1, static_cast<size_t>(x.rank() - 2));
}

std::span<const int64_t> kernel_spatial(const Shape& w) {
  return w.dims().first(static_cast<size_t>(w.rank() - 2));
}

void fill_patches(const void* source, int64_t group, int64_t row0, int64_t rows, int64_t col0,
                  int64_t cols, float* out, int64_t out_stride) {
  const auto& from = *static_cast<const PatchSource*>(source);
  kernels().copy_patches(*from.windows, from.x + group * from.windows->channels, row0, rows, col0,
                         cols, out, out_stride);
}

}  // namespace pronghorn::ops
