// Copies a box of elements between two strided layouts: the work of transpose, broadcast_to, slice,
// flip, concatenate, pad and their like.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "pronghorn/base/shape.h"

namespace pronghorn::ops {

// dst[dst_offset + sum i_d dst_d] = src[src_offset + sum i_d src_d] over all i_d in [0, size_d).
// All in bytes: a contiguous run of `run` bytes is the unit. Dimensions outermost first; merged
// where both layouts allow it; none of size 1.
struct StridedCopy {
  struct Dim {
    int64_t size;
    int64_t src;  // 0: repeated; negative: reversed
    int64_t dst;
  };
  std::array<Dim, kMaxRank + 1> dims;
  int rank = 0;
  int64_t run = 0;  // 0: nothing to copy
  int64_t src_offset = 0;
  int64_t dst_offset = 0;
  int transposed =
      -1;  // a dimension along which src is contiguous while dst is along the last one; -1: none
};

// Strides and offsets in elements of `element` bytes.
StridedCopy plan_copy(size_t element, const Shape& sizes, const Shape& src_strides,
                      const Shape& dst_strides, int64_t src_offset = 0, int64_t dst_offset = 0);

// src and dst do not overlap. Uses threads.
void copy_strided(const StridedCopy& plan, const void* src, void* dst);

// n copies of the element at `value` to dst. Uses threads.
void fill_elements(void* dst, const void* value, size_t element, int64_t n);

}  // namespace pronghorn::ops
