#include "pronghorn/passes/plan_memory.h"

#include <algorithm>
#include <limits>

#include "pronghorn/tensor/buffer.h"

namespace pronghorn {
namespace {

constexpr int32_t kEnd = std::numeric_limits<int32_t>::max();  // read after the last step

size_t aligned(size_t bytes) {
  return (bytes + kBufferAlignment - 1) / kBufferAlignment * kBufferAlignment;
}

// Memory that one or more values share.
struct Storage {
  Location location;
  size_t bytes = 0;
  int32_t first = 0;  // node that writes it
  int32_t last = 0;   // last node that reads it
};

class Planner {
 public:
  explicit Planner(const Graph& graph) : graph_(graph) {}

  MemoryPlan run() {
    assign_views_and_last_reads();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) assign(static_cast<int32_t>(i));
    place_arena();
    stage_updates();
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      auto& row = plan_.locations.emplace_back();
      for (size_t k = 0; k < graph_.nodes[i].outputs.size(); ++k)
        row.push_back(storages_[storage_[i][k]].location);
    }
    return std::move(plan_);
  }

 private:
  size_t& storage_of(Value v) {
    return storage_[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
  }
  int32_t& last_read(Value v) {
    return last_read_[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
  }

  // The value whose memory v is: itself unless v is a view.
  Value root(Value v) const {
    while (graph_.node(v).op->is_view) v = graph_.node(v).inputs[0];
    return v;
  }

  void assign_views_and_last_reads() {
    for (const Node& node : graph_.nodes) {
      storage_.emplace_back(node.outputs.size(), 0);
      last_read_.emplace_back(node.outputs.size(), -1);
    }
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].op->is_view) continue;  // reads nothing itself
      for (const Value v : graph_.nodes[i].inputs) last_read(root(v)) = static_cast<int32_t>(i);
    }
    // Which values can be written straight into an output's or a variable's memory.
    target_.resize(graph_.nodes.size());
    for (size_t i = 0; i < graph_.nodes.size(); ++i)
      target_[i].resize(graph_.nodes[i].outputs.size());
    for (size_t i = 0; i < graph_.outputs.size(); ++i) {
      const Value v = root(graph_.outputs[i]);
      auto& target = target_[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
      if (is_source(graph_.node(v)) || target.wanted) {
        plan_.copied_outputs.push_back(static_cast<int32_t>(i));
        last_read(v) = kEnd;
      } else {
        target = {true, Place::kOutput, static_cast<int32_t>(i)};
      }
    }
    std::vector<Value> variable_nodes(static_cast<size_t>(graph_.variable_count));
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].op == &kVariableOp) {
        variable_nodes[static_cast<size_t>(graph_.nodes[i].slot)] = {static_cast<int32_t>(i), 0};
      }
    }
    std::vector<size_t> in_place;
    for (size_t i = 0; i < graph_.updates.size(); ++i) {
      const Value v = root(graph_.updates[i].value);
      auto& target = target_[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
      if (is_source(graph_.node(v)) || target.wanted) {
        plan_.copied_updates.push_back(static_cast<int32_t>(i));
        last_read(v) = kEnd;
      } else {
        in_place.push_back(i);
        target.wanted = true;
      }
    }
    // last_read is complete now but for values that change places below; those only gain readers at
    // the end.
    for (const size_t i : in_place) {
      const Update& update = graph_.updates[i];
      const Value v = root(update.value);
      auto& target = target_[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
      const Value old = variable_nodes[static_cast<size_t>(update.slot)];
      const int32_t read = old ? last_read(old) : -1;
      const bool free = read < v.node || (read == v.node && shares(v, old));
      if (free) {
        target = {true, Place::kVariable, update.slot};
      } else {
        target.wanted = false;
        plan_.copied_updates.push_back(static_cast<int32_t>(i));
        last_read(v) = kEnd;
      }
    }
    std::sort(plan_.copied_updates.begin(), plan_.copied_updates.end());
  }

  // Whether node v.node may write output v.index over the memory of `over`, every operand in that
  // memory permitting.
  bool shares(Value v, Value over) const {
    const Node& node = graph_.node(v);
    bool found = false;
    for (size_t k = 0; k < node.inputs.size(); ++k) {
      if (!(root(node.inputs[k]) == over)) continue;
      if (!may_share(node, v.index, static_cast<int>(k))) return false;
      found = true;
    }
    return found && graph_.type(over).bytes() == graph_.type(v).bytes();
  }

  bool may_share(const Node& node, int output, int input) const {
    if (node.payload != nullptr) {
      if (const auto decided = node.payload->may_share(output, input)) return *decided;
    }
    if (node.op->may_share != nullptr) {
      std::vector<TensorType> types;
      for (const Value x : node.inputs) types.push_back(graph_.type(x));
      return node.op->may_share(
          OpCall{*node.op, types, node.outputs, node.attrs, node.payload.get()}, output, input);
    }
    return output == 0 && input < 32 && ((node.op->in_place_inputs >> input) & 1u) != 0;
  }

  void assign(int32_t i) {
    const Node& node = graph_.nodes[static_cast<size_t>(i)];
    if (node.op->is_view) {
      storage_of({i, 0}) = storage_of(node.inputs[0]);
      return;
    }
    for (int32_t k = 0; k < static_cast<int32_t>(node.outputs.size()); ++k) {
      const Value v{i, k};
      storage_of(v) = storage_for(v, node);
    }
  }

  size_t storage_for(Value v, const Node& node) {
    Storage storage{{}, graph_.type(v).bytes(), v.node, std::max(last_read(v), v.node)};
    if (is_source(node)) {
      const Place place = node.op == &kInputOp      ? Place::kInput
                          : node.op == &kVariableOp ? Place::kVariable
                                                    : Place::kConstant;
      storage.location = {place, node.op == &kConstantOp ? v.node : node.slot, 0};
      return add(storage);
    }
    const Target target = target_[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
    if (target.wanted) {
      storage.location = {target.place, target.slot, 0};
      return add(storage);
    }
    if (last_read(v) < 0 && v.index < 32 && ((node.op->optional_outputs >> v.index) & 1u) != 0) {
      storage.location.place = Place::kNone;
      return add(storage);
    }
    for (const Value x : node.inputs) {
      Storage& candidate = storages_[storage_of(x)];
      if (candidate.location.place != Place::kArena || candidate.last != v.node ||
          taken(v, storage_of(x)) || !shares(v, root(x)) ||
          !only_reads(node, root(x), storage_of(x))) {
        continue;
      }
      candidate.last = storage.last;
      return storage_of(x);
    }
    return add(storage);
  }

  // Whether an earlier output of the node took that storage.
  bool taken(Value v, size_t storage) const {
    for (int32_t k = 0; k < v.index; ++k) {
      if (storage_[static_cast<size_t>(v.node)][static_cast<size_t>(k)] == storage) return true;
    }
    return false;
  }

  // Whether the node reads that storage through `value` alone, not through an older value in the
  // same memory.
  bool only_reads(const Node& node, Value value, size_t storage) {
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](Value x) { return storage_of(x) != storage || root(x) == value; });
  }

  size_t add(const Storage& storage) {
    storages_.push_back(storage);
    return storages_.size() - 1;
  }

  void place_arena() {
    std::vector<size_t> order;
    for (size_t i = 0; i < storages_.size(); ++i) {
      if (storages_[i].location.place == Place::kArena) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return storages_[a].bytes > storages_[b].bytes; });
    std::vector<size_t> placed;  // by offset
    for (const size_t i : order) {
      Storage& storage = storages_[i];
      const size_t bytes = aligned(storage.bytes);
      size_t offset = 0;
      for (const size_t j : placed) {
        const Storage& other = storages_[j];
        if (other.last < storage.first || storage.last < other.first) continue;
        if (offset + bytes <= other.location.offset) break;
        offset = std::max(offset, other.location.offset + aligned(other.bytes));
      }
      storage.location.offset = offset;
      plan_.arena_bytes = std::max(plan_.arena_bytes, offset + bytes);
      const auto at = std::upper_bound(
          placed.begin(), placed.end(), offset,
          [&](size_t value, size_t j) { return value < storages_[j].location.offset; });
      placed.insert(at, i);
    }
  }

  void stage_updates() {
    const auto reads_variable = [&](int32_t i) {
      return graph_.node(root(graph_.updates[static_cast<size_t>(i)].value)).op == &kVariableOp;
    };
    for (const int32_t i : plan_.copied_updates) {
      if (!reads_variable(i)) continue;
      plan_.staged_updates.push_back({i, plan_.arena_bytes});
      plan_.arena_bytes +=
          aligned(graph_.type(graph_.updates[static_cast<size_t>(i)].value).bytes());
    }
    std::erase_if(plan_.copied_updates, reads_variable);
  }

  struct Target {
    bool wanted = false;
    Place place = Place::kArena;
    int32_t slot = 0;
  };

  const Graph& graph_;
  MemoryPlan plan_;
  std::vector<Storage> storages_;
  std::vector<std::vector<size_t>> storage_;
  std::vector<std::vector<int32_t>> last_read_;
  std::vector<std::vector<Target>> target_;
};

}  // namespace

MemoryPlan plan_memory(const Graph& graph) { return Planner(graph).run(); }

}  // namespace pronghorn
