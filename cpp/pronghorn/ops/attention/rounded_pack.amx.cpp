// Blocks of float32 as panels of bfloat16.
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE int64_t clamp(int64_t n) { return n < 0 ? 0 : n < kLanes ? n : kLanes; }

// Pairs of operand A: k contiguous.
PRONGHORN_INLINE IVec pairs_along(const float* row, int64_t k, int64_t depth) {
  const int64_t high = clamp(depth - k - kTileSide);
  const Vec first = load_part(row + k, clamp(depth - k));
  const Vec second = high > 0 ? load_part(row + k + kTileSide, high) : zero();
  return (IVec)(__m512i)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

}  // namespace

// float32 as bfloat16_pack would pack it after rounding.  Contiguous are the k of A and the lines
// of B.
void rounded_pack(const X3Pack& x) {
  const auto* from = static_cast<const float*>(x.x);
  for (int64_t line = 0; line < x.lines; line += kTileSide) {
    const int64_t lines = clamp(x.lines - line);
    char* panel =
        x.packed + line / kX3Lines * x.panel_bytes + line % kX3Lines / kTileSide * kTileBytes;
    for (int64_t i = 0; i < kTileSide; ++i) {
      for (int64_t k = 0; k < x.depth; k += kX3Depth) {
        IVec pairs{};
        if (x.is_b) {
          const int64_t at = k + 2 * i;
          const float* low = from + line + at * x.depth_stride;
          const Vec first = at < x.depth ? load_part(low, lines) : zero();
          const Vec second = at + 1 < x.depth ? load_part(low + x.depth_stride, lines) : zero();
          pairs = to_bfloat16_pairs(first, second);
        } else if (i < lines) {
          pairs = pairs_along(from + (line + i) * x.line_stride, k, x.depth);
        }
        store(reinterpret_cast<int32_t*>(panel + k / kX3Depth * kX3PartBytes + i * kTileRowBytes),
              pairs);
      }
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
