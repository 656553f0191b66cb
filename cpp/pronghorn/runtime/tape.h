// Records ops that run eagerly as a graph whose values are known, to take gradients of them.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "pronghorn/ir/builder.h"
#include "pronghorn/ir/graph.h"

namespace pronghorn {

class Tape {
 public:
  // inputs and results: what apply_eager was given and returned. Tensors are known by their memory,
  // which the tape keeps.
  void record(const OpDef& op, std::span<const Tensor> inputs, const Attrs& attrs,
              std::span<const Tensor> results);

  // Gradients of target (its elements summed, or weighted by `seed` if that is not empty) with
  // respect to the sources; an empty tensor where target does not depend on one. Tapes in
  // `recorders` record how they are computed, so that these have gradients, too.
  std::vector<Tensor> gradient(const Tensor& target, std::span<const Tensor> sources,
                               const Tensor& seed,
                               std::span<const std::shared_ptr<Tape>> recorders) const;

  // Whether no recorded op made the tensor.
  bool is_leaf(const Tensor& tensor) const;

 private:
  Value value_of(const Tensor& tensor);
  std::vector<std::vector<Value>> replay(Builder& g, std::vector<std::vector<Tensor>>& known) const;

  Graph graph_;
  std::vector<std::vector<Tensor>> tensors_;  // by node and output
  std::unordered_map<const void*, Value> by_memory_;
};

}  // namespace pronghorn
