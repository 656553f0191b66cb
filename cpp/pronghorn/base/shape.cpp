#include "pronghorn/base/shape.h"

namespace pronghorn {

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '(';
  for (int i = 0; i < shape.rank(); ++i) out << (i ? ", " : "") << shape[i];
  return out << (shape.rank() == 1 ? ",)" : ")");
}

Shape broadcast_shapes(std::string_view op, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  Shape result;
  for (int i = 0; i < rank; ++i) {
    const int ia = i - (rank - a.rank());
    const int ib = i - (rank - b.rank());
    const int64_t da = ia < 0 ? 1 : a[ia];
    const int64_t db = ib < 0 ? 1 : b[ib];
    if (da != db && da != 1 && db != 1) {
      value_error(op, ": shapes must broadcast. Received: x1.shape=", a, ", x2.shape=", b, ".");
    }
    result.push_back(da == 1 ? db : da);
  }
  return result;
}

int normalize_axis(std::string_view op, int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    value_error(op, ": axis must be in [", -rank, ", ", rank, "). Received: axis=", axis,
                ", rank=", rank, ".");
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

}  // namespace pronghorn
