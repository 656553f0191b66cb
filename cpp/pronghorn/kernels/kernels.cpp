#include "pronghorn/kernels/kernels.h"

#include "pronghorn/base/cpu.h"

namespace pronghorn {

namespace baseline {
extern const Kernels table;
}
#if defined(__x86_64__)
namespace avx2 {
extern const Kernels table;
}
namespace avx512 {
extern const Kernels table;
}
#endif

const Kernels& kernels() {
  static const Kernels& active = []() -> const Kernels& {
    switch (active_isa()) {
#if defined(__x86_64__)
      case Isa::kAvx512Amx:
      case Isa::kAvx512: return avx512::table;
      case Isa::kAvx2: return avx2::table;
#endif
      default: return baseline::table;
    }
  }();
  return active;
}

}  // namespace pronghorn
