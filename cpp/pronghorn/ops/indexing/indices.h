// Integer indices of any dtype. A negative index counts from the end, as in NumPy; one that is
// still outside is dropped by the ops that write and gives a fill value in those that read. Nothing
// is ever accessed out of bounds.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "pronghorn/base/dtype.h"

namespace pronghorn::ops {

// [0, size), or -1 if the index is outside.
template <typename Index>
int64_t wrapped(Index index, int64_t size) {
  int64_t at = static_cast<int64_t>(index);
  if (at < 0) at += size;
  return at >= 0 && at < size ? at : -1;
}

// Calls f.operator()<Index>() with the integer type of dtype.
template <typename F>
void dispatch_index(DType dtype, F&& f) {
  dispatch_dtype(dtype, [&]<typename T>() {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) f.template operator()<T>();
  });
}

// Calls f.operator()<Unit>() with an unsigned type of that many bytes.
template <typename F>
void dispatch_size(size_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f.template operator()<uint8_t>();
    case 2: return f.template operator()<uint16_t>();
    case 4: return f.template operator()<uint32_t>();
    default: return f.template operator()<uint64_t>();
  }
}

// What reading outside gives: NaN; the lowest signed, the highest unsigned integer; true; or zero.
// As bits of the element.
inline uint64_t fill_bits(DType dtype, bool is_zero) {
  if (is_zero) return 0;
  switch (dtype) {
    case DType::kBool: return 1;
    case DType::kUint8: return 0xff;
    case DType::kUint16: return 0xffff;
    case DType::kUint32: return 0xffffffffu;
    case DType::kInt8: return 0x80;
    case DType::kInt16: return 0x8000;
    case DType::kInt32: return 0x80000000u;
    case DType::kInt64: return uint64_t{1} << 63;
    case DType::kFloat16: return 0x7e00;
    case DType::kBfloat16: return 0x7fc0;
    default: return 0x7fc00000u;
  }
}

// Rows at random places: so many indices ahead, the beginning of a row is brought into the cache.
inline constexpr int64_t kAhead = 12;

template <typename T>
inline void prefetch_row(const T* x, int64_t row_elements, int64_t row) {
#if defined(__GNUC__)
  if (row < 0) return;
  const char* p = reinterpret_cast<const char*>(x + row * row_elements);
  const int64_t bytes = std::min<int64_t>(row_elements * static_cast<int64_t>(sizeof(T)), 512);
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(p + i);
#endif
}

}  // namespace pronghorn::ops
