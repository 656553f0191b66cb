// The list of all ops.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "pronghorn/ir/op_def.h"

namespace pronghorn {
namespace ops {
#define OP(name) OpDef name##_op();
#include "pronghorn/ops/op_list.inc"
#undef OP
}  // namespace ops

namespace {

const std::vector<OpDef>& list() {
  static const std::vector<OpDef> ops = {
#define OP(name) ops::name##_op(),
#include "pronghorn/ops/op_list.inc"
#undef OP
  };
  return ops;
}

}  // namespace

std::span<const OpDef> all_ops() { return list(); }

const OpDef& find_op(std::string_view name) {
  static const std::unordered_map<std::string_view, const OpDef*> by_name = [] {
    std::unordered_map<std::string_view, const OpDef*> map;
    for (const OpDef& op : list()) map.emplace(op.name, &op);
    return map;
  }();
  const auto found = by_name.find(name);
  if (found == by_name.end()) value_error("op: unknown name. Received: '", name, "'.");
  return *found->second;
}

}  // namespace pronghorn
