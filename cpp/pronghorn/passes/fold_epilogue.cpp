#include "pronghorn/passes/fold_epilogue.h"

#include <algorithm>
#include <map>

#include "pronghorn/passes/epilogue_chain.h"
#include "pronghorn/passes/tile_builder.h"
#include "pronghorn/tile/epilogue.h"

namespace pronghorn {
namespace {

class Folding {
 public:
  explicit Folding(const Graph& graph)
      : graph_(graph), finder_(graph), moved_(graph.nodes.size(), -1) {
    for (size_t i = 0; i < graph.nodes.size(); ++i) {
      const Node& node = graph.nodes[i];
      if (!node.op->takes_epilogue || node.payload != nullptr) continue;
      const DType dtype = node.outputs[0].dtype;
      if (dtype != DType::kFloat32 && !(node.op->epilogue_has_outputs && is_float(dtype))) continue;
      EpilogueChain chain = finder_.find(static_cast<int32_t>(i));
      if (!chain.nodes.empty()) chains_.emplace(chain.place, std::move(chain));
    }
  }

  Graph run() {
    result_.input_count = graph_.input_count;
    result_.variable_count = graph_.variable_count;
    for (int32_t i = 0; i < static_cast<int32_t>(graph_.nodes.size()); ++i) {
      const auto found = chains_.find(i);
      if (found != chains_.end()) {
        emit_chain(found->second);
      } else if (!finder_.is_absorbed(i)) {
        moved_[at(i)] = emit(graph_.nodes[at(i)]);
      }
    }
    for (const Value v : graph_.outputs) result_.outputs.push_back(moved(v));
    for (const Update& update : graph_.updates)
      result_.updates.push_back({update.slot, moved(update.value)});
    return std::move(result_);
  }

 private:
  static size_t at(int32_t i) { return static_cast<size_t>(i); }

  Value moved(Value v) const {
    const auto found = replaced_.find(v.node);
    return found != replaced_.end() && v.index == 0 ? found->second
                                                    : Value{moved_[at(v.node)], v.index};
  }

  // Adds a node whose inputs are values of the old graph.
  int32_t emit(Node node) {
    for (Value& v : node.inputs) v = moved(v);
    result_.nodes.push_back(std::move(node));
    return static_cast<int32_t>(result_.nodes.size()) - 1;
  }

  void emit_chain(const EpilogueChain& chain) {
    Node node = graph_.nodes[at(chain.op)];
    const TensorType result{DType::kFloat32, node.outputs[0].shape};
    const size_t own_inputs = node.inputs.size();
    const size_t own_outputs = node.outputs.size();
    TileBuilder tiles(graph_, graph_.nodes[at(chain.start())].outputs[0].shape);
    tiles.operand({chain.start(), 0}, DType::kFloat32);
    for (const int32_t i : chain.nodes) tiles.add(i);
    for (size_t k = 0; k < chain.outputs.size(); ++k) {
      const TensorType type = tiles.output(chain.outputs[k]);
      if (k > 0) {
        node.outputs.push_back(type);
      } else if (!chain.in_place) {
        node.outputs[0] = type;
      }
    }
    node.inputs.insert(node.inputs.end(), tiles.operands().begin() + 1, tiles.operands().end());
    node.payload = std::make_shared<EpiloguePayload>(tiles.take(), result, own_inputs, own_outputs,
                                                     chain.in_place);
    const int32_t op = moved_[at(chain.op)] = emit(std::move(node));
    for (size_t k = 1; k < chain.outputs.size(); ++k) {
      replaced_[chain.outputs[k]] = {op, static_cast<int32_t>(own_outputs + k - 1)};
    }
    Value first{op, 0};
    if (chain.in_place) {
      for (const int32_t view : chain.views) {
        Node again = graph_.nodes[at(view)];
        again.inputs[0] = first;
        result_.nodes.push_back(std::move(again));
        first = {static_cast<int32_t>(result_.nodes.size()) - 1, 0};
      }
    }
    replaced_[chain.outputs[0]] = first;
  }

  const Graph& graph_;
  EpilogueFinder finder_;
  std::map<int32_t, EpilogueChain> chains_;  // by the node whose place they take
  std::vector<int32_t> moved_;               // by node
  std::map<int32_t, Value> replaced_;        // output 0 of a node that became part of another
  Graph result_;
};

}  // namespace

Graph fold_epilogue(const Graph& graph) { return Folding(graph).run(); }

}  // namespace pronghorn
