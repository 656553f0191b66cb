// Integer class labels of any dtype as int32.
#pragma once

#include <cstdint>

#include "pronghorn/base/dtype.h"

namespace pronghorn::ops {

// to[i - begin] = labels[i] for i in [begin, end); -1 for a label outside [0, classes).
inline void load_labels(DType dtype, const void* labels, int64_t begin, int64_t end,
                        int64_t classes, int32_t* to) {
  dispatch_dtype(dtype, [&]<typename T>() {
    if constexpr (std::is_integral_v<T>) {
      const T* from = static_cast<const T*>(labels);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t label = static_cast<int64_t>(from[i]);
        to[i - begin] = label >= 0 && label < classes ? static_cast<int32_t>(label) : -1;
      }
    }
  });
}

}  // namespace pronghorn::ops
