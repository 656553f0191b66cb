// The tensor that Python sees: data, or a value of the graph of a trace.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "pronghorn/ir/builder.h"
#include "pronghorn/ir/graph.h"

namespace pronghorn {

// A graph under construction, and the memory behind its variables and constants.
struct Trace {
  Graph graph;
  std::vector<Tensor> variables;                     // by slot
  std::unordered_map<const void*, Value> by_memory;  // variables and constants known already
  std::vector<Tensor> kept;                          // keeps the memory of `by_memory` alive

  // Inside another trace, values of that one become inputs: captures[i] is captured[i] here.
  std::shared_ptr<Trace> around;
  int depth = 0;
  std::vector<Value> captures;
  std::vector<Value> captured;

  // The value of this trace that stands for one of `trace`, this or one around it; else no value.
  Value local(const Trace& trace, Value value);

  Value variable(const Tensor& storage);
  Value constant(const Tensor& tensor);
};

struct Handle {
  Tensor data;                   // empty: symbolic
  std::shared_ptr<Trace> trace;  // of a symbolic tensor
  Value value;

  bool is_symbolic() const { return trace != nullptr; }
  const TensorType& type() const { return is_symbolic() ? trace->graph.type(value) : data.type(); }
};

}  // namespace pronghorn
