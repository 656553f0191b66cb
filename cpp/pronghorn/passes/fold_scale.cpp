#include "pronghorn/passes/fold_scale.h"

#include <algorithm>
#include <map>

#include "pronghorn/ir/builder.h"
#include "pronghorn/passes/elementwise_groups.h"
#include "pronghorn/passes/hoist.h"
#include "pronghorn/tile/opcodes.h"

namespace pronghorn {
namespace {

// What follows a product, in order, down to the last node of which the value stays.
struct Chain {
  int32_t product = -1;
  std::vector<int32_t> nodes;
};

class Folding {
 public:
  explicit Folding(const Graph& graph)
      : graph_(graph), fixed_(fixed_nodes(graph)), readers_(graph), g_(result_) {}

  Graph run() {
    std::map<int32_t, Chain> chains;  // by last node
    std::vector<bool> inside(graph_.nodes.size(), false);
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const Chain chain = find(static_cast<int32_t>(i));
      if (chain.nodes.empty()) continue;
      inside[at(chain.product)] = true;
      for (const int32_t node : chain.nodes) inside[at(node)] = true;
      chains[chain.nodes.back()] = chain;
    }
    if (chains.empty()) return graph_;
    result_.input_count = graph_.input_count;
    result_.variable_count = graph_.variable_count;
    place_.resize(graph_.nodes.size());
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto chain = chains.find(static_cast<int32_t>(i));
      if (chain != chains.end()) {
        place_[i] = {emit(chain->second)};
      } else if (!inside[i]) {
        copy(i);
      }
    }
    for (const Value v : graph_.outputs) result_.outputs.push_back(moved(v));
    for (const Update& update : graph_.updates)
      result_.updates.push_back({update.slot, moved(update.value)});
    return std::move(result_);
  }

 private:
  static size_t at(int32_t i) { return static_cast<size_t>(i); }
  const Node& node(int32_t i) const { return graph_.nodes[at(i)]; }
  Value moved(Value v) const { return place_[at(v.node)][static_cast<size_t>(v.index)]; }
  TileOp opcode(const Node& n) const {
    return n.op->tile_opcode < 0 ? TileOp::kCount : static_cast<TileOp>(n.op->tile_opcode);
  }

  // A fixed number, or a vector along the last of the dimensions.
  bool is_vector(Value v, const Shape& shape) const {
    const Shape& own = graph_.type(v).shape;
    if (!fixed_[at(v.node)] || own.rank() > shape.rank()) return false;
    return own.rank() == 0 ||
           (own.size() == own.back() && (own.back() == 1 || own.back() == shape.back()));
  }

  // The operand that node n combines with value `of`, if that is a vector; else no value.
  Value other_operand(const Node& n, int32_t of) const {
    const TileOp op = opcode(n);
    if (op != TileOp::multiply && op != TileOp::add && op != TileOp::subtract) return {};
    const bool first = n.inputs[0].node == of;
    if (!first && op == TileOp::subtract) return {};
    const Value other = n.inputs[first ? 1 : 0];
    return other.node != of && n.outputs[0] == node(of).outputs[0] &&
                   is_vector(other, n.outputs[0].shape)
               ? other
               : Value{};
  }

  bool follows(int32_t i, int32_t of) const {
    const Node& n = node(i);
    if (n.op->is_view && n.inputs.size() == 1)
      return n.outputs[0].shape.rank() > 0 && n.outputs[0].shape.back() == width(of);
    return static_cast<bool>(other_operand(n, of));
  }

  int64_t width(int32_t i) const { return node(i).outputs[0].shape.back(); }

  // No nodes if there is nothing to fold.
  Chain find(int32_t i) const {
    const Node& product = node(i);
    if (product.op->scale_columns == nullptr || fixed_[at(i)] || product.payload != nullptr ||
        product.outputs[0].dtype != DType::kFloat32 || product.inputs.size() != 2 ||
        !fixed_[at(product.inputs[1].node)] ||
        graph_.type(product.inputs[1]).dtype != DType::kFloat32) {
      return {};
    }
    Chain chain{i, {}};
    bool scaled = false;
    size_t used = 0;  // without the views at the end
    for (int32_t last = i;;) {
      const auto& readers = readers_.nodes[at(last)];
      if (readers_.leaves[at(last)] || readers.size() != 1 || !follows(readers[0], last)) break;
      last = readers[0];
      chain.nodes.push_back(last);
      if (!node(last).op->is_view) used = chain.nodes.size();
      scaled = scaled || opcode(node(last)) == TileOp::multiply;
    }
    chain.nodes.resize(scaled ? used : 0);
    return chain;
  }

  void copy(size_t i) {
    Node node = graph_.nodes[i];
    for (Value& v : node.inputs) v = moved(v);
    const auto index = static_cast<int32_t>(result_.nodes.size());
    for (size_t k = 0; k < node.outputs.size(); ++k)
      place_[i].push_back({index, static_cast<int32_t>(k)});
    result_.nodes.push_back(std::move(node));
  }

  Value emit(const Chain& chain) {
    Node product = node(chain.product);
    for (Value& v : product.inputs) v = moved(v);
    const Shape columns{width(chain.product)};
    Value factor;
    Value shift;
    int32_t last = chain.product;
    for (const int32_t i : chain.nodes) {
      const Node& n = node(i);
      if (!n.op->is_view) {
        const Value own = moved(other_operand(n, last));
        const Value vector = g_.broadcast_to(g_.reshape(own, Shape{g_.shape(own).size()}), columns);
        const TileOp op = opcode(n);
        if (op == TileOp::multiply) {
          factor = factor ? g_.apply("multiply", {factor, vector}) : vector;
          if (shift) shift = g_.apply("multiply", {shift, vector});
        } else if (op == TileOp::add) {
          shift = shift ? g_.apply("add", {shift, vector}) : vector;
        } else {
          shift = shift ? g_.apply("subtract", {shift, vector}) : g_.apply("negative", {vector});
        }
      }
      last = i;
    }
    const Value y = g_.reshape(product.op->scale_columns(g_, product, factor),
                               node(chain.nodes.back()).outputs[0].shape);
    return shift ? g_.apply("add", {y, shift}) : y;
  }

  const Graph& graph_;
  std::vector<bool> fixed_;
  Readers readers_;
  Graph result_;
  Builder g_;
  std::vector<std::vector<Value>> place_;
};

}  // namespace

Graph fold_scale(const Graph& graph) { return Folding(graph).run(); }

}  // namespace pronghorn
