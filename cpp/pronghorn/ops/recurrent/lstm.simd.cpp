// One time step of an LSTM and of its gradient, after the product with the recurrent weights.
#include "pronghorn/ops/recurrent/gates.h"

namespace pronghorn::PRONGHORN_ISA_NAMESPACE {
namespace {

template <bool kUsual>
void forward(const LstmStep& s) {
  const GateFunctions f = known<kUsual>(s.functions);
  const int64_t units = s.units;
  for (int64_t r = 0; r < s.rows; ++r) {
    float* z = row_of(s.z, r);
    float* h = row_of(s.h, r);
    float* c = row_of(s.c, r);
    float* y = row_of(s.y, r);
    float* h_before = row_of(s.h_before, r);
    float* c_before = row_of(s.c_before, r);
    if (!counts(s.mask, r)) {
      copy_row(h, units, y);
      copy_row(h, units, h_before);
      copy_row(c, units, c_before);
      continue;
    }
    for_columns(units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      const Vec i_gate = apply(f.recurrent, read(z + j, n));
      const Vec f_gate = apply(f.recurrent, read(z + units + j, n));
      const Vec g_gate = apply(f.activation, read(z + 2 * units + j, n));
      const Vec o_gate = apply(f.recurrent, read(z + 3 * units + j, n));
      const Vec before = read(c + j, n);
      const Vec after = fma(f_gate, before, i_gate * g_gate);
      const Vec out = o_gate * apply(f.activation, after);
      if (h_before != nullptr) write(h_before + j, read(h + j, n), n);
      write_if(c_before, j, before, n);
      write(z + j, i_gate, n);
      write(z + units + j, f_gate, n);
      write(z + 2 * units + j, g_gate, n);
      write(z + 3 * units + j, o_gate, n);
      write(c + j, after, n);
      write(h + j, out, n);
      write_if(y, j, out, n);
    });
  }
}

template <bool kUsual>
void backward(const LstmGradStep& s) {
  const GateFunctions f = known<kUsual>(s.functions);
  const int64_t units = s.units;
  for (int64_t r = 0; r < s.rows; ++r) {
    const float* gates = row_of(s.gates, r);
    const float* c_before = row_of(s.c_before, r);
    const float* dy = row_of(s.dy, r);
    float* dh = row_of(s.dh, r);
    float* dc = row_of(s.dc, r);
    float* dz = row_of(s.dz, r);
    float* dz_copy = row_of(s.dz_copy, r);
    const bool counted = counts(s.mask, r);
    if (!counted) {
      zero_row(dz, 4 * units);
      zero_row(dz_copy, 4 * units);
    }
    for_columns(units, [&](int64_t j, int64_t n) PRONGHORN_LAMBDA_INLINE {
      Vec d = read(dh + j, n);
      if (dy != nullptr) d += read(dy + j, n);
      write(dh + j, counted ? zero() : d, n);
      if (!counted) return;
      const Vec i_gate = read(gates + j, n);
      const Vec f_gate = read(gates + units + j, n);
      const Vec g_gate = read(gates + 2 * units + j, n);
      const Vec o_gate = read(gates + 3 * units + j, n);
      const Vec before = read(c_before + j, n);
      const Vec out = apply(f.activation, fma(f_gate, before, i_gate * g_gate));
      const Vec dcell = fma(d * o_gate, slope(f.activation, out), read(dc + j, n));
      const Vec di = dcell * g_gate * slope(f.recurrent, i_gate);
      const Vec df = dcell * before * slope(f.recurrent, f_gate);
      const Vec dg = dcell * i_gate * slope(f.activation, g_gate);
      const Vec d_o = d * out * slope(f.recurrent, o_gate);
      write(dc + j, dcell * f_gate, n);
      write(dz + j, di, n);
      write(dz + units + j, df, n);
      write(dz + 2 * units + j, dg, n);
      write(dz + 3 * units + j, d_o, n);
      write(dz_copy + j, di, n);
      write(dz_copy + units + j, df, n);
      write(dz_copy + 2 * units + j, dg, n);
      write(dz_copy + 3 * units + j, d_o, n);
    });
  }
}

}  // namespace

// i, f, o = recurrent(z), g = activation(z), c' = f c + i g, h' = o activation(c'). See LstmStep.
void lstm_step(const LstmStep& step) {
  if (is_usual(step.functions)) {
    forward<true>(step);
  } else {
    forward<false>(step);
  }
}

// See LstmGradStep.
void lstm_grad_step(const LstmGradStep& step) {
  if (is_usual(step.functions)) {
    backward<true>(step);
  } else {
    backward<false>(step);
  }
}

}  // namespace pronghorn::PRONGHORN_ISA_NAMESPACE
