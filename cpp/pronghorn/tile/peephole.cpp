#include "pronghorn/tile/peephole.h"

#include <utility>

namespace pronghorn {
namespace {

class Peephole {
 public:
  Peephole(std::vector<TileValue>& values, const std::vector<int32_t>& kept)
      : values_(values), uses_(values.size(), 0) {
    for (const TileValue& value : values_) {
      for (const int32_t arg : value.args) {
        if (arg >= 0) ++uses_[static_cast<size_t>(arg)];
      }
    }
    for (const int32_t value : kept) ++uses_[static_cast<size_t>(value)];
  }

  void run() {
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].kind == TileValue::Kind::kInstruction && uses_[i] > 0) rewrite(values_[i]);
    }
    // Last, as it hides products from the rewrites above.
    for (size_t i = 0; i < values_.size(); ++i) {
      if (values_[i].op == TileOp::multiply && uses_[i] > 0) fuse_products(values_[i]);
    }
  }

 private:
  // The instruction that computes `value` if it is `op` and nothing else reads it.
  const TileValue* only(int32_t value, TileOp op) const {
    const TileValue& v = values_[static_cast<size_t>(value)];
    const bool match = v.kind == TileValue::Kind::kInstruction && v.op == op &&
                       uses_[static_cast<size_t>(value)] == 1;
    return match ? &v : nullptr;
  }

  struct Product {
    int32_t a, b;
    explicit operator bool() const { return a >= 0; }
  };

  Product product(int32_t value) const {
    if (const TileValue* v = only(value, TileOp::multiply)) return {v->args[0], v->args[1]};
    if (const TileValue* v = only(value, TileOp::square)) return {v->args[0], v->args[0]};
    return {-1, -1};
  }

  void become(TileValue& value, TileOp op, std::array<int32_t, 4> args) {
    for (const int32_t arg : args) {
      if (arg >= 0) ++uses_[static_cast<size_t>(arg)];
    }
    const std::array<int32_t, 4> old = value.args;
    value.op = op;
    value.args = args;
    for (const int32_t arg : old) drop(arg);
  }

  void drop(int32_t value) {
    if (value < 0 || --uses_[static_cast<size_t>(value)] > 0) return;
    const TileValue& dead = values_[static_cast<size_t>(value)];
    for (const int32_t arg : dead.args) drop(arg);
  }

  void rewrite(TileValue& value) {
    const int32_t a = value.args[0];
    const int32_t b = value.args[1];
    switch (value.op) {
      case TileOp::add:
        if (lerp(value, a, b) || lerp(value, b, a)) return;
        if (const Product p = product(a), q = product(b); p && q && a != b) {
          return become(value, TileOp::axpby, {p.a, p.b, q.a, q.b});
        }
        if (const Product p = product(a)) return become(value, TileOp::fma, {p.a, p.b, b, -1});
        if (const Product p = product(b)) return become(value, TileOp::fma, {p.a, p.b, a, -1});
        if (const TileValue* root = only(a, TileOp::sqrt))
          return become(value, TileOp::sqrt_add, {root->args[0], b, -1, -1});
        if (const TileValue* root = only(b, TileOp::sqrt))
          return become(value, TileOp::sqrt_add, {root->args[0], a, -1, -1});
        return;
      case TileOp::subtract:
        if (const TileValue* ratio = only(b, TileOp::divide)) {
          if (const TileValue* top = only(ratio->args[0], TileOp::multiply)) {
            return become(value, TileOp::step_by_ratio,
                          {a, top->args[0], top->args[1], ratio->args[1]});
          }
        }
        if (const Product p = product(b)) return become(value, TileOp::fnma, {p.a, p.b, a, -1});
        if (const Product p = product(a)) return become(value, TileOp::fms, {p.a, p.b, b, -1});
        return;
      case TileOp::relu:
        if (const TileValue* sum = only(a, TileOp::add)) {
          return become(value, TileOp::add_relu, {sum->args[0], sum->args[1], -1, -1});
        }
        return;
      case TileOp::where: return fuse_select(value);
      default: return;
    }
  }

  // x + (y - x) s,  x + (y y - x) s
  bool lerp(TileValue& value, int32_t x, int32_t scaled) {
    const TileValue* product = only(scaled, TileOp::multiply);
    if (product == nullptr) return false;
    for (int side = 0; side < 2; ++side) {
      const int32_t difference = product->args[static_cast<size_t>(side)];
      const int32_t s = product->args[static_cast<size_t>(1 - side)];
      if (const TileValue* d = only(difference, TileOp::subtract);
          d != nullptr && d->args[1] == x) {
        become(value, TileOp::lerp, {x, d->args[0], s, -1});
        return true;
      }
      if (const TileValue* d = only(difference, TileOp::fms);
          d != nullptr && d->args[2] == x && d->args[0] == d->args[1]) {
        become(value, TileOp::lerp_square, {x, d->args[0], s, -1});
        return true;
      }
    }
    return false;
  }

  void fuse_select(TileValue& value) {
    const int32_t x = value.args[1];
    const int32_t y = value.args[2];
    const auto fused = [&](TileOp compare, TileOp op, bool swap, bool negate) {
      const TileValue* test = only(value.args[0], compare);
      if (test == nullptr) return false;
      const int32_t a = test->args[swap ? 1 : 0];
      const int32_t b = test->args[swap ? 0 : 1];
      become(value, op, {a, b, negate ? y : x, negate ? x : y});
      return true;
    };
    if (fused(TileOp::greater, TileOp::select_greater, false, false)) return;
    if (fused(TileOp::less, TileOp::select_greater, true, false)) return;
    if (fused(TileOp::greater_equal, TileOp::select_greater_equal, false, false)) return;
    if (fused(TileOp::less_equal, TileOp::select_greater_equal, true, false)) return;
    if (fused(TileOp::equal, TileOp::select_equal, false, false)) return;
    fused(TileOp::not_equal, TileOp::select_equal, false, true);
  }

  void fuse_products(TileValue& value) {
    const int32_t a = value.args[0];
    const int32_t b = value.args[1];
    if (const TileValue* p = only(a, TileOp::multiply)) {
      become(value, TileOp::multiply_three, {p->args[0], p->args[1], b, -1});
    } else if (const TileValue* q = only(b, TileOp::multiply)) {
      become(value, TileOp::multiply_three, {q->args[0], q->args[1], a, -1});
    }
  }

  std::vector<TileValue>& values_;
  std::vector<int32_t> uses_;
};

}  // namespace

void fuse_instructions(std::vector<TileValue>& values, const std::vector<int32_t>& kept) {
  Peephole(values, kept).run();
}

}  // namespace pronghorn
