// Conversions between float tiles and the element types of memory. Include only from *.simd.cpp.
#pragma once

#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

template <typename T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kLanes * sizeof(T))));
};
using Half = VectorOf<uint16_t>::type;

PRONGHORN_INLINE IVec widen(Half x) { return __builtin_convertvector(x, IVec); }
PRONGHORN_INLINE Half narrow(IVec x) { return __builtin_convertvector(x, Half); }

PRONGHORN_INLINE Vec from_bfloat16(Half x) { return from_bits(widen(x) << 16); }

// Nearest even; NaN stays NaN. The low 16 bits of the result are 0.
PRONGHORN_INLINE Vec round_to_bfloat16(Vec x) {
  const IVec bits = bits_of(x);
  const IVec rounded = bits + 0x7fff + ((bits >> 16) & 1);
  return from_bits(select(x != x, bits | 0x400000, rounded) & static_cast<int32_t>(0xffff0000u));
}
PRONGHORN_INLINE Half to_bfloat16(Vec x) {
  return narrow((bits_of(round_to_bfloat16(x)) >> 16) & 0xffff);
}

PRONGHORN_INLINE Vec from_float16(Half x) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Vec)_mm512_maskz_cvtph_ps(kAllLanes, (__m256i)x);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Vec)_mm256_cvtph_ps((__m128i)x);
#else
  const IVec bits = widen(x);
  const IVec magnitude = bits & 0x7fff;
  const IVec normal = (magnitude << 13) + (112 << 23);
  const IVec small =
      bits_of(to_float(magnitude) * 0x1p-24f);  // zero and subnormals are multiples of 2^-24
  const IVec special = normal + (112 << 23);
  const IVec unsigned_bits =
      select(magnitude < 0x400, small, select(magnitude < 0x7c00, normal, special));
  return from_bits(unsigned_bits | ((bits & 0x8000) << 16));
#endif
}

// Nearest even.
PRONGHORN_INLINE Half to_float16(Vec x) {
#if defined(PRONGHORN_ISA_AVX512)
  return (Half)_mm512_maskz_cvtps_ph(kAllLanes, (__m512)x,
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#elif defined(PRONGHORN_ISA_AVX2)
  return (Half)_mm256_cvtps_ph((__m256)x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
#else
  const IVec sign = (bits_of(x) >> 16) & 0x8000;
  const IVec bits = bits_of(x) & 0x7fffffff;
  const IVec normal = (bits + 0xfff + ((bits >> 13) & 1) - 0x38000000) >> 13;
  const IVec small = bits_of(from_bits(bits) + 0.5f) -
                     0x3f000000;  // the float adder rounds to a multiple of 2^-24
  IVec half = select(bits < 0x38800000, small, normal);
  half = select(bits >= 0x477ff000, IVec{} + 0x7c00, half);  // 65520 and more
  half = select(bits > 0x7f800000, IVec{} + 0x7e00, half);
  return narrow(half | sign);
#endif
}
PRONGHORN_INLINE Vec round_to_float16(Vec x) { return from_float16(to_float16(x)); }

using Bytes = VectorOf<uint8_t>::type;
using SignedBytes = VectorOf<int8_t>::type;

// Of __builtin_convertvector from bytes GCC makes lane by lane moves.
PRONGHORN_INLINE IVec widen(Bytes x) {
#if defined(PRONGHORN_ISA_AVX512)
  return (IVec)_mm512_maskz_cvtepu8_epi32(kAllLanes, (__m128i)x);
#elif defined(PRONGHORN_ISA_AVX2)
  int64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (IVec)_mm256_cvtepu8_epi32(_mm_cvtsi64_si128(bits));
#elif defined(__x86_64__)
  int32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return (IVec)_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bits));
#else
  return __builtin_convertvector(x, IVec);
#endif
}
PRONGHORN_INLINE IVec widen(SignedBytes x) { return (widen((Bytes)x) << 24) >> 24; }

