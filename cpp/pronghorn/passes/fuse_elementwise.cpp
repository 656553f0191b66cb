#include "pronghorn/passes/fuse_elementwise.h"

#include <algorithm>
#include <functional>
#include <map>
#include <queue>
#include <set>

#include "pronghorn/passes/elementwise_groups.h"
#include "pronghorn/passes/tile_builder.h"
#include "pronghorn/tile/fused.h"

namespace pronghorn {
namespace {

// A unit becomes one node of the result: a group, or a node outside of groups.
class Fusion {
 public:
  explicit Fusion(const Graph& graph)
      : graph_(graph), groups_(group_elementwise(graph)), readers_(graph) {
    unit_of_.assign(graph.nodes.size(), -1);
    std::vector<int32_t> unit_of_group(static_cast<size_t>(groups_.count), -1);
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const int32_t group = groups_.group[i];
      int32_t unit = group < 0 ? -1 : unit_of_group[at(group)];
      if (unit < 0) {
        unit = static_cast<int32_t>(units_.size());
        units_.emplace_back();
        if (group >= 0) unit_of_group[at(group)] = unit;
      }
      units_[at(unit)].push_back(static_cast<int32_t>(i));
      unit_of_[i] = unit;
    }
    moved_.resize(graph.nodes.size());
    for (size_t i = 0; i < graph.nodes.size(); ++i) moved_[i].resize(graph.nodes[i].outputs.size());
  }

  Graph run() {
    result_.input_count = graph_.input_count;
    result_.variable_count = graph_.variable_count;
    for (const int32_t unit : order()) emit(units_[at(unit)]);
    for (const Value v : graph_.outputs) result_.outputs.push_back(moved(v));
    for (const Update& update : graph_.updates)
      result_.updates.push_back({update.slot, moved(update.value)});
    return std::move(result_);
  }

 private:
  static size_t at(int32_t i) { return static_cast<size_t>(i); }

  // Sources and scalars cost no memory, and nothing waits for updates: both run as soon as they
  // can. The others keep their order.
  int32_t priority(int32_t unit) const {
    const auto& nodes = units_[at(unit)];
    const bool early = std::all_of(nodes.begin(), nodes.end(), [&](int32_t i) {
      const Node& node = graph_.nodes[at(i)];
      if (is_source(node) || is_scalar(node)) return true;
      const auto& readers = readers_.nodes[at(i)];
      return std::all_of(readers.begin(), readers.end(),
                         [&](int32_t reader) { return unit_of_[at(reader)] == unit; });
    });
    return early ? -1 : nodes.back();
  }

