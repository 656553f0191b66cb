// conv and conv_dx on AMX: by images (amx_conv.h) or by places (amx_places.h), from the same packed
// weights.
#pragma once

#include <memory>

#include "pronghorn/ops/conv/amx_conv.h"
#include "pronghorn/ops/conv/amx_places.h"

namespace pronghorn::ops {

// One of the two.
struct AmxForm {
  std::shared_ptr<const AmxConvPlan> by_images;
  std::shared_ptr<const AmxPlacesPlan> by_places;

  const AmxWeights& weights() const {
    return by_images ? static_cast<const AmxWeights&>(*by_images) : *by_places;
  }
  // Bytes, besides those of packed weights.
  size_t workspace() const { return by_places ? by_places->workspace : 0; }
};

// Whether this machine has AMX and this form is the fastest.
bool suits_amx(const ConvSizes& sizes, bool gradient, DType dtype);

// Of any sizes but empty ones.
AmxForm plan_amx(const ConvSizes& sizes, bool gradient, DType dtype);

// As run_amx_conv; packed: by pack_amx_weights. workspace: 64-byte aligned.
void run_amx(const AmxForm& form, const void* x, const void* w, const void* packed, void* y,
             const Epilogue& epilogue, void* workspace) noexcept;

}  // namespace pronghorn::ops
