#include "pronghorn/ir/graph.h"

namespace pronghorn {

const OpDef kInputOp{.name = "input"};
const OpDef kVariableOp{.name = "variable"};
const OpDef kConstantOp{.name = "constant"};

}  // namespace pronghorn
