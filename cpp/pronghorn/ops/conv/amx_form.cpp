#include "pronghorn/ops/conv/amx_form.h"

#include <utility>

#include "pronghorn/ops/conv/winograd.h"

namespace pronghorn::ops {
namespace {

double used_by_images(const ConvSizes& sizes, bool gradient) {
  const int64_t channels = gradient ? sizes.group_out() : sizes.group_in();
  const int64_t n = gradient ? sizes.group_in() : sizes.group_out();
  return used_part(sizes.batch, kConvLanes) * used_part(channels, kConvBlock) * used_part(n, 16);
}

// Whether Winograd's form is the other choice.
bool has_winograd(const ConvSizes& sizes, bool gradient) {
  Windows w = sizes.windows;
  for (int d = 0; d < 3; ++d) {
    if (w.stride[d] != 1) return false;
    if (!gradient) continue;
    std::swap(w.in[d], w.out[d]);
    w.pad[d] = (w.kernel[d] - 1) * w.dilation[d] - w.pad[d];
  }
  if (gradient) w.channels = w.pixel = sizes.out_channels;
  const int64_t n = gradient ? sizes.in_channels : sizes.out_channels;
  return plan_winograd(w, sizes.batch, sizes.groups, n).has_value();
}

// The part of the products that are not with padding from which on the form is the fastest.
// Figures: cpp/README.md.
struct Least {
  double by_images;
  double by_places;
};
Least least_used(const ConvSizes& sizes, bool gradient, DType dtype) {
  if (dtype == DType::kBfloat16) return {0.2, 0.2};
  return has_winograd(sizes, gradient) ? Least{0.85, 0.85} : Least{0.6, 0.55};
}

}  // namespace

bool suits_amx(const ConvSizes& sizes, bool gradient, DType dtype) {
  if (!takes_amx(dtype) || volume(sizes.windows.out) == 0 || sizes.batch == 0 ||
      sizes.group_in() == 0 || sizes.group_out() == 0)
    return false;
  const Least least = least_used(sizes, gradient, dtype);
  return used_by_images(sizes, gradient) >= least.by_images ||
         (takes_places(sizes, gradient) &&
          plan_amx_places(sizes, gradient, dtype)->used >= least.by_places);
}

AmxForm plan_amx(const ConvSizes& sizes, bool gradient, DType dtype) {
  AmxForm form;
  if (takes_places(sizes, gradient)) {
    form.by_places = plan_amx_places(sizes, gradient, dtype);
    if (form.by_places->used > used_by_images(sizes, gradient)) return form;
    form.by_places = nullptr;
  }
  form.by_images = plan_amx_conv(sizes, gradient, dtype);
  return form;
}

void run_amx(const AmxForm& form, const void* x, const void* w, const void* packed, void* y,
             const Epilogue& epilogue, void* workspace) noexcept {
  const AmxKernel kernel = amx_kernel(form.weights(), w, packed);
  if (form.by_images != nullptr) return run_amx_conv(*form.by_images, x, kernel, y, epilogue);
  run_amx_places(*form.by_places, x, kernel, y, epilogue, workspace);
}

}  // namespace pronghorn::ops
