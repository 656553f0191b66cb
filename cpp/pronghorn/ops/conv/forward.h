// How conv is computed: the forms and what they make of the kernel, once a run or once for many
// (conv_packed).
#pragma once

#include <optional>

#include "pronghorn/ir/op_def.h"
#include "pronghorn/ops/conv/amx_form.h"
#include "pronghorn/ops/conv/direct.h"
#include "pronghorn/ops/conv/winograd.h"

namespace pronghorn::ops {

enum class ConvForm : uint8_t {
  kPatches,  // a matrix of patches times the kernel as it is
  kDirect,
  kWinograd,  // then kDirect for results that are not finite
  kAmx,
};

struct ConvKernelPlan {
  ConvForm form = ConvForm::kPatches;
  AmxForm amx;
  std::optional<WinogradPlan> winograd;
  std::optional<DirectPlan> direct;

  size_t packed_bytes() const;  // 0 for kPatches
};

// The fastest form for x of that dtype.
ConvKernelPlan plan_conv_kernel(const ConvSizes& sizes, DType dtype);

// packed: packed_bytes(), 64-byte aligned.
void pack_conv_kernel(const ConvKernelPlan& plan, const void* w, void* packed);

// prepare and run of conv, and of conv_packed, whose third operand is what pack_conv_kernel wrote.
Prepared prepare_conv(const OpCall& call, bool has_packed);
void run_conv(const Launch& launch) noexcept;

}  // namespace pronghorn::ops
