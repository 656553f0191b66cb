// How operands of a matrix product are cut into panels. Include only from *.simd.cpp.
#pragma once

#include "pronghorn/simd/vec.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

#if defined(PRONGHORN_ISA_AVX512)
inline constexpr int kTileRows = 14;  // 14 x 2 results, 2 of b, 2 free
#else
inline constexpr int kTileRows = 6;  // 6 x 2 results, 2 of b, 1 of a
#endif

inline constexpr int64_t kPanelColumns = 2 * kLanes;  // of packed b

// Rows that are computed together, in even shares: `panels` of them, of `rows` rows each, the first
// `longer` of one row more.
struct RowPanels {
  int64_t panels;
  int64_t rows;
  int64_t longer;
};
PRONGHORN_INLINE RowPanels row_panels(int64_t rows, int64_t limit) {
  const int64_t panels = (rows + limit - 1) / limit;
  return {panels, rows / panels, rows % panels};
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
