// One time step of a GRU and of its gradient, with the reset after or before the product.
#include "pronghorn/ops/recurrent/gates.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

template <bool kUsual>
void forward(const GruStep& s) {
  const GateFunctions f = known<kUsual>(s.functions);
  const int64_t units = s.units;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* x = row_of(s.x, r);
    const float* m = row_of(s.m, r);
    float* h = row_of(s.h, r);
    float* y = row_of(s.y, r);
    float* gates = row_of(s.gates, r);
    copy_row(h, units, row_of(s.h_before, r));
    if (!counts(s.mask, r)) {
      copy_row(h, units, y);
      zero_row(gates, 4 * units);
      continue;
    }
    for_columns(units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      const Vec update = apply(f.recurrent, read(x + j, n) + read(m + j, n));
      const Vec reset = apply(f.recurrent, read(x + units + j, n) + read(m + units + j, n));
      const Vec inner = read(m + 2 * units + j, n);
      const Vec candidate = apply(f.activation, fma(reset, inner, read(x + 2 * units + j, n)));
      const Vec out = fma(update, read(h + j, n) - candidate, candidate);
      if (gates != nullptr) {
        write(gates + j, update, n);
        write(gates + units + j, reset, n);
        write(gates + 2 * units + j, candidate, n);
        write(gates + 3 * units + j, inner, n);
      }
      write(h + j, out, n);
      write_if(y, j, out, n);
    });
  }
}

template <bool kUsual>
void backward(const GruGradStep& s) {
  const GateFunctions f = known<kUsual>(s.functions);
  const int64_t units = s.units;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* gates = row_of(s.gates, r);
    const float* before = row_of(s.h_before, r);
    const float* dy = row_of(s.dy, r);
    float* dh = row_of(s.dh, r);
    float* dx = row_of(s.dx, r);
    float* dm = row_of(s.dm, r);
    float* dm_copy = row_of(s.dm_copy, r);
    const bool counted = counts(s.mask, r);
    if (!counted) {
      zero_row(dx, 3 * units);
      zero_row(dm, 3 * units);
      zero_row(dm_copy, 3 * units);
    }
    for_columns(units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      Vec d = read(dh + j, n);
      if (dy != nullptr) d += read(dy + j, n);
      if (!counted) {
        write(dh + j, d, n);
        return;
      }
      const Vec update = read(gates + j, n);
      const Vec reset = read(gates + units + j, n);
      const Vec candidate = read(gates + 2 * units + j, n);
      const Vec inner = read(gates + 3 * units + j, n);
      const Vec dcandidate = d * (1.0f - update) * slope(f.activation, candidate);
      const Vec dupdate = d * (read(before + j, n) - candidate) * slope(f.recurrent, update);
      const Vec dreset = dcandidate * inner * slope(f.recurrent, reset);
      const Vec dinner = dcandidate * reset;
      write(dh + j, d * update, n);
      write(dx + j, dupdate, n);
      write(dx + units + j, dreset, n);
      write(dx + 2 * units + j, dcandidate, n);
      write_if(dm, j, dupdate, n);
      write_if(dm, units + j, dreset, n);
      write_if(dm, 2 * units + j, dinner, n);
      write(dm_copy + j, dupdate, n);
      write(dm_copy + units + j, dreset, n);
      write(dm_copy + 2 * units + j, dinner, n);
    });
  }
}

}  // namespace

// z, r = recurrent(x + m), candidate = activation(x + r m), h' = z h + (1 - z) candidate. See
// GruStep.
void gru_step(const GruStep& step) {
  if (is_usual(step.functions)) {
    forward<true>(step);
  } else {
    forward<false>(step);
  }
}

// See GruGradStep.
void gru_grad_step(const GruGradStep& step) {
  if (is_usual(step.functions)) {
    backward<true>(step);
  } else {
    backward<false>(step);
  }
}

