#include "pronghorn/tensor/check_size.h"

#include <algorithm>

namespace pronghorn {

void check_size(std::string_view op, const TensorType& type) {
  int64_t bytes = static_cast<int64_t>(size_of(type.dtype));
  for (const int64_t dim : type.shape) {
    if (dim < 0) value_error(op, ": sizes must not be negative. Received: ", type, ".");
    if (dim > kMaxTensorBytes / bytes)
      value_error(op, ": a tensor of that size fits into no memory. Received: ", type, ".");
    bytes *= std::max<int64_t>(dim, 1);
  }
}

}  // namespace pronghorn
