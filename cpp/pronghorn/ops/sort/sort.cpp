// sort(x) {axis}: ascending, NaN last. argsort(x) {axis} -> int32, stable. top_k(x) {k} -> values,
// indices int32: the k largest of the last axis, largest first, equal ones in the order of their
// positions, NaN before all.
#include <algorithm>
#include <cstring>

#include "pronghorn/base/parallel.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

constexpr int64_t kShort = 32;  // top_k up to here needs no workspace

struct Plan {
  int64_t rows;
  int64_t n;
  int64_t k;      // of top_k
  int64_t batch;  // rows of one piece of work
  DType dtype;
};

struct Entry {
  uint64_t key;
  int64_t index;
  friend bool operator<(const Entry& a, const Entry& b) {
    return a.key != b.key ? a.key < b.key : a.index < b.index;
  }
};

// Ordered as the values are: NaN above all, -0 equal to 0.
template <typename T>
uint64_t key_of(T value) {
  if constexpr (std::is_same_v<T, float>) {
    if (value != value) return 0xffffffffu;
    const float positive_zero = value == 0.0f ? 0.0f : value;
    uint32_t bits;
    std::memcpy(&bits, &positive_zero, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  } else if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
    return key_of(to_float(value));
  } else if constexpr (std::is_signed_v<T>) {
    return static_cast<uint64_t>(static_cast<int64_t>(value)) ^ (uint64_t{1} << 63);
  } else {
    return static_cast<uint64_t>(value);
  }
}

// Whether key32_of orders the values of a type.
template <typename T>
constexpr bool kHasKey32 = sizeof(T) <= 4;

template <typename T>
uint32_t key32_of(T value) {
  if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    return static_cast<uint32_t>(static_cast<int32_t>(value)) ^ 0x80000000u;
  } else {
    return static_cast<uint32_t>(key_of(value));
  }
}

constexpr int64_t kRadixFrom = 64;  // elements; below it comparisons are faster

// Sorts by the digits of 8 bits of the lower 32 bits of each item shifted by `shift`, stably.
// other: room for n. The result is in a.
template <typename Item>
void radix_sort(Item* a, Item* other, int64_t n, int shift) {
  uint32_t counts[4][256] = {};
  const auto digit = [shift](Item item, int d) {
    return static_cast<uint32_t>(item >> (shift + 8 * d)) & 255u;
  };
  for (int64_t i = 0; i < n; ++i) {
    for (int d = 0; d < 4; ++d) ++counts[d][digit(a[i], d)];
  }
  Item* from = a;
  Item* to = other;
  for (int d = 0; d < 4; ++d) {
    if (counts[d][digit(from[0], d)] == n) continue;  // all the same
    uint32_t begin = 0;
    for (uint32_t& count : counts[d]) {
      const uint32_t next = begin + count;
      count = begin;
      begin = next;
    }
    for (int64_t i = 0; i < n; ++i) to[counts[d][digit(from[i], d)]++] = from[i];
    std::swap(from, to);
  }
  if (from != a) std::memcpy(a, from, static_cast<size_t>(n) * sizeof(Item));
}

// The values of floats that are not NaN by the order of their bits, -0 before 0.
uint32_t ordered_bits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (value != value) return 0xffffffffu;
  return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}
