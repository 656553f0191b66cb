#include "pronghorn/base/cpu.h"

#include <cstdlib>
#include <string>

#include "pronghorn/base/error.h"

#if defined(PRONGHORN_AMX)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace pronghorn {
namespace {

constexpr std::string_view kNames[] = {"baseline", "avx2", "avx512", "avx512_bf16", "avx512_amx"};

#if defined(PRONGHORN_AMX)
// The processor has the instructions (beside AVX512-BF16), the kernel saves the tiles, and it let
// this process use them (Linux gives no tiles to those who did not ask). Anything unexpected means
// no.
bool may_use_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kOsSavesState = 1u << 27;
  if (!__get_cpuid(1, &a, &b, &c, &d) || (c & kOsSavesState) == 0) return false;
  constexpr unsigned kAmx = 1u << 22 | 1u << 24;  // bfloat16, tiles
  unsigned subleaves = 0;
  if (!__get_cpuid_count(7, 0, &subleaves, &b, &c, &d) || (d & kAmx) != kAmx || subleaves < 1) {
    return false;
  }
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr uint32_t kTiles = 1u << 17 | 1u << 18;  // configuration, data
  if ((low & kTiles) != kTiles) return false;
  constexpr long kGetPermission = 0x1022, kRequestPermission = 0x1023, kTileData = 18;
  if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0) return false;
  uint64_t permitted = 0;
  return syscall(SYS_arch_prctl, kGetPermission, &permitted) == 0 && (permitted >> kTileData & 1);
}
#endif

std::vector<Isa> detect() {
  std::vector<Isa> isas = {Isa::kBaseline};
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
      __builtin_cpu_supports("bmi2")) {
    isas.push_back(Isa::kAvx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
      isas.push_back(Isa::kAvx512);
#if defined(PRONGHORN_BF16)
      if (__builtin_cpu_supports("avx512bf16")) {
        isas.push_back(Isa::kAvx512Bf16);
#if defined(PRONGHORN_AMX)
        if (may_use_amx()) isas.push_back(Isa::kAvx512Amx);
#endif
      }
#endif
    }
  }
#endif
  return isas;
}

Isa choose() {
  const auto& isas = available_isas();
  const char* wanted = std::getenv("PRONGHORN_ISA");
  if (wanted == nullptr || *wanted == '\0') return isas.back();
  std::string names;
  for (const Isa isa : isas) {
    if (name_of(isa) == wanted) return isa;
    names += concat(names.empty() ? "" : ", ", name_of(isa));
  }
  value_error("PRONGHORN_ISA: expected one of ", names, " on this machine. Received: '", wanted,
              "'.");
}

}  // namespace

std::string_view name_of(Isa isa) { return kNames[static_cast<int>(isa)]; }

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> isas = detect();
  return isas;
}

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

}  // namespace pronghorn
