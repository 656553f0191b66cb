// The table of the level avx512_amx: that of avx512_bf16, and the kernels that only AMX has.
#include "pronghorn/kernels/kernels.h"

namespace pronghorn {

namespace avx512 {
#define KERNEL(result, name, arguments) result name arguments;
#define BF16_KERNEL(result, name, arguments)
#define AMX_KERNEL(result, name, arguments)
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL
}  // namespace avx512

namespace avx512_bf16 {
#define KERNEL(result, name, arguments)
#define BF16_KERNEL(result, name, arguments) result name arguments;
#define AMX_KERNEL(result, name, arguments)
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL
}  // namespace avx512_bf16

namespace avx512_amx {

#define KERNEL(result, name, arguments)
#define BF16_KERNEL(result, name, arguments)
#define AMX_KERNEL(result, name, arguments) result name arguments;
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL

extern const Kernels table;
const Kernels table = {
#define KERNEL(result, name, arguments) &avx512::name,
#define BF16_KERNEL(result, name, arguments) &avx512_bf16::name,
#define AMX_KERNEL(result, name, arguments) &name,
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL
};

}  // namespace avx512_amx
}  // namespace pronghorn
