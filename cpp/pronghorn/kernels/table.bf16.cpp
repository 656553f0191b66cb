// The table of the level avx512_bf16: that of avx512, and the kernels that AVX512-BF16 has.
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

extern const Kernels table;
const Kernels table = {
#define KERNEL(result, name, arguments) &avx512::name,
#define BF16_KERNEL(result, name, arguments) &name,
#define AMX_KERNEL(result, name, arguments) nullptr,
#include "pronghorn/kernels/kernel_list.inc"
#undef KERNEL
};

}  // namespace avx512_bf16
}  // namespace pronghorn
