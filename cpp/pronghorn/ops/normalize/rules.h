// What the normalizations share: shape checks, and the gradient of their gradient ops.
#pragma once

#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {

// An error unless operand i is float32 of that shape, or of 16 bits where the op converts.
void expect_float32(const OpCall& call, size_t i, const Shape& shape, std::string_view what);

// All axes but the last one.
std::vector<int64_t> leading_axes(int rank);

// Operands of a gradient op, and the gradients that reach its results. mean has no value if the
// norm is not centered.
struct NormGrad {
  Value x, gamma, mean, rstd, dy;  // mean, rstd: of a shape that broadcasts against x
  Value d_dx, d_dgamma, d_dbeta;   // any may have no value
  std::vector<int64_t> axes;       // over which mean and rstd were taken
};

// With respect to x, gamma, mean, rstd, dy; mean and rstd of their shapes in NormGrad, taken as
// independent.
std::vector<Value> norm_grad_gradient(Builder& g, const NormGrad& call);

}  // namespace pronghorn::ops
