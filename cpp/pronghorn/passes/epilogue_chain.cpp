#include "pronghorn/passes/epilogue_chain.h"

#include <algorithm>

#include "pronghorn/tile/lower.h"

namespace pronghorn {
namespace {

constexpr size_t kMostNodes = kTileMaxInstructions / 2;
constexpr size_t kMostOperands = kTileMaxOperands / 2;

}  // namespace

EpilogueFinder::EpilogueFinder(const Graph& graph)
    : graph_(graph),
      readers_(graph),
      absorbed_(graph.nodes.size(), false),
      leaf_(graph.nodes.size(), false),
      updates_(graph.nodes.size(), false) {
  for (const Update& update : graph.updates) {
    if (update.value.index != 0) continue;
    leaf_[at(update.value.node)] = true;
    updates_[at(update.value.node)] = true;
  }
  for (const Value v : graph.outputs) {
    if (v.index != 0) continue;
    leaf_[at(v.node)] = true;
    updates_[at(v.node)] = false;
  }
}

std::vector<int32_t> EpilogueFinder::readers(int32_t i) const {
  std::vector<int32_t> result;
  for (const int32_t reader : readers_.nodes[at(i)]) {
    const auto& inputs = node(reader).inputs;
    if (std::find(inputs.begin(), inputs.end(), Value{i, 0}) == inputs.end()) continue;
    if (result.empty() || result.back() != reader) result.push_back(reader);
  }
  return result;
}

// -1 if there are several or an output of the graph needs the node.
int32_t EpilogueFinder::only_reader(int32_t i) const {
  const std::vector<int32_t> all = readers(i);
  return all.size() == 1 && !leaf_[at(i)] ? all[0] : -1;
}

EpilogueChain EpilogueFinder::find(int32_t op) {
  EpilogueChain chain{.op = op};
  for (int32_t next, current = op; (next = only_reader(current)) >= 0 && node(next).op->is_view;
       current = next) {
    chain.views.push_back(next);
  }
  if (node(op).op->epilogue_has_outputs) {
    EpilogueChain updates = find_updates(chain);
    if (!updates.nodes.empty()) {
      accept(updates);
      return updates;
    }
  }
  chain = find_line(std::move(chain));
  if (!chain.nodes.empty()) accept(chain);
  return chain;
}

void EpilogueFinder::accept(EpilogueChain& chain) {
  absorbed_[at(chain.op)] = true;
  for (const int32_t i : chain.views) absorbed_[at(i)] = true;
  for (const int32_t i : chain.nodes) absorbed_[at(i)] = true;
}

// All that is computed from the result, if it is elementwise and ends in updates of variables.
EpilogueChain EpilogueFinder::find_updates(EpilogueChain chain) const {
  const EpilogueChain none{.op = chain.op};
  if (leaf_[at(chain.start())] || node(chain.op).outputs.size() > 1) return none;
  const Shape& shape = type(chain.start()).shape;
  std::vector<int32_t> reached = readers(chain.start());
  // In the order of the graph, so that what a node reads was seen before it.
  std::set<int32_t> waiting(reached.begin(), reached.end());
  while (!waiting.empty()) {
    const int32_t i = *waiting.begin();
    waiting.erase(waiting.begin());
    if (absorbed_[at(i)] || !is_tileable(graph_, node(i)) || !(type(i).shape == shape)) return none;
    const std::vector<int32_t> next = readers(i);
    if (next.empty() || leaf_[at(i)]) {
      if (!updates_[at(i)] || type(i).dtype != DType::kFloat32) return none;
      chain.outputs.push_back(i);
    }
    chain.nodes.insert(i);
    waiting.insert(next.begin(), next.end());
    if (chain.nodes.size() > kMostNodes) return none;
  }
  if (chain.outputs.empty()) return none;
  // What they read beside: computed by them alone, or before the last of them.
  const std::set<int32_t> own = chain.nodes;
  for (const int32_t i : own) {
    for (const Value v : node(i).inputs) {
      if (v.node != chain.start() && own.count(v.node) == 0) absorb_operand(chain, v.node);
    }
  }
  chain.in_place = false;
  chain.place = chain.last();
  return fits(chain) ? chain : none;
}

// A line of nodes, each of which reads the one before.
EpilogueChain EpilogueFinder::find_line(EpilogueChain chain) const {
  const OpDef& op = *node(chain.op).op;
  const TensorType result = type(chain.start());
  EpilogueChain best{.op = chain.op};
  for (int32_t current = chain.start();;) {
    const std::vector<int32_t> all = readers(current);
    const bool shared = all.size() > 1 || leaf_[at(current)];
    if (all.empty() || (shared && !op.epilogue_has_outputs)) break;
    const int32_t next = all[0];
    if (absorbed_[at(next)] || !is_tileable(graph_, node(next)) ||
        !(type(next).shape == result.shape) || reads_other_output(node(next), chain.op)) {
      break;
    }
    if (shared) {
      // It pays only if the next value has to be in memory anyway, and its readers come later.
      if (!is_float(type(current).dtype)) break;
      const std::vector<int32_t> after = readers(next);
      if (after.empty() || is_tileable(graph_, node(after[0]))) break;
      chain.outputs.push_back(current);
    }
    chain.nodes.insert(next);
    for (const Value v : node(next).inputs) {
      if (v.node != current && chain.nodes.count(v.node) == 0 && v.node != chain.start())
        absorb_operand(chain, v.node);
    }
    if (!fits(chain) || updates_operand(chain)) break;
    current = next;
    const DType dtype = type(current).dtype;
    if (dtype != DType::kFloat32 && !(op.epilogue_has_outputs && is_float(dtype))) continue;
    EpilogueChain candidate = chain;
    candidate.outputs.push_back(current);
    candidate.in_place =
        type(candidate.outputs[0]).dtype == DType::kFloat32 && result.dtype == DType::kFloat32;
    if (place(candidate)) best = std::move(candidate);
  }
  return best;
}

// Chooses the op's place, or the last node's if operands come after the op. Readers of its other
// outputs, and of values inside of the chain, must come later.
bool EpilogueFinder::place(EpilogueChain& chain) const {
  const auto all = operands(chain);
  if (all.empty() || all.rbegin()->first < chain.op) {
    chain.place = chain.op;
    return true;
  }
  chain.place = chain.last();
  if (node(chain.op).outputs.size() > 1) return false;
  return std::all_of(chain.outputs.begin(), chain.outputs.end(), [&](int32_t output) {
    const std::vector<int32_t> later = readers(output);
    return std::all_of(later.begin(), later.end(), [&](int32_t reader) {
      return chain.nodes.count(reader) > 0 || reader > chain.place;
    });
  });
}

// Whether it needs another output of the op, which may not be complete when the chain runs.
bool EpilogueFinder::reads_other_output(const Node& node, int32_t op) const {
  return std::any_of(node.inputs.begin(), node.inputs.end(),
                     [&](Value v) { return v.node == op && v.index != 0; });
}

// Adds what computes an operand, if only the chain needs it: the mask of a relu's gradient.
void EpilogueFinder::absorb_operand(EpilogueChain& chain, int32_t i) const {
  const Node& n = node(i);
  const auto& all = readers_.nodes[at(i)];
  const bool inside = std::all_of(all.begin(), all.end(),
                                  [&](int32_t reader) { return chain.nodes.count(reader) > 0; });
  if (!inside || readers_.leaves[at(i)] || absorbed_[at(i)] || !is_tileable(graph_, n) ||
      reads_other_output(n, chain.op) || !(n.outputs[0].shape == type(chain.start()).shape)) {
    return;
  }
  chain.nodes.insert(i);
  for (const Value v : n.inputs) {
    if (chain.nodes.count(v.node) == 0 && v.node != chain.start()) absorb_operand(chain, v.node);
  }
}

// What the chain reads besides the op's result.
std::set<std::pair<int32_t, int32_t>> EpilogueFinder::operands(const EpilogueChain& chain) const {
  std::set<std::pair<int32_t, int32_t>> operands;
  for (const int32_t i : chain.nodes) {
    for (const Value v : node(i).inputs) {
      if (v.node != chain.start() && chain.nodes.count(v.node) == 0)
        operands.insert({v.node, v.index});
    }
  }
  return operands;
}

bool EpilogueFinder::fits(const EpilogueChain& chain) const {
  return chain.nodes.size() <= kMostNodes && operands(chain).size() <= kMostOperands;
}

// Whether the result overwrites a variable that the chain reads: a result in place cannot be built
// up in memory that is still read, so the update is better left to a step that works in place.
bool EpilogueFinder::updates_operand(const EpilogueChain& chain) const {
  const auto all = operands(chain);
  return std::any_of(graph_.updates.begin(), graph_.updates.end(), [&](const Update& update) {
    return update.value == Value{chain.last(), 0} &&
           std::any_of(all.begin(), all.end(), [&](const auto& operand) {
             const Node& n = node(operand.first);
             return n.op == &kVariableOp && n.slot == update.slot;
           });
  });
}

}  // namespace pronghorn
