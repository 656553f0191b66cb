// The interpreter of tile programs, and the loops that feed it.
#include "pronghorn/kernels/kernel_types.h"
#include "pronghorn/tile/convert.h"
#include "pronghorn/tile/functions.h"
#include "pronghorn/tile/opcodes.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

constexpr int64_t kStackElements = 512;

PRONGHORN_INLINE Vec as_value(Vec x) { return x; }
PRONGHORN_INLINE Vec as_value(Mask mask) { return select(mask, broadcast(1.0f), zero()); }

struct Operands {
  const float* a;
  const float* b;
  const float* c;
  const float* d;
};

// out(i) = f(a(i), b(i), c(i), d(i)) for i < n, n a multiple of kLanes; operands in `scalars`
// repeat their first vector.
template <int scalars, typename F>
PRONGHORN_INLINE void map_fixed(float* out, const Operands& in, int64_t n, F f) {
  const Vec a = load(in.a);
  const Vec b = load(in.b);
  const Vec c = load(in.c);
  const Vec d = load(in.d);
#pragma GCC unroll 2
  for (int64_t i = 0; i < n; i += kLanes) {
    store(out + i,
          as_value(
              f((scalars & 1) != 0 ? a : load(in.a + i), (scalars & 2) != 0 ? b : load(in.b + i),
                (scalars & 4) != 0 ? c : load(in.c + i), (scalars & 8) != 0 ? d : load(in.d + i))));
  }
}

// The same for any set of scalars.
template <typename F>
PRONGHORN_INLINE void map_any(float* out, Operands in, int scalars, int64_t n, F f) {
  const int64_t a = (scalars & 1) != 0 ? 0 : kLanes;
  const int64_t b = (scalars & 2) != 0 ? 0 : kLanes;
  const int64_t c = (scalars & 4) != 0 ? 0 : kLanes;
  const int64_t d = (scalars & 8) != 0 ? 0 : kLanes;
  for (int64_t i = 0; i < n; i += kLanes) {
    store(out + i, as_value(f(load(in.a), load(in.b), load(in.c), load(in.d))));
    in.a += a;
    in.b += b;
    in.c += c;
    in.d += d;
  }
}

// map_any with loops of their own for no scalars and two frequent sets, for functions as cheap as
// the loads.
template <int first, int second, typename F>
PRONGHORN_INLINE void map_often(float* out, const Operands& in, int scalars, int64_t n, F f) {
  if (scalars == 0) {
    map_fixed<0>(out, in, n, f);
  } else if (scalars == first) {
    map_fixed<first>(out, in, n, f);
  } else if (second != first && scalars == second) {
    map_fixed<second>(out, in, n, f);
  } else {
    map_any(out, in, scalars, n, f);
  }
}

// Whether a call of the function would be more than its loads.
constexpr bool is_costly(TileOp op) {
  return op <= TileOp::gelu_tanh || op == TileOp::power || op == TileOp::arctan2 ||
         op == TileOp::floor_divide || op == TileOp::mod;
}

template <TileOp op, typename F>
PRONGHORN_INLINE void map1(float* out, const Operands& in, int scalars, int64_t n, F f) {
  const auto f4 = [f](Vec a, Vec, Vec, Vec) __attribute__((always_inline)) { return f(a); };
  if (is_costly(op) || scalars != 0) return map_any(out, in, scalars | 14, n, f4);
  map_fixed<14>(out, in, n, f4);
}
template <TileOp op, typename F>
PRONGHORN_INLINE void map2(float* out, const Operands& in, int scalars, int64_t n, F f) {
  const auto f4 = [f](Vec a, Vec b, Vec, Vec) __attribute__((always_inline)) { return f(a, b); };
  if (is_costly(op)) return map_any(out, in, scalars | 12, n, f4);
  map_often<1, 2>(out, in, scalars, n, f4);
}