float from_ordered_bits(uint32_t key) {
  const uint32_t bits = key & 0x80000000u ? key ^ 0x80000000u : ~key;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

// y: a copy of the row, sorted in place; keys: room for 2 n.
void sort_floats(float* y, uint32_t* keys, int64_t n) {
  for (int64_t i = 0; i < n; ++i) keys[i] = ordered_bits(y[i]);
  radix_sort(keys, keys + n, n, 0);
  for (int64_t i = 0; i < n; ++i) y[i] = from_ordered_bits(keys[i]);
}

// What can be compared.
template <typename T>
auto number_of(T value) {
  if constexpr (std::is_arithmetic_v<T>) {
    return value;
  } else {
    return to_float(value);
  }
}

std::vector<TensorType> infer_sort(const OpCall& call) {
  expect_operands(call, 1);
  normalize_axis(call.op.name, call.attrs.integer("axis"), call.inputs[0].shape.rank());
  return {call.inputs[0]};
}

std::vector<TensorType> infer_argsort(const OpCall& call) {
  infer_sort(call);
  return {{DType::kInt32, call.inputs[0].shape}};
}

std::vector<TensorType> infer_top_k(const OpCall& call) {
  expect_operands(call, 1);
  TensorType y = call.inputs[0];
  const int64_t k = call.attrs.integer("k");
  if (y.shape.rank() == 0 || k < 0 || k > y.shape.back()) {
    value_error("top_k: k must be in [0, size of the last axis]. Received: k=", k,
                ", x.shape=", y.shape, ".");
  }
  y.shape[y.shape.rank() - 1] = k;
  return {y, {DType::kInt32, y.shape}};
}

// Ranks of the elements lead their gradients back.
std::vector<Value> sort_gradient(const GradientCall& call) {
  Builder& g = call.g;
  const Attrs& axis = call.node.attrs;
  const Value order = g.apply("argsort", {call.inputs[0]}, axis);
  const Value rank = g.apply("argsort", {order}, axis);
  return {g.apply("take_along_axis", {call.d_outputs[0], rank}, axis)};
}

std::vector<Value> top_k_gradient(const GradientCall& call) {
  Builder& g = call.g;
  if (!call.d_outputs[0]) return {Value{}};
  const int64_t axis = g.shape(call.inputs[0]).rank() - 1;
  return {g.apply("scatter_add_along_axis",
                  {g.zeros_like(call.inputs[0]), call.outputs[1], call.d_outputs[0]},
                  {{"axis", axis}})};
}

template <const char* const& name>
Value simplify(Builder& g, std::span<const Value> inputs, const Attrs& attrs) {
  return with_axis_last(g, name, inputs, attrs);
}

// entries: whether the workspace holds entries of every row, so that threads need none of their
// own.
Prepared plan_rows(const OpCall& call, int64_t k, bool entries) {
  const TensorType& x = call.inputs[0];
  const int64_t n = x.shape.back();
  auto plan = std::make_shared<const Plan>(
      Plan{.rows = x.shape.size(0, x.shape.rank() - 1),
           .n = n,
           .k = k,
           .batch = std::max<int64_t>(1, 4096 / std::max<int64_t>(n, 1)),
           .dtype = x.dtype});
  return {.plan = plan, .workspace = entries ? static_cast<size_t>(x.size()) * sizeof(Entry) : 0};
}

Prepared prepare_sort(const OpCall& call) {
  Prepared prepared = plan_rows(call, 0, false);
  const TensorType& x = call.inputs[0];
  if (x.dtype == DType::kFloat32) prepared.workspace = 2 * x.bytes();
  return prepared;
}
Prepared prepare_argsort(const OpCall& call) { return plan_rows(call, 0, true); }
Prepared prepare_top_k(const OpCall& call) {
  const int64_t k = call.attrs.integer("k");
  return plan_rows(call, k, k > kShort);
}

// Calls row(i) for every row, in parallel.
template <typename Row>
void for_rows(const Plan& plan, Row&& row) {
  if (plan.n == 0) return;
  parallel_ranges(plan.rows, plan.batch, plan.n * 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) row(i);
  });
}

void run_sort(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    for_rows(plan, [&](int64_t i) {
      T* y = launch.output<T>(0) + i * plan.n;
      std::copy_n(launch.input<T>(0) + i * plan.n, plan.n, y);
      if constexpr (std::is_same_v<T, float>) {
        if (plan.n >= kRadixFrom) {
          return sort_floats(y, static_cast<uint32_t*>(launch.workspace) + 2 * i * plan.n, plan.n);
        }
      }
      std::sort(y, y + plan.n, [](T a, T b) { return key_of(a) < key_of(b); });
    });
  });
}

