// Products through AMX: of bfloat16, and of float32 split into three bfloat16 parts each, which is
// as accurate as a plain float32 product and faster where packing both operands is small beside it.
#pragma once

#include <memory>

#include "pronghorn/gemm/gemm.h"

namespace pronghorn {

// Null unless this engine is the one to use: asked for, or left open and expected to be faster.
std::shared_ptr<const X3Plan> plan_x3(const GemmShape& shape);

// Whether a float32 product of that shape is faster through AMX, with B packed ahead or not.
bool pays_x3(const GemmShape& shape, bool packed_b);

int64_t columns_of(const X3Plan& plan);   // of a block of C that one task computes
size_t workspace_of(const X3Plan& plan);  // bytes

// See pack_operand.
int64_t packed_bytes_x3(const GemmShape& shape);
void pack_operand_x3(const GemmShape& shape, const void* b, void* packed) noexcept;

void run_x3(const GemmShape& shape, const X3Plan& plan, const GemmOperands& operands) noexcept;

}  // namespace pronghorn