// Runs all instructions on the n elements that the slots point to.
void interpret(const TileCode& code, float* const* slot, int64_t n) {
  const TileInstruction* const end = code.instructions + code.instruction_count;
  for (const TileInstruction* at = code.instructions; at != end; ++at) {
    const TileInstruction step = *at;
    float* const out = slot[step.out];
    const int64_t count = step.single ? kLanes : n;
    const Operands in = {slot[step.a], slot[step.b], slot[step.c], slot[step.d]};
    switch (static_cast<TileOp>(step.op)) {
#define UNARY(name, value)                                                          \
  case TileOp::name:                                                                \
    map1<TileOp::name>(out, in, step.scalars, count,                                \
                       [](Vec x) __attribute__((always_inline)) { return value; }); \
    break;
#define BINARY(name, value)                                                                \
  case TileOp::name:                                                                       \
    map2<TileOp::name>(out, in, step.scalars, count,                                       \
                       [](Vec a, Vec b) __attribute__((always_inline)) { return value; }); \
    break;
#define FLOAT_UNARY(name, value, gradient) UNARY(name, value)
#define NUMBER_UNARY(name, value, integer, gradient) UNARY(name, value)
#define NUMBER_TEST(name, value, integer) UNARY(name, value)
#define LOGICAL_UNARY(name, value) UNARY(name, value)
#define FLOAT_BINARY(name, value, da, db) BINARY(name, value)
#define NUMBER_BINARY(name, value, integer, da, db) BINARY(name, value)
#define COMPARE(name, value, integer) BINARY(name, value)
#define LOGICAL_BINARY(name, value) BINARY(name, value)
#include "pronghorn/tile/elementwise.inc"
#define FUSED(name, often, also_often, value)                                           \
  case TileOp::name:                                                                    \
    map_often<often, also_often>(out, in, step.scalars, count,                          \
                                 []([[maybe_unused]] Vec a, [[maybe_unused]] Vec b,     \
                                    [[maybe_unused]] Vec c, [[maybe_unused]] Vec d)     \
                                     __attribute__((always_inline)) { return value; }); \
    break;
#include "pronghorn/tile/fused.inc"
      case TileOp::where:
        map_often<4, 2>(out, in, step.scalars, count,
                        [](Vec a, Vec b, Vec c, Vec)
                            __attribute__((always_inline)) { return select(a != 0.0f, b, c); });
        break;
      default: break;
    }
  }
}

template <typename T>
void convert_to_float(const void* from, float* to, int64_t n) {
  const auto* p = static_cast<const char*>(from);
  constexpr auto kBytes = static_cast<int64_t>(sizeof(typename Element<T>::Storage));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, Element<T>::load(p + i * kBytes));
  if (i < n) {
    char part[kLanes * kBytes] = {};
    std::memcpy(part, p + i * kBytes, static_cast<size_t>((n - i) * kBytes));
    store_part(to + i, Element<T>::load(part), n - i);
  }
}

template <typename T>
void convert_from_float(const float* from, void* to, int64_t n) {
  auto* p = static_cast<char*>(to);
  constexpr auto kBytes = static_cast<int64_t>(sizeof(typename Element<T>::Storage));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) Element<T>::store(p + i * kBytes, load(from + i));
  if (i < n) {
    char part[kLanes * kBytes];
    Element<T>::store(part, load_part(from + i, n - i));
    std::memcpy(p + i * kBytes, part, static_cast<size_t>((n - i) * kBytes));
  }
}

void to_float_tile(ElementType type, const void* from, float* to, int64_t n) {
  if (type == ElementType::kFloat32) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
    return;
  }
  dispatch_element(type, [&]<typename T>() { convert_to_float<T>(from, to, n); });
}

int64_t bytes_of(ElementType type) {
  switch (type) {
    case ElementType::kBool:
    case ElementType::kUint8:
    case ElementType::kInt8: return 1;
    case ElementType::kUint16:
    case ElementType::kInt16:
    case ElementType::kFloat16:
    case ElementType::kBfloat16: return 2;
    case ElementType::kInt64: return 8;
    default: return 4;
  }
}

