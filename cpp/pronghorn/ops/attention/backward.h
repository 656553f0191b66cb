// The plan of attention's gradient, and its form on AMX.
#pragma once

#include "pronghorn/ops/attention/attention.h"

namespace pronghorn::ops {

struct AttentionBackward : AttentionPlan {
  int64_t chunks = 1;  // of the key blocks of a head
  int64_t panel_columns = 0;
  int64_t widened = 0;  // float of the workspace where copies of bfloat16 operands begin
  bool on_amx = false;

  int64_t chunk_begin(int64_t chunk) const { return key_blocks * chunk / chunks; }
  int64_t dquery_floats() const { return batch * queries * heads * size; }
  int64_t size_stride() const { return block_stride(size); }
  int64_t value_stride() const { return block_stride(value_size); }
};

// Whether a query of the block sees a key of this block of keys, or none at all. saved: of its
// rows.
bool meets(const AttentionPlan& plan, const AttentionBlockAt& at, int64_t block,
           const float* saved);

// Whether shapes of bfloat16 gain from AMX, where there is any.
bool gradient_gains_from_amx(const AttentionPlan& plan);

struct KeyHead {
  int64_t batch;
  int64_t head;
};
// Blocks [begin, end) of keys. operands: the op's, in bfloat16; launch: float32 results and
// `saved`.
void run_keys_on_amx(const AttentionBackward& plan, const Launch& launch,
                     const void* const* operands, const float* dots, float* dquery, KeyHead head,
                     int64_t begin, int64_t end);

}  // namespace pronghorn::ops
