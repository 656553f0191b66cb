#include "pronghorn/ops/elementwise/rules.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

// "x" of unary ops, "x1", "x2" of the others.
std::string operand_name(const OpCall& call, size_t i) {
  return call.inputs.size() == 1 ? "x" : concat("x", i + 1);
}

std::string dtypes(const OpCall& call) {
  std::string text;
  for (size_t i = 0; i < call.inputs.size(); ++i) {
    text += concat(i ? ", " : "", operand_name(call, i), ".dtype=", call.inputs[i].dtype);
  }
  return text;
}

Shape broadcast(const OpCall& call) {
  Shape shape = call.inputs[0].shape;
  for (size_t i = 1; i < call.inputs.size(); ++i)
    shape = broadcast_shapes(call.op.name, shape, call.inputs[i].shape);
  return shape;
}

void check_equal_dtypes(const OpCall& call) {
  for (const TensorType& type : call.inputs) {
    if (type.dtype != call.inputs[0].dtype) {
      type_error(call.op.name, ": operands must have the same dtype. Received: ", dtypes(call),
                 ".");
    }
  }
}

template <typename Accepts>
std::vector<TensorType> infer(const OpCall& call, const char* accepted, Accepts accepts,
                              std::optional<DType> result) {
  for (const TensorType& type : call.inputs) {
    if (!accepts(type.dtype)) {
      type_error(call.op.name, ": dtype must be ", accepted, ". Received: ", dtypes(call), ".");
    }
  }
  check_equal_dtypes(call);
  return {{result.value_or(call.inputs[0].dtype), broadcast(call)}};
}

}  // namespace

std::vector<TensorType> infer_float(const OpCall& call) {
  return infer(call, "float16, bfloat16 or float32", is_float, std::nullopt);
}

std::vector<TensorType> infer_number(const OpCall& call) {
  return infer(call, "a number or bool", [](DType) { return true; }, std::nullopt);
}

std::vector<TensorType> infer_test(const OpCall& call) {
  return infer(call, "a number or bool", [](DType) { return true; }, DType::kBool);
}

std::vector<TensorType> infer_logical(const OpCall& call) {
  return infer(call, "bool", [](DType dtype) { return dtype == DType::kBool; }, DType::kBool);
}

std::vector<TensorType> infer_integer(const OpCall& call) {
  return infer(
      call, "an integer or bool", [](DType dtype) { return !is_float(dtype); }, std::nullopt);
}

std::vector<TensorType> infer_where(const OpCall& call) {
  expect_operands(call, 3);
  if (call.inputs[0].dtype != DType::kBool || call.inputs[1].dtype != call.inputs[2].dtype) {
    type_error(
        "where: condition must be bool and x1, x2 of the same dtype. Received: condition.dtype=",
        call.inputs[0].dtype, ", x1.dtype=", call.inputs[1].dtype,
        ", x2.dtype=", call.inputs[2].dtype, ".");
  }
  return {{call.inputs[1].dtype, broadcast(call)}};
}

std::vector<TensorType> infer_same(const OpCall& call) {
  expect_operands(call, 1);
  return {call.inputs[0]};
}

std::vector<TensorType> infer_cast(const OpCall& call) {
  expect_operands(call, 1);
  const std::string& name = call.attrs.text("dtype");
  const std::optional<DType> dtype = parse_dtype(name);
  if (!dtype) {
    value_error(
        "cast: dtype must be bool, uint8, uint16, uint32, int8, int16, int32, int64, float16, "
        "bfloat16 or float32. ",
        "Received: dtype='", name, "'.");
  }
  return {{*dtype, call.inputs[0].shape}};
}

}  // namespace pronghorn::ops
