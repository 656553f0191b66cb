// Operands that are packed once and read by the products of many runs.
#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {
namespace {

// Smaller matrices stay in the L2 cache, where their rows are read as fast as panels (64x64 to
// 256x256: 0.97 to 1.05 times as fast); 1024x1024 was 1.2 to 1.6 times as fast with 8 to 64 rows.
constexpr int64_t kMinFloats = 1 << 17;
// Fewer rows wait for memory either way; more of them pay for packing in every run.
constexpr int64_t kMinRows = 7;
constexpr int64_t kMaxRows = 256;
constexpr int64_t kPieceFloats = 1 << 16;

}  // namespace

bool worth_packing(const GemmShape& shape) {
  return shape.batch.size() == 1 && !shape.fills_a && !shape.packed_b && shape.m >= kMinRows &&
         shape.m <= kMaxRows && shape.n >= kernels().gemm_panel_columns() &&
         shape.k * shape.n >= kMinFloats && plan_gemm(shape).x3 == nullptr;
}

PackedSizes packed_sizes(int64_t k, int64_t n) {
  const int64_t columns = kernels().gemm_panel_columns();
  return {divide_up(n, columns), k, columns};
}

void pack_operand(const float* b, int64_t b_stride, bool transpose_b, int64_t k, int64_t n,
                  float* packed) noexcept {
  const PackedSizes sizes = packed_sizes(k, n);
  const int64_t panel = k * sizes.columns;
  const int64_t at_once = std::max<int64_t>(1, kPieceFloats / std::max<int64_t>(panel, 1));
  parallel_ranges(sizes.panels, at_once, panel * 4, [&](int64_t begin, int64_t end) {
    const int64_t col = begin * sizes.columns;
    kernels().pack_columns(b + col * (transpose_b ? b_stride : 1), transpose_b ? 1 : b_stride,
                           transpose_b ? b_stride : 1, k, std::min(end * sizes.columns, n) - col,
                           packed + begin * panel, panel);
  });
}

}  // namespace pronghorn
