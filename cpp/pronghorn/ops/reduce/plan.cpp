#include <algorithm>
#include <cstring>
#include <limits>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/reduce/reduce.h"
#include "pronghorn/tensor/buffer.h"
#include "pronghorn/tile/prologue.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kRowChunk = 16'384;       // elements of one chunk of a row
constexpr int64_t kColumnChunk = 256;       // rows of one chunk at least, when columns are reduced
constexpr int64_t kPieceElements = 32'768;  // work of one thread at a time
constexpr int64_t kColumnBlock = 512;

void add_stages(ReducePlan& plan, int64_t outer, int64_t n, int64_t inner) {
  const int64_t wanted = inner == 1 ? kRowChunk : std::max(kColumnChunk, kPieceElements / inner);
  while (true) {
    const int64_t chunk = n < 2 * wanted ? n : wanted;
    const int64_t chunks = (n + chunk - 1) / chunk;
    plan.stages.push_back({outer, n, inner, chunk, chunks});
    if (chunks == 1) return;
    n = chunks;
  }
}

size_t stage_bytes(const ReducePlan& plan, const ReduceStage& stage) {
  const size_t bytes =
      static_cast<size_t>(stage.outer * stage.chunks * stage.inner) * size_of(plan.dtype);
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

// The integer and bool reductions. Sums and products wrap around, as NumPy's do.
template <ReduceKind kind, typename T>
T combine(T a, T b) {
  if constexpr (kind == ReduceKind::kMax) return a > b ? a : b;
  if constexpr (kind == ReduceKind::kMin) return a < b ? a : b;
  if constexpr (kind == ReduceKind::kSum)
    return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

template <ReduceKind kind, typename T>
void reduce_rows_of(const T* x, int64_t rows, int64_t n, T* y) {
  for (int64_t i = 0; i < rows; ++i, x += n) {
    T result = x[0];
    for (int64_t j = 1; j < n; ++j) result = combine<kind, T>(result, x[j]);
    y[i] = result;
  }
}

template <ReduceKind kind, typename T>
void reduce_columns_of(const T* x, int64_t n, int64_t stride, int64_t columns, T* y) {
  std::copy_n(x, columns, y);
  for (int64_t i = 1; i < n; ++i) {
    x += stride;
    for (int64_t j = 0; j < columns; ++j) y[j] = combine<kind, T>(y[j], x[j]);
  }
}

template <typename T>
void rows(ReduceKind kind, const T* x, int64_t count, int64_t n, T* y) {
  if constexpr (std::is_same_v<T, float>) {
    kernels().reduce_rows(kind, x, count, n, y);
  } else {
    switch (kind) {
      case ReduceKind::kSum: return reduce_rows_of<ReduceKind::kSum, T>(x, count, n, y);
      case ReduceKind::kProd: return reduce_rows_of<ReduceKind::kProd, T>(x, count, n, y);
      case ReduceKind::kMax: return reduce_rows_of<ReduceKind::kMax, T>(x, count, n, y);
      case ReduceKind::kMin: return reduce_rows_of<ReduceKind::kMin, T>(x, count, n, y);
    }
  }
}

template <typename T>
void columns(ReduceKind kind, const T* x, int64_t n, int64_t stride, int64_t count, T* y) {
  if constexpr (std::is_same_v<T, float>) {
    kernels().reduce_columns(kind, x, n, stride, count, y);
  } else {
    switch (kind) {
      case ReduceKind::kSum: return reduce_columns_of<ReduceKind::kSum, T>(x, n, stride, count, y);
      case ReduceKind::kProd:
        return reduce_columns_of<ReduceKind::kProd, T>(x, n, stride, count, y);
      case ReduceKind::kMax: return reduce_columns_of<ReduceKind::kMax, T>(x, n, stride, count, y);
      case ReduceKind::kMin: return reduce_columns_of<ReduceKind::kMin, T>(x, n, stride, count, y);
    }
  }
}

template <typename T>
void run_stage(ReduceKind kind, const ReduceStage& s, const T* x, T* y) {
  constexpr int64_t kBytes = sizeof(T);
  if (s.inner == 1 && s.chunks == 1) {
    const int64_t piece = std::max<int64_t>(1, kPieceElements / s.n);
    parallel_ranges(s.outer, piece, s.n * kBytes, [&](int64_t begin, int64_t end) {
      rows<T>(kind, x + begin * s.n, end - begin, s.n, y + begin);
    });
    return;
  }
  if (s.inner == 1) {
    parallel_for(s.outer * s.chunks, s.chunk * kBytes, [&](int64_t item) {
      const int64_t begin = item % s.chunks * s.chunk;
      rows<T>(kind, x + item / s.chunks * s.n + begin, 1, std::min(s.chunk, s.n - begin), y + item);
    });
    return;
  }
  // Several small matrices are one thread's work; a wide one is split by columns.
  const int64_t blocks =
      s.chunk * s.inner >= 2 * kPieceElements ? (s.inner + kColumnBlock - 1) / kColumnBlock : 1;
  const int64_t block = blocks == 1 ? s.inner : kColumnBlock;
  const int64_t items = s.outer * s.chunks * blocks;
  const int64_t piece = std::max<int64_t>(1, kPieceElements / (s.chunk * block));
  parallel_ranges(items, piece, s.chunk * block * kBytes, [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      const int64_t column = item % blocks * block;
      const int64_t row = item / blocks % s.chunks * s.chunk;
      const int64_t o = item / blocks / s.chunks;
      columns<T>(kind, x + (o * s.n + row) * s.inner + column, std::min(s.chunk, s.n - row),
                 s.inner, std::min(block, s.inner - column), y + item / blocks * s.inner + column);
    }
  });
}

// The result of reducing nothing.
template <typename T>
T identity(ReduceKind kind) {
  using Limits = std::numeric_limits<T>;
  switch (kind) {
    case ReduceKind::kSum: return T{0};
    case ReduceKind::kProd: return T{1};
    case ReduceKind::kMax:
      return Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest();
    case ReduceKind::kMin: break;
  }
  return Limits::has_infinity ? Limits::infinity() : Limits::max();
}

// Of x that is computed while it is read: pieces of it, at most kScratch floats.
constexpr int64_t kScratch = 4096;

// y(i) = reduction of row i of `count` rows of n from element `begin` on.
void rows_of(ReduceKind kind, const PrologueReader& x, int64_t begin, int64_t count, int64_t n,
             float* y) {
  alignas(64) float scratch[kScratch];
  if (n <= kScratch) {
    const int64_t most = kScratch / n;
    for (int64_t i = 0; i < count; i += most) {
      const int64_t some = std::min(most, count - i);
      kernels().reduce_rows(kind, x.read(begin + i * n, some * n, scratch), some, n, y + i);
    }
    return;
  }
  // Rows are chunks of at most 2 kRowChunk.
  float parts[2 * kRowChunk / kScratch + 1];
  for (int64_t i = 0; i < count; ++i) {
    int64_t found = 0;
    for (int64_t j = 0; j < n; j += kScratch) {
      const int64_t some = std::min(kScratch, n - j);
      kernels().reduce_rows(kind, x.read(begin + i * n + j, some, scratch), 1, some,
                            parts + found++);
    }
    kernels().reduce_rows(kind, parts, 1, found, y + i);
  }
}

// y(j) = reduction over the n rows of (n, columns) that start at element `begin`, `stride` apart.
void columns_of(ReduceKind kind, const PrologueReader& x, int64_t begin, int64_t n, int64_t stride,
                int64_t columns, float* y) {
  alignas(64) float scratch[2 * kScratch];  // the results so far are the first row
  for (int64_t j = 0; j < columns; j += kScratch) {
    const int64_t width = std::min(kScratch, columns - j);
    const int64_t most = kScratch / width;
    for (int64_t i = 0; i < n; i += most) {
      const int64_t some = std::min(most, n - i);
      float* from = scratch + width;
      if (width == stride) {
        x.read(begin + i * stride, some * stride, from);
      } else {
        for (int64_t r = 0; r < some; ++r)
          x.read(begin + (i + r) * stride + j, width, from + r * width);
      }
      const bool more = i > 0;
      if (more) std::copy_n(y + j, width, scratch);
      kernels().reduce_columns(kind, more ? scratch : from, some + (more ? 1 : 0), width, width,
                               y + j);
    }
  }
}

// The first stage, of x that is computed while it is read.
void run_computed_stage(ReduceKind kind, const ReduceStage& s, const PrologueReader& x, float* y) {
  const int64_t cost = 4 + x.plan->cost;
  if (s.inner == 1 && s.chunks == 1) {
    const int64_t piece = std::max<int64_t>(1, kPieceElements / s.n);
    return parallel_ranges(s.outer, piece, s.n * cost, [&](int64_t begin, int64_t end) {
      rows_of(kind, x, begin * s.n, end - begin, s.n, y + begin);
    });
  }
  if (s.inner == 1) {
    return parallel_for(s.outer * s.chunks, s.chunk * cost, [&](int64_t item) {
      const int64_t begin = item % s.chunks * s.chunk;
      rows_of(kind, x, item / s.chunks * s.n + begin, 1, std::min(s.chunk, s.n - begin), y + item);
    });
  }
  const int64_t items = s.outer * s.chunks;
  const int64_t piece = std::max<int64_t>(1, kPieceElements / (s.chunk * s.inner));
  parallel_ranges(items, piece, s.chunk * s.inner * cost, [&](int64_t first, int64_t last) {
    for (int64_t item = first; item < last; ++item) {
      const int64_t row = item % s.chunks * s.chunk;
      columns_of(kind, x, (item / s.chunks * s.n + row) * s.inner, std::min(s.chunk, s.n - row),
                 s.inner, s.inner, y + item * s.inner);
    }
  });
}

template <typename T>
void reduce_of(const ReducePlan& plan, const void* const* inputs, T* y, char* workspace) {
  const T* x = static_cast<const T*>(inputs[0]);
  const PrologueReader computed{plan.source.get(), inputs};
  if (plan.reduced == 0) {
    const bool is_all = plan.dtype == DType::kBool && plan.kind == ReduceKind::kMin;
    std::fill_n(y, plan.size, is_all ? T{1} : identity<T>(plan.kind));
  } else if (plan.stages.empty()) {
    if constexpr (std::is_same_v<T, float>) x = computed.read(0, plan.size, y);
    if (x != y) std::memcpy(y, x, static_cast<size_t>(plan.size) * sizeof(T));
  }
  const T* from = x;
  for (size_t i = 0; i < plan.stages.size(); ++i) {
    const bool is_last = i + 1 == plan.stages.size();
    T* to = is_last ? y : reinterpret_cast<T*>(workspace);
    bool done = false;
    if constexpr (std::is_same_v<T, float>) {
      done = i == 0 && plan.source != nullptr;
      if (done) run_computed_stage(plan.kind, plan.stages[0], computed, to);
    }
    if (!done) run_stage<T>(plan.kind, plan.stages[i], from, to);
    if (!is_last) workspace += stage_bytes(plan, plan.stages[i]);
    from = to;
  }
  if constexpr (std::is_same_v<T, float>) {
    if (plan.is_mean) {
      const float count = static_cast<float>(plan.reduced);
      for (int64_t i = 0; i < plan.size; ++i) y[i] /= count;
    }
  }
}

}  // namespace

