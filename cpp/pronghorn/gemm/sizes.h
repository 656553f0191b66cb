// Arithmetic of blocks.
#pragma once

#include <cstdint>

namespace pronghorn {

inline int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t round_up(int64_t a, int64_t b) { return divide_up(a, b) * b; }

// Row stride of a copied block: an odd number of cache lines, which keeps its rows out of one cache
// set.
inline int64_t block_stride(int64_t n) { return round_up(n, 32) + 16; }

}  // namespace pronghorn