// to(i) = value for i < n.
template <typename T>
PRONGHORN_INLINE void fill_run(T value, T* to, int64_t n) {
  if constexpr (sizeof(T) == 4) {
    int32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const IVec vector = broadcast(bits);
    auto* p = reinterpret_cast<int32_t*>(to);
    int64_t i = 0;
    for (; i + kLanes <= n; i += kLanes) store(p + i, vector);
    store_part(p + i, vector, n - i);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = value;
  }
}

template <typename T>
PRONGHORN_INLINE void copy_run(const T* from, int64_t stride, T* to, int64_t n) {
  if (stride == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
  } else if (stride == 0) {
    fill_run(*from, to, n);
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
  }
}

// Elements [begin, begin + n) of the iteration, walking the coordinates like an odometer.
template <typename T>
void gather_elements(const TileInput& input, const T* from, T* to, int64_t begin, int64_t n) {
  int64_t coordinate[kTileMaxRank];
  int64_t at = 0;
  int64_t rest = begin;
  const int last = input.rank - 1;
  for (int i = last; i >= 0; --i) {
    coordinate[i] = rest % input.sizes[i];
    rest /= input.sizes[i];
    at += coordinate[i] * input.strides[i];
  }
  while (n > 0) {
    const int64_t left = input.sizes[last] - coordinate[last];
    const int64_t run = left < n ? left : n;
    copy_run(from + at, input.strides[last], to, run);
    to += run;
    n -= run;
    coordinate[last] += run;
    at += run * input.strides[last];
    for (int i = last; i > 0 && coordinate[i] == input.sizes[i]; --i) {
      at += input.strides[i - 1] - coordinate[i] * input.strides[i];
      coordinate[i] = 0;
      ++coordinate[i - 1];
    }
  }
}

// Elements i % period of a row.
template <typename T>
void gather_row(const T* row, int64_t period, T* to, int64_t begin, int64_t n) {
  int64_t at = begin % period;
  while (n > 0) {
    const int64_t run = period - at < n ? period - at : n;
    std::memcpy(to, row + at, static_cast<size_t>(run) * sizeof(T));
    to += run;
    n -= run;
    at = 0;
  }
}

template <typename T>
void gather_typed(const TileInput& input, const void* from, void* to, int64_t begin, int64_t n) {
  const T* source = static_cast<const T*>(from);
  T* target = static_cast<T*>(to);
  switch (input.access) {
    case TileAccess::kScalar: return copy_run(source, 0, target, n);
    case TileAccess::kDirect:
    case TileAccess::kConvert: return copy_run(source + begin, 1, target, n);
    case TileAccess::kRow: return gather_row(source, input.sizes[0], target, begin, n);
    case TileAccess::kGeneral: return gather_elements(input, source, target, begin, n);
  }
}

// Elements [begin, begin + n) of an operand as floats. from: the operand.
void load_elements(const TileInput& input, const void* from, float* to, int64_t begin, int64_t n);

// State of an operand while its tiles go by.
struct Cursor {
  const float* row;  // unrolled, at least one tile longer than the period; null: not unrolled
  int64_t phase;
};

PRONGHORN_INLINE void fill_vector(float* p, float value) {
  for (int i = 0; i < kTileAlign; i += kLanes) store(p + i, broadcast(value));
}

}  // namespace

// to(i) = element begin + i of the iteration, of the operand's own type. from: the operand. n >= 1.
void tile_gather(const TileInput& input, const void* from, void* to, int64_t begin, int64_t n) {
  switch (bytes_of(input.type)) {
    case 1: return gather_typed<uint8_t>(input, from, to, begin, n);
    case 2: return gather_typed<uint16_t>(input, from, to, begin, n);
    case 8: return gather_typed<uint64_t>(input, from, to, begin, n);
    default: return gather_typed<uint32_t>(input, from, to, begin, n);
  }
}

