// Products through AMX: of bfloat16, and of float32 split into three bfloat16 parts each, which is
// as accurate as a plain float32 product and faster where packing both operands is small beside it.
#pragma once

#include <memory>

#include "pronghorn/gemm/gemm.h"

namespace pronghorn {

// Null unless this engine is the one to use: asked for, or left open and expected to be faster.
std::shared_ptr<const X3Plan> plan_x3(const GemmShape& shape);

int64_t columns_of(const X3Plan& plan);   // of a block of C that one task computes
size_t workspace_of(const X3Plan& plan);  // bytes

void run_x3(const GemmShape& shape, const X3Plan& plan, const GemmOperands& operands) noexcept;

}  // namespace pronghorn
