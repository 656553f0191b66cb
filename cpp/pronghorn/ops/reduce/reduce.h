// Reductions over axes, as a sequence of stages that each reduce the middle of (outer, n, inner).
// Long reductions go by chunks of fixed length whose results a later stage reduces: the error stays
// small, threads have work, and the bits do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "pronghorn/base/dtype.h"
#include "pronghorn/base/shape.h"
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/tile/prologue.h"

namespace pronghorn::ops {

// y(o, c, j) = reduction of x(o, i, j) over i in chunk c.  x: (outer, n, inner), y: (outer, chunks,
// inner).
struct ReduceStage {
  int64_t outer;
  int64_t n;
  int64_t inner;
  int64_t chunk;  // length of a chunk, the last one may be shorter
  int64_t chunks;
};

struct ReducePlan {
  ReduceKind kind;
  DType dtype;
  std::vector<ReduceStage> stages;
  int64_t size;     // elements of the result
  int64_t reduced;  // elements of x per element of the result
  bool is_mean;
  size_t workspace;                        // bytes
  std::shared_ptr<const TilePlan> source;  // computes x; null: x is in memory
};

// axes: sorted, in [0, rank).
ReducePlan plan_reduce(ReduceKind kind, bool is_mean, DType dtype, const Shape& shape,
                       const std::vector<int64_t>& axes);

// inputs: x, or the operands of the plan's source. Uses threads. They do not overlap y.
void reduce(const ReducePlan& plan, const void* const* inputs, void* y, void* workspace);

}  // namespace pronghorn::ops
