// Which instruction set the kernels use. Chosen once, at the first call.
#pragma once

#include <string_view>
#include <vector>

namespace pronghorn {

enum class Isa { kBaseline, kAvx2, kAvx512, kAvx512Bf16, kAvx512Amx };

std::string_view name_of(Isa isa);

// Levels that this build holds and this machine runs, lowest first.
const std::vector<Isa>& available_isas();

// The highest available level, or the one that PRONGHORN_ISA names (an error if it is unknown or
// missing here).
Isa active_isa();

}  // namespace pronghorn
