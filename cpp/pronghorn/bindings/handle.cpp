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

}  // namespace pronghorn
