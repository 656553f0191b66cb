// Panels of floats rounded to one bfloat16 part.
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE int64_t clamp(int64_t n) { return n < 0 ? 0 : n < kLanes ? n : kLanes; }

}  // namespace

// As x3_pack, float32 to panels of one part each, in steps of kX3PartBytes; largest is left alone.
// Contiguous are the k of A's lines and the lines of B.
void rounded_pack(const X3Pack& x) {
  const auto* from = static_cast<const float*>(x.x);
  for (int64_t line = 0; line < x.lines; line += kTileSide) {
    const int64_t lines = clamp(x.lines - line);
    char* panel =
        x.packed + line / kX3Lines * x.panel_bytes + line % kX3Lines / kTileSide * kTileBytes;
    for (int64_t k = 0; k < x.depth; k += kX3Depth) {
      char* tile = panel + k / kX3Depth * kX3PartBytes;
      const int64_t low = clamp(x.depth - k);
      const int64_t high = clamp(x.depth - k - kTileSide);
      const float* at = from + line * x.line_stride + k * x.depth_stride;
      for (int64_t i = 0; i < kTileSide; ++i) {
        Vec first = zero();
        Vec second = zero();
        if (x.is_b) {
          if (i < low) first = load_part(at + i * x.depth_stride, lines);
          if (i < high) second = load_part(at + (i + kTileSide) * x.depth_stride, lines);
        } else if (i < lines) {
          first = load_part(at + i * x.line_stride, low);
          if (high > 0) second = load_part(at + i * x.line_stride + kTileSide, high);
        }
        store(reinterpret_cast<int32_t*>(tile + i * kTileRowBytes),
              to_bfloat16_pairs(first, second));
      }
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
