#include "pronghorn/ops/pool/grad.h"

#include <algorithm>
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tile/lower.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kPieceFloats = 1 << 15;

}  // namespace

Prepared prepare_pool_grad(const OpCall& call) {
  auto plan = std::make_shared<PoolGradPlan>();
  plan->sizes = pool_sizes(call.op.name, own_result(call).shape, call.attrs);
  plan->dtype = call.inputs[0].dtype;
  plan->epilogue = epilogue_plan(call);
  const Windows& w = plan->sizes.windows;
  bool disjoint = true;
  plan->covers = true;
  for (int d = 0; d < 3; ++d) {
    disjoint = disjoint && (w.stride[d] >= w.kernel[d] || w.out[d] == 1);
    plan->covers = plan->covers && w.stride[d] == w.kernel[d] &&
                   w.out[d] * w.kernel[d] == w.in[d] && w.pad[d] == 0;
  }
  const bool replaced = plan->epilogue != nullptr && !plan->epilogue->epilogue.in_place;
  plan->in_floats = replaced || (plan->dtype != DType::kFloat32 && !disjoint);
  if (plan->covers) {  // windows of whole lines (planes) are whole lines of pixels
    const int64_t windows = w.kernel[0] == 1 ? w.out[2] : w.out[1] * w.out[2];
    const int64_t pixels = windows * volume(w.kernel);
    const int64_t lines =
        std::max<int64_t>(1, kPieceFloats / std::max<int64_t>(pixels * w.channels, 1));
    plan->piece = lines * windows;
    plan->piece_pixels = lines * pixels;
  } else {
    plan->piece = volume(w.out);
    plan->piece_pixels = volume(w.in);
  }
  return {.plan = plan};
}

void run_pool_grad(const Launch& launch, void (*kernel)(const PoolingGrad&), const int32_t* taken,
                   int own_inputs) noexcept {
  const PoolGradPlan& plan = launch.plan_as<PoolGradPlan>();
  const int64_t channels = plan.sizes.windows.channels;
  const int64_t all = plan.sizes.batch * volume(plan.sizes.windows.in);
  if (all * channels == 0) return;
  const TileEpilogue epilogue{plan.epilogue.get(), launch.inputs + own_inputs, launch.outputs};
  const auto type = static_cast<ElementType>(plan.dtype);
  auto* const out = static_cast<char*>(launch.outputs[0]);
  const int64_t pieces = (all + plan.piece_pixels - 1) / plan.piece_pixels;
  const int64_t cost = plan.piece_pixels * channels * 4;
  parallel_for(pieces, cost, [&](int64_t i) {
    const int64_t first = i * plan.piece_pixels;
    const int64_t pixels = std::min(plan.piece_pixels, all - first);
    const int64_t row = i * plan.piece;
    char* const place = out + static_cast<size_t>(first * channels) * size_of(plan.dtype);
    float* const floats = plan.in_floats ? thread_scratch(pixels * channels) : nullptr;
    void* const dx = plan.in_floats ? static_cast<void*>(floats) : place;
    const DType dx_type = plan.in_floats ? DType::kFloat32 : plan.dtype;
    if (!plan.covers) std::memset(dx, 0, static_cast<size_t>(pixels * channels) * size_of(dx_type));
    kernel({.windows = plan.sizes.windows,
            .type = type,
            .dx_type = static_cast<ElementType>(dx_type),
            .dy = launch.inputs[0],
            .taken = taken,
            .dx = dx,
            .first_pixel = first,
            .row0 = row,
            .rows = std::min(plan.piece, plan.rows() - row)});
    if (plan.epilogue != nullptr) {
      TileEpilogue::apply(&epilogue, static_cast<float*>(dx), first, pixels, 0, channels, channels);
    } else if (plan.in_floats) {
      kernels().narrow_floats(floats, pixels * channels, type, place);
    }
  });
}

}  // namespace pronghorn::ops
