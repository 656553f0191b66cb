#include "pronghorn/runtime/input_bounds.h"

#include <sstream>
#include <type_traits>

#include "pronghorn/base/error.h"

namespace pronghorn {
namespace {

bool is_cast(const Node& node) { return node.op->name == "cast"; }

// The first of n elements that is outside, or n. A fraction is cut off by the cast that follows.
template <typename T>
int64_t first_outside(const void* data, int64_t begin, int64_t n, int64_t low, int64_t high) {
  const T* x = static_cast<const T*>(data) + begin;
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_same_v<T, float>) {
      if (!(x[i] > static_cast<float>(low) - 1.0f && x[i] < static_cast<float>(high))) return i;
    } else {
      const auto value = static_cast<int64_t>(x[i]);
      if (static_cast<uint64_t>(value - low) >= static_cast<uint64_t>(high - low)) return i;
    }
  }
  return n;
}

template <typename T>
std::string text_of(const void* data, int64_t i) {
  std::ostringstream text;
  const T value = static_cast<const T*>(data)[i];
  if constexpr (sizeof(T) == 1) {
    text << static_cast<int>(value);
  } else {
    text << value;
  }
  return text.str();
}

struct Reader {
  int64_t (*first_outside)(const void*, int64_t begin, int64_t n, int64_t low, int64_t high);
  std::string (*text)(const void*, int64_t i);
};
template <typename T>
constexpr Reader kReader{&first_outside<T>, &text_of<T>};

const Reader* reader_of(DType dtype) {
  switch (dtype) {
    case DType::kInt8: return &kReader<int8_t>;
    case DType::kInt16: return &kReader<int16_t>;
    case DType::kInt32: return &kReader<int32_t>;
    case DType::kInt64: return &kReader<int64_t>;
    case DType::kUint8: return &kReader<uint8_t>;
    case DType::kUint16: return &kReader<uint16_t>;
    case DType::kUint32: return &kReader<uint32_t>;
    case DType::kFloat32: return &kReader<float>;
    default: return nullptr;
  }
}

}  // namespace

std::vector<InputBounds> find_input_bounds(const Graph& graph) {
  std::vector<InputBounds> found;
  for (const Node& node : graph.nodes) {
    if (node.op->operand_bounds == nullptr) continue;
    std::vector<TensorType> types;
    for (const Value v : node.inputs) types.push_back(graph.type(v));
    const auto bounds = node.op->operand_bounds(
        OpCall{*node.op, types, node.outputs, node.attrs, node.payload.get()});
    if (!bounds) continue;
    const Node* source = &graph.nodes[static_cast<size_t>(node.inputs[bounds->operand].node)];
    while (source->op->is_view || is_cast(*source))
      source = &graph.nodes[static_cast<size_t>(source->inputs[0].node)];
    if (source->op != &kInputOp || reader_of(source->outputs[0].dtype) == nullptr) continue;
    found.push_back({static_cast<size_t>(source->slot), bounds->low, bounds->high, bounds->owner});
  }
  return found;
}

void check_input_bounds(const InputBounds& bounds, const TensorType& type, const void* data,
                        int64_t row0, int64_t rows, const int64_t* row_names) {
  const Reader& reader = *reader_of(type.dtype);
  const int rank = type.shape.rank();
  const int64_t row = rank == 0 ? 1 : type.shape.size(1, rank);
  const int64_t n = rank == 0 ? 1 : rows * row;
  const int64_t i = reader.first_outside(data, row0 * row, n, bounds.low, bounds.high);
  if (i == n) return;
  std::string position;
  int64_t rest = i;
  for (int axis = rank - 1; axis > 0; --axis) {
    position = ", " + std::to_string(rest % type.shape[axis]) + position;
    rest /= type.shape[axis];
  }
  if (rank > 0) {
    const int64_t name = row_names == nullptr ? row0 + rest : row_names[row0 + rest];
    position = "[" + std::to_string(name) + position + "]";
  }
  value_error(bounds.owner, ": expected ids from ", bounds.low, " to ", bounds.high - 1,
              ", the size of its vocabulary being ", bounds.high - bounds.low, ". Received: inputs",
              position, "=", reader.text(data, row0 * row + i), ".");
}

}  // namespace pronghorn
