// Plain structs that kernels take as arguments. No functions here: an inline function would be compiled for several ISAs
// and merged by the linker.
#pragma once

#include <cstdint>

namespace pronghorn {}  // namespace pronghorn