namespace {

void load_elements(const TileInput& input, const void* from, float* to, int64_t begin, int64_t n) {
  if (input.type == ElementType::kFloat32) return tile_gather(input, from, to, begin, n);
  const int64_t bytes = bytes_of(input.type);
  if (input.access == TileAccess::kConvert) {
    return to_float_tile(input.type, static_cast<const char*>(from) + begin * bytes, to, n);
  }
  alignas(64) char raw[kStackElements * 8];
  for (int64_t i = 0; i < n; i += kStackElements) {
    const int64_t count = n - i < kStackElements ? n - i : kStackElements;
    tile_gather(input, from, raw, begin + i, count);
    to_float_tile(input.type, raw, to + i, count);
  }
}

}  // namespace

// to(i) = from(i) as float32.
void widen_elements(ElementType type, const void* from, float* to, int64_t n) {
  to_float_tile(type, from, to, n);
}

namespace {

// A program with its operands and scratch memory.
class Run {
 public:
  // Will run `range` elements after `begin`, and, after calls of seek(), after begin + stride,
  // begin + 2 stride, ...
  Run(const TileCode& code, const void* const* inputs, void* const* outputs, int64_t begin,
      int64_t range, int64_t stride)
      : code_(code), inputs_(inputs), outputs_(outputs) {
    for (int s = 0; s < code.slot_count; ++s) slot_[s] = memory_ + code.slot_at[s];
    for (int i = 0; i < code.constant_count; ++i) fill_vector(slot_[i], code.constants[i]);
    for (int k = 0; k < code.input_count; ++k) {
      const TileInput& input = code.inputs[k];
      if (input.access == TileAccess::kScalar) {
        float value;
        if (input.type == ElementType::kFloat32) {
          std::memcpy(&value, inputs[k], sizeof value);
        } else {
          to_float_tile(input.type, inputs[k], &value, 1);
        }
        fill_vector(slot_[input.slot], value);
      } else if (input.access == TileAccess::kRow) {
        const int64_t period = input.sizes[0];
        cursor_[k] = {nullptr, begin % period};
        find_row(k, stride % period == 0 ? cursor_[k].phase + range : period + code.tile);
      }
    }
  }

  void seek(int64_t begin) {
    for (int k = 0; k < code_.input_count; ++k) {
      if (code_.inputs[k].access == TileAccess::kRow)
        cursor_[k].phase = begin % code_.inputs[k].sizes[0];
    }
  }

  // Brings elements of the operands that are read in place into the cache; operand 0 is there.
  void prefetch(int64_t begin, int64_t n) const {
    for (int k = 1; k < code_.input_count; ++k) {
      if (code_.inputs[k].access != TileAccess::kDirect) continue;
      const float* p = static_cast<const float*>(inputs_[k]) + begin;
      for (int64_t i = 0; i < n; i += 16) __builtin_prefetch(p + i);
    }
  }

  void run(int64_t begin, int64_t end) {
    int64_t n;
    for (int64_t at = begin; at < end; at += n) {
      n = end - at < code_.tile ? end - at : code_.tile;
      const bool part =
          n < kLanes;  // the last elements: direct operands go through memory of one vector
      if (!part) n -= n % kLanes;
      bind_inputs(at, n, part);
      for (int k = 0; k < code_.output_count; ++k) {
        const TileOutput& output = code_.outputs[k];
        if (output.direct) {
          slot_[output.slot] =
              part ? memory_ + code_.slot_at[output.slot] : static_cast<float*>(outputs_[k]) + at;
        }
      }
      interpret(code_, slot_, part ? kLanes : n);
      store_outputs(at, n, part);
    }
  }