// See GruResetStep.
void gru_reset_step(const GruResetStep& s) {
  for (int64_t r = 0; r < s.rows; ++r) {
    float* sums = row_of(s.sums, r);
    const float* h = row_of(s.h, r);
    float* reset_h = row_of(s.reset_h, r);
    for_columns(s.units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      const Vec update = apply(s.recurrent, read(sums + j, n));
      const Vec reset = apply(s.recurrent, read(sums + s.units + j, n));
      write(sums + j, update, n);
      write(sums + s.units + j, reset, n);
      write(reset_h + j, reset * read(h + j, n), n);
    });
  }
}

// candidate = activation(sums), h' = z h + (1 - z) candidate. See GruUpdateStep.
void gru_update_step(const GruUpdateStep& s) {
  const int64_t units = s.units;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* update_reset = row_of(s.update_reset, r);
    const float* reset_h = row_of(s.reset_h, r);
    const float* sums = row_of(s.sums, r);
    float* h = row_of(s.h, r);
    float* y = row_of(s.y, r);
    float* gates = row_of(s.gates, r);
    copy_row(h, units, row_of(s.h_before, r));
    if (!counts(s.mask, r)) {
      copy_row(h, units, y);
      zero_row(gates, 4 * units);  // they are an operand of the recurrent weights' gradient
      continue;
    }
    for_columns(units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      const Vec update = read(update_reset + j, n);
      const Vec candidate = apply(s.activation, read(sums + j, n));
      const Vec out = fma(update, read(h + j, n) - candidate, candidate);
      if (gates != nullptr) {
        write(gates + j, update, n);
        write(gates + units + j, read(update_reset + units + j, n), n);
        write(gates + 2 * units + j, candidate, n);
        write(gates + 3 * units + j, read(reset_h + j, n), n);
      }
      write(h + j, out, n);
      write_if(y, j, out, n);
    });
  }
}

// See GruUpdateGradStep.
void gru_update_grad_step(const GruUpdateGradStep& s) {
  const int64_t units = s.units;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* gates = row_of(s.gates, r);
    const float* before = row_of(s.h_before, r);
    const float* dy = row_of(s.dy, r);
    float* dh = row_of(s.dh, r);
    float* dx = row_of(s.dx, r);
    float* dz_copy = row_of(s.dz_copy, r);
    float* dcandidate_copy = row_of(s.dcandidate_copy, r);
    const bool counted = counts(s.mask, r);
    for_columns(units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      Vec d = read(dh + j, n);
      if (dy != nullptr) d += read(dy + j, n);
      Vec dcandidate = zero();
      Vec dupdate = zero();
      if (counted) {
        const Vec update = read(gates + j, n);
        const Vec candidate = read(gates + 2 * units + j, n);
        dcandidate = d * (1.0f - update) * slope(s.functions.activation, candidate);
        dupdate = d * (read(before + j, n) - candidate) * slope(s.functions.recurrent, update);
        d *= update;
      }
      write(dh + j, d, n);
      write(dx + j, dupdate, n);
      write(dx + 2 * units + j, dcandidate, n);
      write(dz_copy + j, dupdate, n);
      write(dcandidate_copy + j, dcandidate, n);
    });
  }
}

// See GruResetGradStep.
void gru_reset_grad_step(const GruResetGradStep& s) {
  const int64_t units = s.units;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* reset_row = row_of(s.gates, r) + units;
    const float* before = row_of(s.h_before, r);
    const float* dreset_h = row_of(s.dreset_h, r);
    float* dh = row_of(s.dh, r);
    float* dx = row_of(s.dx, r) + units;
    float* dr_copy = row_of(s.dr_copy, r);
    if (!counts(s.mask, r)) {
      zero_row(dx, units);
      zero_row(dr_copy, units);
      continue;
    }
    for_columns(units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      const Vec reset = read(reset_row + j, n);
      const Vec d = read(dreset_h + j, n);
      const Vec dreset = d * read(before + j, n) * slope(s.recurrent, reset);
      write(dh + j, fma(d, reset, read(dh + j, n)), n);
      write(dx + j, dreset, n);
      write(dr_copy + j, dreset, n);
    });
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
