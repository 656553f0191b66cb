// One time step of a simple recurrent layer and of its gradient, after the product.
#include "pronghorn/ops/recurrent/gates.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {

// h' = activation(z). See RnnStep.
void rnn_step(const RnnStep& s) {
  const bool usual = s.activation == GateFunction::kTanh;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* z = row_of(s.z, r);
    float* h = row_of(s.h, r);
    float* y = row_of(s.y, r);
    copy_row(h, s.units, row_of(s.h_before, r));
    if (!counts(s.mask, r)) {
      copy_row(h, s.units, y);
      continue;
    }
    for_columns(s.units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      const Vec sum = read(z + j, n);
      const Vec out = usual ? gate_tanh(sum) : apply(s.activation, sum);
      write(h + j, out, n);
      write_if(y, j, out, n);
    });
  }
}

// See RnnGradStep.
void rnn_grad_step(const RnnGradStep& s) {
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* y = row_of(s.y, r);
    const float* dy = row_of(s.dy, r);
    float* dh = row_of(s.dh, r);
    float* dz = row_of(s.dz, r);
    float* dz_copy = row_of(s.dz_copy, r);
    const bool counted = counts(s.mask, r);
    for_columns(s.units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      Vec d = read(dh + j, n);
      if (dy != nullptr) d += read(dy + j, n);
      write(dh + j, counted ? zero() : d, n);
      const Vec dsum = counted ? d * slope(s.activation, read(y + j, n)) : zero();
      write(dz + j, dsum, n);
      write(dz_copy + j, dsum, n);
    });
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
