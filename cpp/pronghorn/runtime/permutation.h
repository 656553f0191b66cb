// A random order of rows, for training on shuffled data.
#pragma once

#include <cstdint>
#include <span>

namespace pronghorn {

// Fills `order` with 0, 1, 2, ... in an order in which each permutation is equally likely, as far
// as 64 bits of key can tell them apart. The same key gives the same order anywhere. Fewer than
// 2^32 rows.
void random_permutation(uint32_t seed, uint32_t stream, std::span<int64_t> order);

}  // namespace pronghorn
