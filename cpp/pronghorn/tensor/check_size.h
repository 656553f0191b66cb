// Sizes that a tensor can have.
#pragma once

#include <string_view>

#include "pronghorn/tensor/tensor.h"

namespace pronghorn {

// Bytes of the address space. Numbers up to it can be added without an overflow.
inline constexpr int64_t kMaxTensorBytes = int64_t{1} << 47;

// A ValueError unless the sizes are valid and the tensor could fit into memory; dimensions of size
// 0 count as 1.
void check_size(std::string_view op, const TensorType& type);

}  // namespace pronghorn
