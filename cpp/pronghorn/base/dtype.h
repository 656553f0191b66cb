// Element types of tensors, and the conversions of the 16-bit floats.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <ostream>
#include <string_view>

namespace pronghorn {

enum class DType : uint8_t {
  kBool,  // one byte, 0 or 1
  kUint8,
  kUint16,
  kUint32,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFloat16,
  kBfloat16,
  kFloat32,
};
inline constexpr int kDTypeCount = 11;

constexpr size_t size_of(DType dtype) {
  constexpr size_t sizes[kDTypeCount] = {1, 1, 2, 4, 1, 2, 4, 8, 2, 2, 4};
  return sizes[static_cast<int>(dtype)];
}

constexpr bool is_float(DType dtype) { return dtype >= DType::kFloat16; }
constexpr bool is_half(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBfloat16;
}
constexpr bool is_integer(DType dtype) { return dtype > DType::kBool && dtype < DType::kFloat16; }

// "float32", "bfloat16", "bool", ...
std::string_view name_of(DType dtype);
std::optional<DType> parse_dtype(std::string_view name);
inline std::ostream& operator<<(std::ostream& out, DType dtype) { return out << name_of(dtype); }

// Storage types of the 16-bit floats: bits only, arithmetic happens in float.
struct Bfloat16 {
  uint16_t bits;
};
struct Float16 {
  uint16_t bits;
};

inline float to_float(Bfloat16 x) {
  const uint32_t bits = static_cast<uint32_t>(x.bits) << 16;
  float y;
  std::memcpy(&y, &bits, sizeof y);
  return y;
}

// Rounds to nearest even; NaN stays NaN.
inline Bfloat16 to_bfloat16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>((bits >> 16) | 0x40u)};
  bits += 0x7fffu + ((bits >> 16) & 1u);
  return {static_cast<uint16_t>(bits >> 16)};
}

float to_float(Float16 x);
Float16 to_float16(float x);  // rounds to nearest even

// dispatch(dtype, [&]<typename T>() { ... }) calls the function with the storage type of dtype.
template <typename F>
decltype(auto) dispatch_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kBool: return f.template operator()<bool>();
    case DType::kUint8: return f.template operator()<uint8_t>();
    case DType::kUint16: return f.template operator()<uint16_t>();
    case DType::kUint32: return f.template operator()<uint32_t>();
    case DType::kInt8: return f.template operator()<int8_t>();
    case DType::kInt16: return f.template operator()<int16_t>();
    case DType::kInt32: return f.template operator()<int32_t>();
    case DType::kInt64: return f.template operator()<int64_t>();
    case DType::kFloat16: return f.template operator()<Float16>();
    case DType::kBfloat16: return f.template operator()<Bfloat16>();
    case DType::kFloat32: break;
  }
  return f.template operator()<float>();
}

}  // namespace pronghorn
