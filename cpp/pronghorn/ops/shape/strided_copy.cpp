#include "pronghorn/ops/shape/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kPieceBytes = 1 << 16;  // work of one thread at a time
constexpr int64_t kTile = 32;             // rows of a transposed piece

template <int n>
struct Bytes {
  uint64_t words[n / 8];
};

// n units of the type Unit at steps of src_step and dst_step bytes.
template <typename Unit>
void copy_units(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t n) {
  if (src_step == 0 && dst_step == static_cast<int64_t>(sizeof(Unit))) {
    Unit value;
    std::memcpy(&value, src, sizeof value);
    int64_t i = 0;
    if constexpr (sizeof(Unit) < sizeof(uint64_t)) {
      // Several units at a time, side by side in a word.
      constexpr int64_t kUnits = sizeof(uint64_t) / sizeof(Unit);
      const uint64_t word = uint64_t{value} * (~uint64_t{0} / Unit(~Unit{0}));
      for (; i + kUnits <= n; i += kUnits) std::memcpy(dst + i * dst_step, &word, sizeof word);
    }
    for (; i < n; ++i) std::memcpy(dst + i * dst_step, &value, sizeof value);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    Unit value;
    std::memcpy(&value, src + i * src_step, sizeof value);
    std::memcpy(dst + i * dst_step, &value, sizeof value);
  }
}

void copy_line(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t run,
               int64_t n) {
  switch (run) {
    case 1:
      if (src_step == 0 && dst_step == 1) {
        std::memset(dst, *src, static_cast<size_t>(n));
        return;
      }
      return copy_units<uint8_t>(src, src_step, dst, dst_step, n);
    case 2: return copy_units<uint16_t>(src, src_step, dst, dst_step, n);
    case 4: return copy_units<uint32_t>(src, src_step, dst, dst_step, n);
    case 8: return copy_units<uint64_t>(src, src_step, dst, dst_step, n);
    case 16: return copy_units<Bytes<16>>(src, src_step, dst, dst_step, n);
    case 32: return copy_units<Bytes<32>>(src, src_step, dst, dst_step, n);
    case 64: return copy_units<Bytes<64>>(src, src_step, dst, dst_step, n);
    default:
      for (int64_t i = 0; i < n; ++i)
        std::memcpy(dst + i * dst_step, src + i * src_step, static_cast<size_t>(run));
  }
}

// dst(i, j) = src(j, i): rows x columns of dst, columns contiguous in dst, rows contiguous in src.
template <typename Unit>
void transpose_units(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t rows,
                     int64_t columns) {
  constexpr int64_t kUnit = static_cast<int64_t>(sizeof(Unit));
  constexpr int64_t kBlock = 16;
  for (int64_t j0 = 0; j0 < columns; j0 += kBlock) {
    const int64_t j1 = std::min(j0 + kBlock, columns);
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = j0; j < j1; ++j)
        std::memcpy(dst + i * dst_step + j * kUnit, src + j * src_step + i * kUnit, sizeof(Unit));
    }
  }
}

void transpose_tile(const char* src, int64_t src_step, char* dst, int64_t dst_step, int64_t run,
                    int64_t rows, int64_t columns) {
  switch (run) {
    case 1: return transpose_units<uint8_t>(src, src_step, dst, dst_step, rows, columns);
    case 2:
      return kernels().transpose_halves(reinterpret_cast<const uint16_t*>(src), src_step / run,
                                        columns, rows, reinterpret_cast<uint16_t*>(dst),
                                        dst_step / run);
    case 8: return transpose_units<uint64_t>(src, src_step, dst, dst_step, rows, columns);
    default:
      return kernels().transpose_matrix(reinterpret_cast<const float*>(src), src_step / run,
                                        columns, rows, reinterpret_cast<float*>(dst),
                                        dst_step / run);
  }
}

void copy_run(const char* src, char* dst, int64_t bytes) {
  parallel_ranges(bytes, 4 * kPieceBytes, 1, [=](int64_t begin, int64_t end) {
    std::memcpy(dst + begin, src + begin, static_cast<size_t>(end - begin));
  });
}

// Pieces of `kTile` rows of dimension `transposed` by the whole last dimension.
void copy_transposed(const StridedCopy& plan, const char* src, char* dst) {
  const StridedCopy::Dim columns = plan.dims[static_cast<size_t>(plan.rank - 1)];
  const StridedCopy::Dim rows = plan.dims[static_cast<size_t>(plan.transposed)];
  const int64_t tiles = (rows.size + kTile - 1) / kTile;
  int64_t outer = 1;
  for (int d = 0; d < plan.rank - 1; ++d) {
    if (d != plan.transposed) outer *= plan.dims[static_cast<size_t>(d)].size;
  }
  parallel_for(outer * tiles, kTile * columns.size * plan.run, [&](int64_t item) {
    const int64_t row = item % tiles * kTile;
    int64_t rest = item / tiles;
    int64_t src_at = row * rows.src;
    int64_t dst_at = row * rows.dst;
    for (int d = plan.rank - 2; d >= 0; --d) {
      if (d == plan.transposed) continue;
      const StridedCopy::Dim& dim = plan.dims[static_cast<size_t>(d)];
      src_at += rest % dim.size * dim.src;
      dst_at += rest % dim.size * dim.dst;
      rest /= dim.size;
    }
    transpose_tile(src + src_at, columns.src, dst + dst_at, rows.dst, plan.run,
                   std::min(kTile, rows.size - row), columns.size);
  });
}

}  // namespace

