// Elementwise loops on integers and bools. Arithmetic wraps as in two's complement; a division by
// zero gives 0; a shift by more than the width gives what shifting step by step would.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/simd/vec.h"
#include "pronghorn/tile/opcodes.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("tree-vectorize", \
                     "vect-cost-model=dynamic")  // -O2 of GCC leaves these loops scalar
#endif

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

// The unsigned type in which arithmetic on T wraps.
template <int bytes>
struct WrapOf {
  using type = uint32_t;
};
template <>
struct WrapOf<8> {
  using type = uint64_t;
};
template <typename T>
using Wrap = typename WrapOf<static_cast<int>(sizeof(T))>::type;

template <typename T>
inline constexpr bool kSigned = T(-1) < T(0);
template <>
inline constexpr bool kSigned<bool> = false;
template <typename T>
inline constexpr int kBits = static_cast<int>(8 * sizeof(T));

template <typename T>
PRONGHORN_INLINE T add(T a, T b) {
  return static_cast<T>(Wrap<T>(a) + Wrap<T>(b));
}
template <typename T>
PRONGHORN_INLINE T subtract(T a, T b) {
  return static_cast<T>(Wrap<T>(a) - Wrap<T>(b));
}
template <typename T>
PRONGHORN_INLINE T multiply(T a, T b) {
  return static_cast<T>(Wrap<T>(a) * Wrap<T>(b));
}
template <typename T>
PRONGHORN_INLINE T negate(T x) {
  return static_cast<T>(Wrap<T>(0) - Wrap<T>(x));
}
template <typename T>
PRONGHORN_INLINE T absolute(T x) {
  if constexpr (kSigned<T>) return x < 0 ? negate(x) : x;
  return x;
}
template <typename T>
PRONGHORN_INLINE T signum(T x) {
  if constexpr (kSigned<T>) {
    if (x < 0) return T(-1);
  }
  return T(x != 0);
}
template <typename T>
PRONGHORN_INLINE T complement(T x) {
  return static_cast<T>(~Wrap<T>(x));
}
template <>
PRONGHORN_INLINE bool complement(bool x) {
  return !x;
}

template <typename T>
PRONGHORN_INLINE T floor_divide(T a, T b) {
  if (b == 0) return T(0);
  if constexpr (kSigned<T>) {
    if (b == T(-1)) return negate(a);  // the smallest number over -1 would trap
    const T quotient = static_cast<T>(a / b);
    return static_cast<T>(quotient - T(a % b != 0 && (a < 0) != (b < 0)));
  } else {
    return static_cast<T>(a / b);
  }
}
template <typename T>
PRONGHORN_INLINE T floor_mod(T a, T b) {
  if (b == 0) return T(0);
  if constexpr (kSigned<T>) {
    if (b == T(-1)) return T(0);
    const T rest = static_cast<T>(a % b);
    return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
  } else {
    return static_cast<T>(a % b);
  }
}

// By squaring. A negative exponent gives 0 but for the bases 1 and -1.
template <typename T>
PRONGHORN_INLINE T integer_power(T a, T b) {
  if constexpr (kSigned<T>) {
    if (b < 0) {
      if (a == 1) return a;
      if (a == T(-1)) return (b & 1) != 0 ? a : T(1);
      return T(0);
    }
  }
  Wrap<T> result = 1;
  Wrap<T> base = static_cast<Wrap<T>>(a);
  for (Wrap<T> rest = static_cast<Wrap<T>>(b); rest != 0; rest >>= 1) {
    if ((rest & 1) != 0) result *= base;
    base *= base;
  }
  return static_cast<T>(result);
}

template <typename T>
PRONGHORN_INLINE bool past_width(T count) {
  if constexpr (kSigned<T>) {
    if (count < 0) return true;
  }
  return static_cast<uint64_t>(count) >= static_cast<uint64_t>(kBits<T>);
}
template <typename T>
PRONGHORN_INLINE T shift_left(T a, T count) {
  return past_width(count) ? T(0) : static_cast<T>(Wrap<T>(a) << count);
}
template <typename T>
PRONGHORN_INLINE T shift_right(T a, T count) {
  if (past_width(count)) return kSigned<T> && a < T(0) ? T(-1) : T(0);
  return static_cast<T>(a >> count);
}

