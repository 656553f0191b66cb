#include "pronghorn/ops/normalize/rules.h"

namespace pronghorn::ops {

void expect_float32(const OpCall& call, size_t i, const Shape& shape, std::string_view what) {
  const TensorType& type = call.inputs[i];
  const bool converts = call.attrs.integer("float32_result", 0) != 0 &&
                        (call.op.half_inputs >> i & 1) != 0 && is_half(type.dtype);
  if (type.dtype != DType::kFloat32 && !converts) {
    type_error(call.op.name, ": ", what, " must be float32. Received: dtype=", type.dtype,
               ". Cast it first.");
  }
  if (type.shape != shape) {
    value_error(call.op.name, ": ", what, " must have the shape ", shape, ". Received: ", what,
                ".shape=", type.shape, ", x.shape=", call.inputs[0].shape, ".");
  }
}

std::vector<int64_t> leading_axes(int rank) {
  std::vector<int64_t> axes;
  for (int i = 0; i + 1 < rank; ++i) axes.push_back(i);
  return axes;
}

// h = (x - mean) rstd, q = dy gamma: dx = rstd (q - mean(q) - h mean(q h)), dgamma = sum(dy h),
// dbeta = sum(dy), the means over `axes`, the sums over the leading axes. E, A, B are the gradients
// of these.
std::vector<Value> norm_grad_gradient(Builder& g, const NormGrad& call) {
  const bool is_centered = static_cast<bool>(call.mean);
  const Shape shape = g.shape(call.x);
  const Expr x(g, call.x);
  const Expr gamma(g, call.gamma);
  const Expr r(g, call.rstd);
  const Expr dy(g, call.dy);
  const Expr e(g, call.d_dx ? call.d_dx : g.zeros_like(call.x));
  const auto mean = [&](const Expr& v) {
    return Expr(g,
                g.apply("reduce_mean", {v.value}, {{"axes", call.axes}, {"keepdims", int64_t{1}}}));
  };
  const auto sum = [&](const Expr& v) { return Expr(g, g.reduce_sum(v.value, call.axes, true)); };

  const Expr centered = is_centered ? x - Expr(g, call.mean) : x;
  const Expr h = centered * r;
  const Expr q = dy * gamma;
  const Expr mean_eh = mean(e * h);
  const Expr mean_qh = mean(q * h);
  // The map q -> dx is symmetric: applied to E it is the gradient with respect to q.
  const Expr dq = is_centered ? r * (e - mean(e) - h * mean_eh) : r * (e - h * mean_eh);
  Expr dh = -(r * (e * mean_qh + q * mean_eh));
  Expr d_dy = dq * gamma;
  if (call.d_dgamma) {
    const Expr a(g, call.d_dgamma);
    dh = dh + a * dy;
    d_dy = d_dy + a * h;
  }
  if (call.d_dbeta) d_dy = d_dy + Expr(g, call.d_dbeta);
  const Expr unscaled = is_centered ? q - mean(q) - h * mean_qh : q - h * mean_qh;  // dx / rstd
  const Value d_rstd = sum(dh * centered + e * unscaled).value;
  const Value d_gamma = g.reduce_sum((dq * dy).value, leading_axes(shape.rank()), false);
  return {(dh * r).value, d_gamma, is_centered ? (-sum(dh * r)).value : Value{}, d_rstd,
          g.broadcast_to(d_dy.value, shape)};
}

}  // namespace pronghorn::ops
