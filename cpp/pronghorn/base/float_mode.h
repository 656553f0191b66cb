// The control word of the floating-point unit: rounding and what happens to subnormals.
#pragma once

#include <cstdint>

namespace pronghorn {

inline uint64_t get_float_mode() {
#if defined(__x86_64__)
  return __builtin_ia32_stmxcsr();
#elif defined(__aarch64__)
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
#else
  return 0;
#endif
}

inline void set_float_mode([[maybe_unused]] uint64_t mode) {
#if defined(__x86_64__)
  __builtin_ia32_ldmxcsr(static_cast<unsigned>(mode));
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(mode));
#endif
}

#if defined(__x86_64__)
inline constexpr uint64_t kFlushSubnormals = 0x8040;  // FTZ, DAZ of MXCSR
#else
inline constexpr uint64_t kFlushSubnormals = uint64_t{1} << 24;  // FZ of FPCR
#endif

}  // namespace pronghorn