template <typename T, typename F>
PRONGHORN_INLINE void map1(const IntegerCall& call, int64_t n, F f) {
  using Result = decltype(f(T()));
  const T* a = static_cast<const T*>(call.a);
  Result* out = static_cast<Result*>(call.out);
  for (int64_t i = 0; i < n; ++i) out[i] = f(a[i]);
}

template <typename T, typename F>
PRONGHORN_INLINE void map2(const IntegerCall& call, int64_t n, F f) {
  using Result = decltype(f(T(), T()));
  const T* a = static_cast<const T*>(call.a);
  const T* b = static_cast<const T*>(call.b);
  Result* out = static_cast<Result*>(call.out);
  if (call.a_stride == 0) {  // if b repeats too, n is 1
    const T first = *a;
    for (int64_t i = 0; i < n; ++i) out[i] = f(first, b[i]);
  } else if (call.b_stride == 0) {
    const T second = *b;
    for (int64_t i = 0; i < n; ++i) out[i] = f(a[i], second);
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
  }
}

template <typename T>
void run(const IntegerCall& call, int64_t n) {
  switch (static_cast<TileOp>(call.op)) {
#define UNARY(name, value, Result) \
  case TileOp::name:               \
    return map1<T>(call, n,        \
                   []([[maybe_unused]] T x) -> Result { return static_cast<Result>(value); });
#define BINARY(name, value, Result) \
  case TileOp::name:                \
    return map2<T>(call, n, [](T a, T b) -> Result { return static_cast<Result>(value); });
#define NUMBER_UNARY(name, value, integer, gradient) UNARY(name, integer, T)
#define NUMBER_TEST(name, value, integer) UNARY(name, integer, bool)
#define INTEGER_UNARY(name, integer) UNARY(name, integer, T)
#define NUMBER_BINARY(name, value, integer, da, db) BINARY(name, integer, T)
#define COMPARE(name, value, integer) BINARY(name, integer, bool)
#define INTEGER_BINARY(name, integer) BINARY(name, integer, T)
#include "pronghorn/tile/elementwise.inc"
    default: return;
  }
}

template <typename F>
PRONGHORN_INLINE void dispatch_integer(ElementType type, F f) {
  switch (type) {
    case ElementType::kBool: return f.template operator()<bool>();
    case ElementType::kUint8: return f.template operator()<uint8_t>();
    case ElementType::kUint16: return f.template operator()<uint16_t>();
    case ElementType::kUint32: return f.template operator()<uint32_t>();
    case ElementType::kInt8: return f.template operator()<int8_t>();
    case ElementType::kInt16: return f.template operator()<int16_t>();
    case ElementType::kInt32: return f.template operator()<int32_t>();
    case ElementType::kInt64: return f.template operator()<int64_t>();
    default: return;
  }
}

template <typename T>
void choose(const SelectCall& call, int64_t n) {
  const T* a = static_cast<const T*>(call.a);
  const T* b = static_cast<const T*>(call.b);
  T* out = static_cast<T*>(call.out);
  for (int64_t i = 0; i < n; ++i) {
    out[i] = call.condition[i * call.condition_stride] != 0 ? a[i * call.a_stride]
                                                            : b[i * call.b_stride];
  }
}

template <typename To, typename From>
PRONGHORN_INLINE To converted(From x) {
  if constexpr (To(2) == To(1)) return x != From(0);  // bool
  return static_cast<To>(x);
}

}  // namespace

// The contract stands at IntegerCall. Operands are contiguous; out may be the memory of an operand
// of stride 1.
void integer_run(const IntegerCall& call, int64_t n) {
  dispatch_integer(call.type, [&]<typename T>() { run<T>(call, n); });
}

// The contract stands at SelectCall.
void integer_select(const SelectCall& call, int64_t n) {
  switch (call.bytes) {
    case 1: return choose<uint8_t>(call, n);
    case 2: return choose<uint16_t>(call, n);
    case 4: return choose<uint32_t>(call, n);
    default: return choose<uint64_t>(call, n);
  }
}

// to(i) = from(i), the low bits of it, or to bool: whether it is not 0. Both types integer or bool.
void integer_cast(ElementType from_type, const void* from, ElementType to_type, void* to,
                  int64_t n) {
  dispatch_integer(from_type, [&]<typename From>() {
    dispatch_integer(to_type, [&]<typename To>() {
      const From* x = static_cast<const From*>(from);
      To* y = static_cast<To*>(to);
      for (int64_t i = 0; i < n; ++i) y[i] = converted<To>(x[i]);
    });
  });
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
