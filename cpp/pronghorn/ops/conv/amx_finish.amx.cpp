// Results of convolutions on AMX: whether they can be trusted, and their way to memory.
#include "pronghorn/kernels/amx_conv_types.h"
#include "pronghorn/simd/amx.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Whether y holds a value that is not finite, or one below `least` (>= 0); 0 counts only where
// `least` is not tiny: zeros are common, and what they may lack is too small then.  y: rows x n,
// y_stride floats apart.
bool conv_is_suspect(const float* y, int64_t rows, int64_t y_stride, int64_t n, float least) {
  constexpr int32_t kInfinity = 0x7f800000;
  // As integers, less 1 where zero is to be the largest.
  const int32_t offset = least >= 0x1p-60f ? 0 : 1;
  const UVec limit = (UVec)(bits_of(broadcast(least)) - offset);
  IVec largest{};
  UVec smallest = UVec{} - 1u;
  const auto see = [&](Vec v) PRONGHORN_LAMBDA_INLINE {
    const IVec bits = bits_of(abs(v));
    largest = max(largest, bits);
    smallest = (UVec)_mm512_maskz_min_epu32(kAllLanes, (__m512i)smallest, (__m512i)(bits - offset));
  };
  for (int64_t r = 0; r < rows; ++r, y += y_stride) {
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) see(load(y + i));
    if (i < n) see(load_part(y + i, n - i));
  }
  return any(largest >= kInfinity) || (least > 0 && any((Mask)(smallest < limit)));
}

// y(r, i) = x(r, i), as float or rounded to bfloat16.  x: rows x n, x_stride apart. `streams`: y,
// 64-byte aligned with n and y_stride multiples of 32, goes past the caches.
void conv_store(const float* x, int64_t rows, int64_t x_stride, int64_t n, void* y,
                int64_t y_stride, bool to_bfloat16, bool streams) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride) {
    if (to_bfloat16) {
      uint16_t* to = static_cast<uint16_t*>(y) + r * y_stride;
      if (streams) {
        for (int64_t i = 0; i < n; i += 2 * kLanes) {
          const __m512bh v = _mm512_cvtne2ps_pbh((__m512)load(x + i + kLanes), (__m512)load(x + i));
          _mm512_stream_si512(reinterpret_cast<__m512i*>(to + i), (__m512i)v);
        }
        continue;
      }
      for (int64_t i = 0; i < n; i += kLanes) {
        const __mmask16 mask =
            n - i >= kLanes ? kAllLanes : static_cast<__mmask16>((1u << (n - i)) - 1u);
        const __m512 v = _mm512_maskz_loadu_ps(mask, x + i);
        _mm256_mask_storeu_epi16(to + i, mask, (__m256i)_mm512_maskz_cvtneps_pbh(mask, v));
      }
      continue;
    }
    float* to = static_cast<float*>(y) + r * y_stride;
    int64_t i = 0;
    if (streams) {
      for (; i < n; i += kLanes) _mm512_stream_ps(to + i, (__m512)load(x + i));
    } else {
      for (; i + kLanes <= n; i += kLanes) store(to + i, load(x + i));
      if (i < n) store_part(to + i, load_part(x + i, n - i), n - i);
    }
  }
  if (streams) _mm_sfence();
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
