// Shape rules and drivers of attention and of its gradient.
#pragma once

#include "pronghorn/ops/attention/attention.h"

namespace pronghorn::ops {

std::vector<TensorType> infer_attention(const OpCall& call);
Prepared prepare_attention(const OpCall& call);
void run_attention(const Launch& launch) noexcept;

std::vector<TensorType> infer_attention_grad(const OpCall& call);
Prepared prepare_attention_grad(const OpCall& call);
void run_attention_grad(const Launch& launch) noexcept;

// The gradient with respect to the bias, from ops of whole matrices: it is as large as scores are.
Value attention_bias_gradient(const GradientCall& call);

}  // namespace pronghorn::ops
