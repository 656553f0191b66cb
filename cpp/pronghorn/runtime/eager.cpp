#include "pronghorn/runtime/eager.h"

#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "pronghorn/base/fork_safe_mutex.h"
#include "pronghorn/ir/builder.h"
#include "pronghorn/runtime/program.h"

namespace pronghorn {
namespace {

constexpr size_t kMaxPrograms = 1024;
constexpr size_t kMaxKeptArena = 1 << 20;  // bytes; a program with a larger arena is not kept
constexpr size_t kMaxArenas =
    32 << 20;  // bytes of all kept programs: data of many shapes must not fill the memory

struct Cache {
  ForkSafeMutex mutex;
  std::unordered_map<std::string, std::shared_ptr<const Program>> programs;
  size_t arena_bytes = 0;

  decltype(programs) clear() {
    arena_bytes = 0;
    return std::exchange(programs, {});
  }
};

// Never destroyed: Python objects may outlive static destruction.
Cache& cache() {
  static Cache& instance = *new Cache;
  return instance;
}

// Made before any thread can: a child forked meanwhile would wait for ever.
[[maybe_unused]] const Cache& made_at_start = cache();

void append(std::string& key, const void* data, size_t bytes) {
  key.append(static_cast<const char*>(data), bytes);
}

std::string key_of(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs) {
  std::string key;
  const OpDef* address = &op;
  append(key, &address, sizeof address);
  for (const Tensor& input : inputs) {
    key += static_cast<char>(input.dtype());
    key += static_cast<char>(input.shape().rank());
    append(key, input.shape().begin(), static_cast<size_t>(input.shape().rank()) * sizeof(int64_t));
  }
  for (const auto& [name, value] : attrs) {
    key += name;
    key += static_cast<char>(value.index());
    if (const auto* integers = std::get_if<std::vector<int64_t>>(&value)) {
      const size_t count = integers->size();
      append(key, &count, sizeof count);
      append(key, integers->data(), count * sizeof(int64_t));
    } else if (const auto* integer = std::get_if<int64_t>(&value)) {
      append(key, integer, sizeof *integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
      append(key, number, sizeof *number);
    } else {
      key += std::get<std::string>(value) + '\0';
    }
  }
  return key;
}

std::shared_ptr<const Program> make_program(const OpDef& op, std::span<const Tensor> inputs,
                                            const Attrs& attrs) {
  Graph graph;
  Builder g(graph);
  std::vector<Value> values;
  for (const Tensor& input : inputs) values.push_back(g.input(input.type()));
  graph.outputs = g.apply_all(op, values, attrs);
  return std::make_shared<const Program>(graph, std::vector<Tensor>{});
}

}  // namespace

std::vector<Tensor> apply_eager(const OpDef& op, std::span<const Tensor> inputs,
                                const Attrs& attrs) {
  std::string key = key_of(op, inputs, attrs);
  std::shared_ptr<const Program> program;
  {
    const std::lock_guard lock(cache().mutex);
    const auto found = cache().programs.find(key);
    if (found != cache().programs.end()) program = found->second;
  }
  if (program == nullptr) {
    program = make_program(op, inputs, attrs);
    if (program->arena_bytes() <= kMaxKeptArena) {
      decltype(Cache::programs) dropped;  // ends after the lock: programs give their arenas back
      const std::lock_guard lock(cache().mutex);
      Cache& kept = cache();
      const size_t bytes = program->arena_bytes();
      if (kept.programs.size() >= kMaxPrograms || kept.arena_bytes + bytes > kMaxArenas)
        dropped = kept.clear();
      if (kept.programs.emplace(std::move(key), program).second) kept.arena_bytes += bytes;
    }
  }
  std::vector<const void*> in;
  for (const Tensor& input : inputs) in.push_back(input.data());
  std::vector<Tensor> results;
  std::vector<void*> out;
  for (const TensorType& type : program->outputs()) {
    results.emplace_back(type);
    out.push_back(results.back().data());
  }
  program->check_inputs(in.data());
  program->run(in.data(), out.data());
  return results;
}

size_t eager_cache_size() {
  const std::lock_guard lock(cache().mutex);
  return cache().programs.size();
}

void clear_eager_cache() {
  decltype(Cache::programs) dropped;
  const std::lock_guard lock(cache().mutex);
  dropped = cache().clear();
}

}  // namespace pronghorn