void run_argsort(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    for_rows(plan, [&](int64_t i) {
      const T* x = launch.input<T>(0) + i * plan.n;
      Entry* entries = static_cast<Entry*>(launch.workspace) + i * plan.n;
      int32_t* y = launch.output<int32_t>(0) + i * plan.n;
      if constexpr (kHasKey32<T>) {
        if (plan.n >= kRadixFrom) {
          // Keys above positions, in the memory of the entries.
          auto* items = reinterpret_cast<uint64_t*>(entries);
          for (int64_t j = 0; j < plan.n; ++j)
            items[j] = uint64_t{key32_of(x[j])} << 32 | static_cast<uint64_t>(j);
          radix_sort(items, items + plan.n, plan.n, 32);
          for (int64_t j = 0; j < plan.n; ++j) y[j] = static_cast<int32_t>(items[j]);
          return;
        }
      }
      for (int64_t j = 0; j < plan.n; ++j) entries[j] = {key_of(x[j]), j};
      std::sort(entries, entries + plan.n);
      for (int64_t j = 0; j < plan.n; ++j) y[j] = static_cast<int32_t>(entries[j].index);
    });
  });
}

// The k <= kShort largest of a row, by insertion into a list that is kept sorted: most elements are
// only compared.
template <typename T>
void short_top_k(const T* x, int64_t n, int64_t k, Entry* best) {
  int64_t count = 0;
  auto worst = number_of(x[0]);  // of the list, once it is full
  for (int64_t j = 0; j < n; ++j) {
    const auto value = number_of(x[j]);
    if (count == k && !(value > worst) && value == value) continue;
    const uint64_t key = ~key_of(x[j]);
    if (count == k && !(key < best[k - 1].key)) continue;
    int64_t at = count < k ? count++ : k - 1;
    for (; at > 0 && key < best[at - 1].key; --at) best[at] = best[at - 1];
    best[at] = {key, j};
    if (count == k) worst = number_of(x[best[k - 1].index]);
  }
}

void run_top_k(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  dispatch_dtype(plan.dtype, [&]<typename T>() {
    for_rows(plan, [&](int64_t i) {
      const T* x = launch.input<T>(0) + i * plan.n;
      Entry few[kShort];
      Entry* entries = few;
      if (plan.k == 0) return;
      if (plan.k <= kShort) {
        short_top_k(x, plan.n, plan.k, few);
      } else {
        entries = static_cast<Entry*>(launch.workspace) + i * plan.n;
        for (int64_t j = 0; j < plan.n; ++j) entries[j] = {~key_of(x[j]), j};
        std::partial_sort(entries, entries + plan.k, entries + plan.n);
      }
      for (int64_t j = 0; j < plan.k; ++j) {
        launch.output<T>(0)[i * plan.k + j] = x[entries[j].index];
        launch.output<int32_t>(1)[i * plan.k + j] = static_cast<int32_t>(entries[j].index);
      }
    });
  });
}

constexpr const char* kSort = "sort";
constexpr const char* kArgsort = "argsort";

}  // namespace

OpDef sort_op() {
  return {.name = kSort,
          .infer = infer_sort,
          .gradient = sort_gradient,
          .prepare = prepare_sort,
          .run = run_sort,
          .simplify = simplify<kSort>};
}

OpDef argsort_op() {
  return {.name = kArgsort,
          .infer = infer_argsort,
          .prepare = prepare_argsort,
          .run = run_argsort,
          .simplify = simplify<kArgsort>};
}

OpDef top_k_op() {
  return {.name = "top_k",
          .infer = infer_top_k,
          .gradient = top_k_gradient,
          .prepare = prepare_top_k,
          .run = run_top_k};
}

}  // namespace pronghorn::ops