StridedCopy plan_copy(size_t element, const Shape& sizes, const Shape& src_strides,
                      const Shape& dst_strides, int64_t src_offset, int64_t dst_offset) {
  const int64_t bytes = static_cast<int64_t>(element);
  StridedCopy plan;
  plan.src_offset = src_offset * bytes;
  plan.dst_offset = dst_offset * bytes;
  if (sizes.size() == 0) return plan;
  plan.run = bytes;
  // Innermost first while merging.
  std::array<StridedCopy::Dim, kMaxRank> dims{};
  int rank = 0;
  for (int i = sizes.rank() - 1; i >= 0; --i) {
    if (sizes[i] == 1) continue;
    const StridedCopy::Dim dim{sizes[i], src_strides[i] * bytes, dst_strides[i] * bytes};
    if (rank == 0 && dim.src == plan.run && dim.dst == plan.run) {
      plan.run *= dim.size;
      continue;
    }
    StridedCopy::Dim* inner = rank > 0 ? &dims[static_cast<size_t>(rank - 1)] : nullptr;
    if (inner != nullptr && dim.src == inner->src * inner->size &&
        dim.dst == inner->dst * inner->size) {
      inner->size *= dim.size;
      continue;
    }
    dims[static_cast<size_t>(rank++)] = dim;
  }
  plan.rank = rank;
  for (int d = 0; d < rank; ++d)
    plan.dims[static_cast<size_t>(d)] = dims[static_cast<size_t>(rank - 1 - d)];
  if (rank >= 2 && dims[0].dst == plan.run &&
      (plan.run == 1 || plan.run == 2 || plan.run == 4 || plan.run == 8)) {
    for (int d = 0; d < rank - 1; ++d) {
      if (plan.dims[static_cast<size_t>(d)].src == plan.run) plan.transposed = d;
    }
  }
  return plan;
}

void copy_strided(const StridedCopy& plan, const void* src_base, void* dst_base) {
  if (plan.run == 0) return;
  const char* src = static_cast<const char*>(src_base) + plan.src_offset;
  char* dst = static_cast<char*>(dst_base) + plan.dst_offset;
  if (plan.rank == 0) return copy_run(src, dst, plan.run);
  if (plan.transposed >= 0) return copy_transposed(plan, src, dst);
  int64_t total = 1;
  for (int d = 0; d < plan.rank; ++d) total *= plan.dims[static_cast<size_t>(d)].size;
  const StridedCopy::Dim line = plan.dims[static_cast<size_t>(plan.rank - 1)];
  const int64_t piece = std::max<int64_t>(1, kPieceBytes / plan.run);
  parallel_ranges(total, piece, plan.run, [&](int64_t begin, int64_t end) {
    std::array<int64_t, kMaxRank + 1> index{};
    int64_t src_at = 0;
    int64_t dst_at = 0;
    int64_t rest = begin;
    for (int d = plan.rank - 1; d >= 0; --d) {
      const StridedCopy::Dim& dim = plan.dims[static_cast<size_t>(d)];
      index[static_cast<size_t>(d)] = rest % dim.size;
      src_at += rest % dim.size * dim.src;
      dst_at += rest % dim.size * dim.dst;
      rest /= dim.size;
    }
    for (int64_t at = begin; at < end;) {
      const int64_t n = std::min(end - at, line.size - index[static_cast<size_t>(plan.rank - 1)]);
      copy_line(src + src_at, line.src, dst + dst_at, line.dst, plan.run, n);
      at += n;
      if (at == end) break;
      // To the start of the next line.
      src_at -= index[static_cast<size_t>(plan.rank - 1)] * line.src;
      dst_at -= index[static_cast<size_t>(plan.rank - 1)] * line.dst;
      index[static_cast<size_t>(plan.rank - 1)] = 0;
      for (int d = plan.rank - 2; d >= 0; --d) {
        const StridedCopy::Dim& dim = plan.dims[static_cast<size_t>(d)];
        src_at += dim.src;
        dst_at += dim.dst;
        if (++index[static_cast<size_t>(d)] < dim.size) break;
        src_at -= dim.size * dim.src;
        dst_at -= dim.size * dim.dst;
        index[static_cast<size_t>(d)] = 0;
      }
    }
  });
}

void fill_elements(void* dst, const void* value, size_t element, int64_t n) {
  const int64_t bytes = static_cast<int64_t>(element);
  parallel_ranges(n, kPieceBytes / bytes, bytes, [=](int64_t begin, int64_t end) {
    copy_line(static_cast<const char*>(value), 0, static_cast<char*>(dst) + begin * bytes, bytes,
              bytes, end - begin);
  });
}

}  // namespace pronghorn::ops