template <typename T>
PRONGHORN_INLINE typename VectorOf<T>::type load_vector(const void* p) {
  typename VectorOf<T>::type v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <typename T>
PRONGHORN_INLINE void store_vector(void* p, typename VectorOf<T>::type v) {
  std::memcpy(p, &v, sizeof v);
}

// One vector from and to memory of type T. Float to integer truncates, saturates, and turns NaN to
// 0.
template <typename T>
struct Element {
  using Storage = T;
  PRONGHORN_INLINE static Vec load(const void* p) {
    typename VectorOf<T>::type
        v;  // not returned by a function: of 8-byte elements it is larger than a register
    std::memcpy(&v, p, sizeof v);
    if constexpr (sizeof(T) == 1) {
      return to_float(widen(v));
    } else {
      return __builtin_convertvector(v, Vec);
    }
  }
  PRONGHORN_INLINE static void store(void* p, Vec x) {
    constexpr double kLow =
        T(-1) < T(0) ? -static_cast<double>(uint64_t{1} << (8 * sizeof(T) - 1)) : 0.0;
    constexpr double kEnd =
        T(-1) < T(0) ? -kLow : 2.0 * static_cast<double>(uint64_t{1} << (8 * sizeof(T) - 1));
    if constexpr (sizeof(T) <= 2) {
      const Vec clamped = min(max(select(x == x, x, Vec{}), broadcast(static_cast<float>(kLow))),
                              broadcast(static_cast<float>(kEnd - 1.0)));
      store_vector<T>(p, __builtin_convertvector(to_int(clamped), typename VectorOf<T>::type));
    } else {
      float lane[kLanes];
      std::memcpy(lane, &x, sizeof x);
      constexpr uint64_t kHalf = uint64_t{1} << (8 * sizeof(T) - 1);
      constexpr T kMost = static_cast<T>(T(-1) < T(0) ? kHalf - 1 : ~uint64_t{0});
      for (int i = 0; i < kLanes; ++i) {
        const float value = lane[i];
        T result = 0;
        if (value >= static_cast<float>(kEnd)) {
          result = kMost;
        } else if (value <= static_cast<float>(kLow)) {
          result = static_cast<T>(kLow);
        } else if (value == value) {
          result = static_cast<T>(value);
        }
        std::memcpy(static_cast<char*>(p) + static_cast<size_t>(i) * sizeof(T), &result, sizeof(T));
      }
    }
  }
};

template <>
struct Element<bool> {
  using Storage = uint8_t;
  PRONGHORN_INLINE static Vec load(const void* p) {
    return to_float(widen(load_vector<uint8_t>(p)));
  }
  PRONGHORN_INLINE static void store(void* p, Vec x) {
    store_vector<uint8_t>(p, __builtin_convertvector((x != 0.0f) & 1, Bytes));
  }
};
template <>
struct Element<float> {
  using Storage = float;
  PRONGHORN_INLINE static Vec load(const void* p) { return load_vector<float>(p); }
  PRONGHORN_INLINE static void store(void* p, Vec x) { store_vector<float>(p, x); }
};
struct Bfloat16Tag {};
struct Float16Tag {};
template <>
struct Element<Bfloat16Tag> {
  using Storage = uint16_t;
  PRONGHORN_INLINE static Vec load(const void* p) {
    return from_bfloat16(load_vector<uint16_t>(p));
  }
  PRONGHORN_INLINE static void store(void* p, Vec x) { store_vector<uint16_t>(p, to_bfloat16(x)); }
};
template <>
struct Element<Float16Tag> {
  using Storage = uint16_t;
  PRONGHORN_INLINE static Vec load(const void* p) { return from_float16(load_vector<uint16_t>(p)); }
  PRONGHORN_INLINE static void store(void* p, Vec x) { store_vector<uint16_t>(p, to_float16(x)); }
};

// f.operator()<T>() with T such that Element<T> converts that type.
template <typename F>
PRONGHORN_INLINE void dispatch_element(ElementType type, F f) {
  switch (type) {
    case ElementType::kBool: return f.template operator()<bool>();
    case ElementType::kUint8: return f.template operator()<uint8_t>();
    case ElementType::kUint16: return f.template operator()<uint16_t>();
    case ElementType::kUint32: return f.template operator()<uint32_t>();
    case ElementType::kInt8: return f.template operator()<int8_t>();
    case ElementType::kInt16: return f.template operator()<int16_t>();
    case ElementType::kInt32: return f.template operator()<int32_t>();
    case ElementType::kInt64: return f.template operator()<int64_t>();
    case ElementType::kFloat16: return f.template operator()<Float16Tag>();
    case ElementType::kBfloat16: return f.template operator()<Bfloat16Tag>();
    case ElementType::kFloat32: return f.template operator()<float>();
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
