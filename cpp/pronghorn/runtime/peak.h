// What the machine reaches at most with the active kernels and the current number of threads,
// measured: the limits that benches compare ops with.
#pragma once

#include <cstddef>

namespace pronghorn {

// float32 multiplications and additions in registers, GFLOP/s.
double peak_multiply_add();

// The same over a quarter of a second without a pause, at the clock that long products run at.
double sustained_multiply_add();

// bfloat16 products of tiles in registers, GFLOP/s, or dot products of pairs where there are
// no tiles; 0 where the active kernels have neither.
double peak_multiply_tiles();

// Reading `bytes` again and again, each thread its own part, GB/s.
double peak_read(size_t bytes);

// Copying `bytes`, each thread its own part, GB/s read and written.
double peak_copy(size_t bytes);

}  // namespace pronghorn
