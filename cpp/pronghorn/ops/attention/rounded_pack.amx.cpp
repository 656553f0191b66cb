// Attention weights as panels of bfloat16.
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

PRONGHORN_INLINE int64_t clamp(int64_t n) { return n < 0 ? 0 : n < kLanes ? n : kLanes; }

}  // namespace

// Rows of float32 as bfloat16_pack would pack them after rounding: operand A, k contiguous.
void rounded_pack(const X3Pack& x) {
  const auto* from = static_cast<const float*>(x.x);
  for (int64_t line = 0; line < x.lines; line += kTileSide) {
    const int64_t lines = clamp(x.lines - line);
    char* panel =
        x.packed + line / kX3Lines * x.panel_bytes + line % kX3Lines / kTileSide * kTileBytes;
    for (int64_t i = 0; i < kTileSide; ++i) {
      const float* row = from + (line + i) * x.line_stride;
      for (int64_t k = 0; k < x.depth; k += kX3Depth) {
        const int64_t high = clamp(x.depth - k - kTileSide);
        Vec first = zero();
        Vec second = zero();
        if (i < lines) {
          first = load_part(row + k, clamp(x.depth - k));
          if (high > 0) second = load_part(row + k + kTileSide, high);
        }
        const __m512bh pairs = _mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
        store(reinterpret_cast<int32_t*>(panel + k / kX3Depth * kX3PartBytes + i * kTileRowBytes),
              (IVec)(__m512i)pairs);
      }
    }
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
