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
#if defined(PRONGHORN_BF16)
namespace avx512_bf16 {
extern const Kernels table;
}
#endif
#if defined(PRONGHORN_AMX)
namespace avx512_amx {
extern const Kernels table;
}
#endif
#endif

const Kernels& kernels() {
  static const Kernels& active = []() -> const Kernels& {
    switch (active_isa()) {
#if defined(__x86_64__)
#if defined(PRONGHORN_AMX)
      case Isa::kAvx512Amx: return avx512_amx::table;
#endif
#if defined(PRONGHORN_BF16)
      case Isa::kAvx512Bf16: return avx512_bf16::table;
#endif
      case Isa::kAvx512: return avx512::table;
      case Isa::kAvx2: return avx2::table;
#endif
      default: return baseline::table;
    }
  }();
  return active;
}

}  // namespace pronghorn
