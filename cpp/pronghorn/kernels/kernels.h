// The table of inner loops. kernel_list.inc names them once; every *.simd.cpp defines them in the
// namespace of the ISA it is compiled for; kernels() gives the table of the active ISA.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pronghorn/kernels/amx_conv_types.h"
#include "pronghorn/kernels/amx_types.h"
#include "pronghorn/kernels/fft_types.h"
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/kernels/pool_types.h"

namespace pronghorn {

struct Kernels {
#define KERNEL(result, name, arguments) result(*name) arguments;
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL
};

const Kernels& kernels();

}  // namespace pronghorn
