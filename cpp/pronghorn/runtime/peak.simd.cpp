// Multiplications and additions in registers, as many as the ISA does at most.
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// Runs `rounds` rounds of independent x = x * a + b and returns the operations of a round. sink:
// kLanes floats.
int64_t multiply_add_rounds(int64_t rounds, float* sink) {
  constexpr int kChains = 12;  // more than latency times units on every machine that has the level
  const Vec a = broadcast(0.5f), b = broadcast(1.0f);
  Vec x[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) x[i] = broadcast(static_cast<float>(i));
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) x[i] = x[i] * a + b;
  }
  Vec sum = x[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) sum += x[i];
  store(sink, sum);
  return int64_t{2} * kLanes * kChains;
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
