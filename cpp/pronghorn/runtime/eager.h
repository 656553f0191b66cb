// Ops on tensors outside a trace: each is a program of one node, kept by signature.
#pragma once

#include <span>
#include <vector>

#include "pronghorn/ir/op_def.h"
#include "pronghorn/tensor/tensor.h"

namespace pronghorn {

std::vector<Tensor> apply_eager(const OpDef& op, std::span<const Tensor> inputs,
                                const Attrs& attrs);

// Programs kept now; forgets all of them.
size_t eager_cache_size();
void clear_eager_cache();

}  // namespace pronghorn
