// One table of kernels per ISA.
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

#define KERNEL(result, name, arguments) result name arguments;
#define BF16_KERNEL(result, name, arguments)
#define AMX_KERNEL(result, name, arguments)
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL

extern const Kernels table;
const Kernels table = {
#define KERNEL(result, name, arguments) &name,
#define BF16_KERNEL(result, name, arguments) nullptr,
#define AMX_KERNEL(result, name, arguments) nullptr,
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL
};

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