 private:
  // Finds where to read a row in one piece; elements up to `last` (from the row's start) are
  // needed.
  void find_row(int k, int64_t last) {
    const TileInput& input = code_.inputs[k];
    const int64_t period = input.sizes[0];
    if (input.type == ElementType::kFloat32 && last <= period) {
      cursor_[k].row = static_cast<const float*>(inputs_[k]);
    } else if (input.row_at >= 0) {
      float* row = memory_ + input.row_at;
      const int64_t unrolled = last < period + code_.tile ? last : period + code_.tile;
      const int64_t first = unrolled < period ? unrolled : period;
      to_float_tile(input.type, inputs_[k], row, first);
      for (int64_t done = first; done < unrolled; done += period) {
        const int64_t n = unrolled - done < period ? unrolled - done : period;
        std::memcpy(row + done, row, static_cast<size_t>(n) * sizeof(float));
      }
      cursor_[k].row = row;
    }
  }

  void bind_inputs(int64_t at, int64_t n, bool part) {
    for (int k = 0; k < code_.input_count; ++k) {
      const TileInput& input = code_.inputs[k];
      float* own = memory_ + code_.slot_at[input.slot];
      const float* source = nullptr;
      if (input.access == TileAccess::kScalar) continue;
      if (input.access == TileAccess::kDirect) {
        source = static_cast<const float*>(inputs_[k]) + at;
      } else if (input.access == TileAccess::kRow && cursor_[k].row != nullptr) {
        source = cursor_[k].row + cursor_[k].phase;
        cursor_[k].phase += n;
        if (cursor_[k].phase >= input.sizes[0]) cursor_[k].phase %= input.sizes[0];
      }
      if (source != nullptr && !part) {
        slot_[input.slot] = const_cast<float*>(source);
        continue;
      }
      slot_[input.slot] = own;
      if (source != nullptr) {
        store(own, load_part(source, n));
      } else {
        if (part) store(own, zero());
        load_elements(input, inputs_[k], own, at, n);
      }
    }
  }

  void store_outputs(int64_t at, int64_t n, bool part) {
    for (int k = 0; k < code_.output_count; ++k) {
      const TileOutput& output = code_.outputs[k];
      const float* result = slot_[output.slot];
      if (output.direct) {
        if (part) store_part(static_cast<float*>(outputs_[k]) + at, load(result), n);
        continue;
      }
      auto* to = static_cast<char*>(outputs_[k]) + at * bytes_of(output.type);
      dispatch_element(output.type, [&]<typename T>() { convert_from_float<T>(result, to, n); });
    }
  }

  alignas(64) float memory_[kTileMemory];
  const TileCode& code_;
  const void* const* inputs_;
  void* const* outputs_;
  float* slot_[kTileSlots];
  Cursor cursor_[kTileSlots];
};

}  // namespace

// outputs(i) = program(inputs(i)) for the elements begin <= i < end of the iteration. An output may
// be the memory of an input of as many elements of the same size where the plan says that all reads
// come first.
void tile_run(const TileCode& code, const void* const* inputs, void* const* outputs, int64_t begin,
              int64_t end) {
  Run(code, inputs, outputs, begin, end - begin, 0).run(begin, end);
}

// The same for the elements begin + r * stride + c, 0 <= r < rows, 0 <= c < columns. Operand 0 lies
// elsewhere: each row of it `shift` floats further than its index says; so does output 0 if
// `in_place`.
void tile_run_rows(const TileCode& code, const void** inputs, void** outputs, int64_t begin,
                   int64_t columns, int64_t rows, int64_t stride, int64_t shift, bool in_place) {
  Run run(code, inputs, outputs, begin, columns, stride);
  for (int64_t r = 0; r < rows; ++r) {
    // Short rows of wide matrices: the hardware sees no stream.
    if (r + 1 < rows) run.prefetch(begin + (r + 1) * stride, columns);
    run.run(begin + r * stride, begin + r * stride + columns);
    if (r + 1 == rows) break;
    run.seek(begin + (r + 1) * stride);
    inputs[0] = static_cast<const float*>(inputs[0]) + shift;
    if (in_place) outputs[0] = static_cast<float*>(outputs[0]) + shift;
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