  bool is_scalar(const Node& node) const {
    const auto scalar = [](const TensorType& type) { return type.shape.rank() == 0; };
    return std::all_of(node.outputs.begin(), node.outputs.end(), scalar) &&
           std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](Value v) { return scalar(graph_.type(v)); });
  }

  // Units in an order in which each comes after those it reads and, if possible, after the other
  // readers of the variables that it overwrites.
  std::vector<int32_t> order() const {
    const size_t count = units_.size();
    std::vector<std::set<int32_t>> reads(count);
    std::vector<std::vector<int32_t>> readers(count);
    for (size_t u = 0; u < count; ++u) {
      for (const int32_t i : units_[u]) {
        for (const Value v : graph_.nodes[at(i)].inputs) {
          const int32_t from = unit_of_[at(v.node)];
          if (from != static_cast<int32_t>(u)) reads[u].insert(from);
        }
      }
      for (const int32_t from : reads[u]) readers[at(from)].push_back(static_cast<int32_t>(u));
    }
    std::vector<int32_t> variable_unit(at(graph_.variable_count), -1);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].op == &kVariableOp) variable_unit[at(graph_.nodes[i].slot)] = unit_of_[i];
    }
    std::vector<std::set<int32_t>> waits(count);  // for readers of overwritten variables
    std::vector<std::vector<int32_t>> releases(count);
    for (const Update& update : graph_.updates) {
      const int32_t variable = variable_unit[at(update.slot)];
      const int32_t writer = unit_of_[at(update.value.node)];
      if (variable < 0 || writer == variable) continue;
      for (const int32_t reader : readers[at(variable)]) {
        if (reader != writer && waits[at(writer)].insert(reader).second)
          releases[at(reader)].push_back(writer);
      }
    }

    using Entry = std::pair<int32_t, int32_t>;  // priority, unit
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> ready;
    std::set<Entry> parked;
    std::vector<size_t> missing(count);
    std::vector<size_t> held(count);
    const auto enqueue = [&](int32_t unit) {
      if (missing[at(unit)] > 0) return;
      if (held[at(unit)] > 0) {
        parked.insert({priority(unit), unit});
      } else {
        parked.erase({priority(unit), unit});
        ready.push({priority(unit), unit});
      }
    };
    for (size_t u = 0; u < count; ++u) {
      missing[u] = reads[u].size();
      held[u] = waits[u].size();
    }
    for (size_t u = 0; u < count; ++u) enqueue(static_cast<int32_t>(u));
    std::vector<int32_t> order;
    std::vector<bool> done(count, false);
    while (order.size() < count) {
      if (ready.empty()) {
        if (parked.empty()) internal_error("fuse_elementwise made a cycle.");
        ready.push(*parked.begin());
        parked.erase(parked.begin());
      }
      const int32_t unit = ready.top().second;
      ready.pop();
      order.push_back(unit);
      done[at(unit)] = true;
      for (const int32_t reader : readers[at(unit)]) {
        if (--missing[at(reader)] == 0) enqueue(reader);
      }
      for (const int32_t writer : releases[at(unit)]) {
        if (--held[at(writer)] == 0 && !done[at(writer)]) enqueue(writer);
      }
    }
    return order;
  }

  Value moved(Value v) const { return moved_[at(v.node)][at(v.index)]; }

  void emit(const std::vector<int32_t>& nodes) {
    if (groups_.group[at(nodes.front())] >= 0) {
      emit_group(nodes);
      return;
    }
    const int32_t i = nodes.front();
    if (graph_.nodes[at(i)].op == &kConstantOp && !is_needed(i)) return;
    Node node = graph_.nodes[at(i)];
    for (Value& v : node.inputs) v = moved(v);
    for (int32_t k = 0; k < static_cast<int32_t>(node.outputs.size()); ++k) {
      moved_[at(i)][at(k)] = {static_cast<int32_t>(result_.nodes.size()), k};
    }
    result_.nodes.push_back(std::move(node));
  }

  // Whether anything reads a constant that is not part of programs.
  bool is_needed(int32_t i) const {
    const auto& readers = readers_.nodes[at(i)];
    return readers_.leaves[at(i)] ||
           std::any_of(readers.begin(), readers.end(), [&](int32_t reader) {
             return groups_.group[at(reader)] < 0 ||
                    !TileBuilder::is_immediate(graph_.nodes[at(i)]);
           });
  }

  void emit_group(const std::vector<int32_t>& nodes) {
    const int32_t unit = unit_of_[at(nodes.front())];
    TileBuilder tiles(graph_, graph_.nodes[at(nodes.front())].outputs[0].shape);
    Node fused{.op = &kFusedElementwiseOp};
    for (const int32_t i : nodes) {
      const Node& node = graph_.nodes[at(i)];
      tiles.add(i);
      const auto& readers = readers_.nodes[at(i)];
      const bool stored = readers_.leaves[at(i)] ||
                          std::any_of(readers.begin(), readers.end(),
                                      [&](int32_t reader) { return unit_of_[at(reader)] != unit; });
      if (!stored) continue;
      tiles.output(i);
      moved_[at(i)][0] = {static_cast<int32_t>(result_.nodes.size()),
                          static_cast<int32_t>(fused.outputs.size())};
      fused.outputs.push_back(node.outputs[0]);
    }
    if (fused.outputs.empty()) return;  // dead
    for (const Value v : tiles.operands()) fused.inputs.push_back(moved(v));
    const std::shared_ptr<TileProgram> program = tiles.take();
    program->finish();
    fused.payload = program;
    result_.nodes.push_back(std::move(fused));
  }

  const Graph& graph_;
  ElementwiseGroups groups_;
  Readers readers_;
  std::vector<std::vector<int32_t>> units_;
  std::vector<int32_t> unit_of_;           // by node
  std::vector<std::vector<Value>> moved_;  // by node and output: the value in the result
  Graph result_;
};

}  // namespace

Graph fuse_elementwise(const Graph& graph) { return Fusion(graph).run(); }

}  // namespace pronghorn
