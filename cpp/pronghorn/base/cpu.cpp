#include "pronghorn/base/cpu.h"

#include <cstdlib>
#include <string>

#include "pronghorn/base/error.h"

namespace pronghorn {
namespace {

constexpr std::string_view kNames[] = {"baseline", "avx2", "avx512", "avx512_amx"};

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
