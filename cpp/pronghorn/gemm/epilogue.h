// What is done to a block of a matrix product's result while it is in cache.
#pragma once

#include <cstdint>

namespace pronghorn {

// The result is seen as a matrix: rows = all dimensions but the last, columns = the last. `block`
// is its element (row0, col0); rows of the block are row_stride floats apart. Null apply: nothing
// is done.
struct Epilogue {
  void (*apply)(const void* context, float* block, int64_t row0, int64_t rows, int64_t col0,
                int64_t cols, int64_t row_stride) noexcept = nullptr;
  const void* context = nullptr;
};

}  // namespace pronghorn
