// The plan of attention's forward pass, and its form on AMX.
#pragma once

#include <algorithm>

#include "pronghorn/ops/attention/attention.h"

namespace pronghorn::ops {

struct AttentionForward : AttentionPlan {
  // Keys and values that several tasks read are packed first, into the workspace.
  bool shares = false;
  int64_t panel_columns = 0;
  int64_t packed_keys = 0;  // floats of a head
  int64_t packed_values = 0;
  // On AMX: into tiles of so many bfloat16 parts of each number, 0: not on AMX.
  int64_t parts = 0;
  int64_t widened = 0;  // float of the workspace where copies of bfloat16 operands begin

  bool widens() const { return dtype == DType::kBfloat16 && parts == 0; }

  int64_t key_panel() const { return size * panel_columns; }
  int64_t value_panel() const { return keys * panel_columns; }
  int64_t out_stride() const { return block_stride(value_size); }
  int64_t query_stride() const { return block_stride(size); }
};

// Whether shapes gain from AMX, in one part or in three.
bool attention_gains_from_amx(const AttentionPlan& plan, int64_t parts);
int64_t amx_workspace(const AttentionForward& plan);  // floats
void pack_heads_for_amx(const AttentionForward& plan, const Launch& launch);
// A block of queries. False if plain float32 has to repeat it: results are not finite, or so small
// that what AMX flushes to zero could show.
bool run_queries_on_amx(const AttentionForward& plan, const Launch& launch, int64_t batch,
                        int64_t head, int64_t block);

// Writes the results of a block of queries.
void store_results(const AttentionForward& plan, const Launch& launch, const AttentionRows& rows,
                   int64_t batch, int64_t head, int64_t query0, int64_t count);
// Whether a query has seen no key so far.
bool has_blind_row(const AttentionRows& rows, int64_t count);

}  // namespace pronghorn::ops
