// Operands that are packed once and read by the products of many runs.
#include <algorithm>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/gemm/x3.h"
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

bool in_parts(const GemmShape& shape) { return shape.bfloat16 || shape.engine == GemmEngine::kX3; }

}  // namespace

std::optional<GemmEngine> engine_for_packed(const GemmShape& shape) {
  if (shape.batch.size() != 1 || shape.fills_a || shape.packed_b || shape.m == 0 || shape.n == 0 ||
      shape.k == 0) {
    return {};
  }
  if (shape.bfloat16) return GemmEngine::kAny;
  if (pays_x3(shape, true)) return GemmEngine::kX3;
  if (shape.m >= kMinRows && shape.m <= kMaxRows && shape.n >= kernels().gemm_panel_columns() &&
      shape.k * shape.n >= kMinFloats) {
    return GemmEngine::kFma;
  }
  return {};
}

int64_t packed_bytes(const GemmShape& shape) {
  if (in_parts(shape)) return packed_bytes_x3(shape);
  return round_up(shape.n, kernels().gemm_panel_columns()) * shape.k *
         static_cast<int64_t>(sizeof(float));
}

void pack_operand(const GemmShape& shape, const void* b, void* packed) noexcept {
  if (in_parts(shape)) return pack_operand_x3(shape, b, packed);
  const int64_t columns = kernels().gemm_panel_columns();
  const int64_t panel = shape.k * columns;
  const int64_t at_once = std::max<int64_t>(1, kPieceFloats / std::max<int64_t>(panel, 1));
  const int64_t b_depth = shape.transpose_b ? 1 : shape.b_stride;
  const int64_t b_col = shape.transpose_b ? shape.b_stride : 1;
  parallel_ranges(divide_up(shape.n, columns), at_once, panel * 4, [&](int64_t begin, int64_t end) {
    const int64_t col = begin * columns;
    kernels().pack_columns(static_cast<const float*>(b) + col * b_col, b_depth, b_col, shape.k,
                           std::min(end * columns, shape.n) - col,
                           static_cast<float*>(packed) + begin * panel, panel);
  });
}

}  // namespace pronghorn