ReducePlan plan_reduce(ReduceKind kind, bool is_mean, DType dtype, const Shape& shape,
                       const std::vector<int64_t>& axes) {
  ReducePlan plan{.kind = kind,
                  .dtype = dtype,
                  .stages = {},
                  .size = 1,
                  .reduced = 1,
                  .is_mean = is_mean,
                  .workspace = 0,
                  .source = nullptr};
  // Neighbours of the same kind as one: kept, reduced, kept, ...
  std::vector<std::pair<bool, int64_t>> groups;
  for (int i = 0; i < shape.rank(); ++i) {
    const bool is_reduced = std::binary_search(axes.begin(), axes.end(), i);
    (is_reduced ? plan.reduced : plan.size) *= shape[i];
    if (shape[i] == 1) continue;
    if (!groups.empty() && groups.back().first == is_reduced) {
      groups.back().second *= shape[i];
    } else {
      groups.emplace_back(is_reduced, shape[i]);
    }
  }
  if (plan.size == 0 || plan.reduced == 0) return plan;
  int64_t outer = plan.size * plan.reduced;
  int64_t inner = 1;
  for (size_t i = groups.size(); i-- > 0;) {
    const auto [is_reduced, n] = groups[i];
    outer /= n;
    if (is_reduced) {
      add_stages(plan, outer, n, inner);
    } else {
      inner *= n;
    }
  }
  for (size_t i = 0; i + 1 < plan.stages.size(); ++i)
    plan.workspace += stage_bytes(plan, plan.stages[i]);
  return plan;
}

void reduce(const ReducePlan& plan, const void* const* inputs, void* y, void* workspace) {
  if (plan.size == 0) return;
  char* scratch = static_cast<char*>(workspace);
  const auto as = [&]<typename T>() { reduce_of<T>(plan, inputs, static_cast<T*>(y), scratch); };
  switch (plan.dtype) {
    case DType::kBool:
    case DType::kUint8: return as.operator()<uint8_t>();
    case DType::kUint16: return as.operator()<uint16_t>();
    case DType::kUint32: return as.operator()<uint32_t>();
    case DType::kInt8: return as.operator()<int8_t>();
    case DType::kInt16: return as.operator()<int16_t>();
    case DType::kInt32: return as.operator()<int32_t>();
    case DType::kInt64: return as.operator()<int64_t>();
    default: return as.operator()<float>();
  }
}

}  // namespace pronghorn::ops
