// Random words for the kernels of this folder. Included by *.simd.cpp only.
#pragma once

#include <cstdint>

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

void philox_words(uint32_t seed, uint32_t stream, uint64_t first, int64_t blocks, uint32_t* words);

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
