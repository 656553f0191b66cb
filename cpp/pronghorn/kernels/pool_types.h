// Plain structs of the pooling kernels.
#pragma once

#include "pronghorn/kernels/kernel_types.h"

namespace pronghorn {

// Pooling, windows [row0, row0 + rows). x and y are float32 or 16-bit floats; y and taken are of
// window 0; taken may be null.
struct Pooling {
  Windows windows;
  ElementType type;
  const void* x;
  void* y;
  int32_t* taken;
  int64_t row0;
  int64_t rows;
};

// Its gradient. dy and taken: of window 0, dx: of pixel `first_pixel` of all images, of dy's type
// or float32. Pixels in several windows are added to, those in none are left alone.
struct PoolingGrad {
  Windows windows;
  ElementType type;
  ElementType dx_type;
  const void* dy;
  const int32_t* taken;
  void* dx;
  int64_t first_pixel;
  int64_t row0;
  int64_t rows;
};

}  // namespace pronghorn
