// Dot products of bfloat16 pairs in registers, as many as AVX512-BF16 does at most.
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Runs `rounds` rounds of independent x += a . b and returns the operations of a round. sink:
// kLanes floats.
int64_t bfloat16_dot_rounds(int64_t rounds, float* sink) {
  constexpr int kChains = 12;  // more than latency times units
  const __m512bh pairs = (__m512bh)broadcast(int32_t{0x3f803f80});
  __m512 x[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) x[i] = _mm512_setzero_ps();
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = _mm512_dpbf16_ps(x[i], pairs, pairs);
  }
  Vec sum = (Vec)x[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) sum += (Vec)x[i];
  store(sink, sum);
  return int64_t{4} * kLanes * kChains;
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
