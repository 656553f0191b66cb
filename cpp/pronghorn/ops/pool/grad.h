// The gradients of pooling: pieces of the image, in parallel.
#pragma once

#include <memory>

#include "pronghorn/kernels/pool_types.h"
#include "pronghorn/ops/pool/sizes.h"
#include "pronghorn/tile/epilogue.h"

namespace pronghorn::ops {

struct PoolGradPlan : PoolPlan {
  DType dtype = DType::kFloat32;
  std::shared_ptr<const TilePlan> epilogue;
  bool covers = false;     // each pixel is in one window
  bool in_floats = false;  // a piece is built up in float32 elsewhere
  int64_t piece = 0;       // windows
  int64_t piece_pixels = 0;
};

// For an op whose output 0 is dx.
Prepared prepare_pool_grad(const OpCall& call);

// kernel: as kernels().max_pool_grad_pixels. taken may be null.
void run_pool_grad(const Launch& launch, void (*kernel)(const PoolingGrad&), const int32_t* taken,
                   int own_inputs) noexcept;

}  // namespace pronghorn::ops
