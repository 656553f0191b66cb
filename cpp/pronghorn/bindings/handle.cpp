#include "pronghorn/bindings/handle.h"

namespace pronghorn {

Value Trace::variable(const Tensor& storage) {
  const auto found = by_memory.find(storage.data());
  if (found != by_memory.end()) return found->second;
  const Value v = Builder(graph).variable(storage.type());
  variables.push_back(storage);
  by_memory.emplace(storage.data(), v);
  return v;
}

Value Trace::constant(const Tensor& tensor) {
  const auto found = by_memory.find(tensor.data());
  if (found != by_memory.end() && graph.type(found->second) == tensor.type()) return found->second;
  const Value v = Builder(graph).constant(tensor);
  kept.push_back(tensor);
  by_memory.insert_or_assign(tensor.data(), v);
  return v;
}

Value Trace::local(const Trace& trace, Value value) {
  if (&trace == this) return value;
  if (around == nullptr) return {};
  const Value outer = around->local(trace, value);
  if (!outer) return {};
  for (size_t i = 0; i < captures.size(); ++i) {
    if (captures[i] == outer) return captured[i];
  }
  captures.push_back(outer);
  captured.push_back(Builder(graph).input(around->graph.type(outer)));
  return captured.back();
}

}  // namespace pronghorn
