#include "pronghorn/bindings/programs.h"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>

#include "pronghorn/bindings/conversions.h"
#include "pronghorn/runtime/batches.h"
#include "pronghorn/runtime/permutation.h"
#include "pronghorn/runtime/program.h"

namespace py = pybind11;

namespace pronghorn {
namespace {

int64_t run_batches_checked(const Program& program, const std::vector<Handle*>& sources,
                            const py::object& order, int64_t batch_size, int64_t first,
                            int64_t last, double time_limit,
                            const std::vector<py::array>& outputs) {
  if (sources.size() != program.inputs().size()) {
    value_error("run_batches: expected ", program.inputs().size(),
                " sources. Received: ", sources.size(), ".");
  }
  BatchRun run;
  run.batch_size = batch_size;
  int64_t rows = 0;
  if (first < 0 || last < first || batch_size < 1 ||
      __builtin_mul_overflow(last, batch_size, &rows)) {
    value_error("run_batches: expected 0 <= first <= last and batch_size >= 1. Received: first=",
                first, ", last=", last, ", batch_size=", batch_size, ".");
  }
  using Order = py::array_t<int64_t, py::array::c_style | py::array::forcecast>;
  Order order_array;
  if (!order.is_none()) {
    order_array = py::cast<Order>(order);
    if (order_array.ndim() != 1 || order_array.size() < rows) {
      value_error("run_batches: order must hold at least ", rows,
                  " row numbers. Received: ", order_array.size(), ".");
    }
    run.order = order_array.data();
    int64_t highest = -1;
    for (int64_t i = first * batch_size; i < rows; ++i) {
      if (run.order[i] < 0)
        value_error("run_batches: order holds the negative row number ", run.order[i], ".");
      highest = std::max(highest, run.order[i]);
    }
    rows = highest + 1;
  }
  for (size_t i = 0; i < sources.size(); ++i) {
    const Tensor& source = data_of(*sources[i], "run_batches");
    const TensorType& type = program.inputs()[i];
    if (source.dtype() != type.dtype || source.shape().rank() != type.shape.rank() ||
        type.shape.rank() < 1 ||
        !std::equal(source.shape().begin() + 1, source.shape().end(), type.shape.begin() + 1) ||
        type.shape[0] != batch_size) {
      value_error("run_batches: source ", i, " must hold rows of ", type,
                  ". Received: ", source.type(), ".");
    }
    if (source.shape()[0] < rows) {
      value_error("run_batches: source ", i, " must have at least ", rows,
                  " rows. Received: ", source.shape()[0], ".");
    }
    run.sources.push_back(source.data());
  }
  if (!outputs.empty()) {
    if (outputs.size() != program.outputs().size()) {
      value_error("run_batches: expected ", program.outputs().size(),
                  " outputs. Received: ", outputs.size(), ".");
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      const size_t step_bytes = program.outputs()[i].bytes();
      const py::dtype wanted = numpy_dtype(program.outputs()[i].dtype);
      const bool same_type =
          outputs[i].dtype().equal(wanted) ||
          (program.outputs()[i].dtype == DType::kBfloat16 && outputs[i].itemsize() == 2);
      if (!same_type || (outputs[i].flags() & py::array::c_style) == 0 ||
          static_cast<size_t>(outputs[i].nbytes()) / std::max<size_t>(step_bytes, 1) <
              static_cast<size_t>(last)) {
        value_error("run_batches: output ", i, " must be a C-contiguous array of ",
                    program.outputs()[i].dtype, " with ", step_bytes, " bytes for each of ", last,
                    " steps.");
      }
      run.results.push_back(const_cast<py::array&>(outputs[i]).mutable_data());
    }
  }
  const py::gil_scoped_release release;
  return run_batches(program, run, first, last, time_limit);
}

// Whether the array can be read as it is where the type is wanted.
bool is_of_type(const py::array& array, const TensorType& type) {
  constexpr int kFlags = static_cast<int>(py::array::c_style) |
                         static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);
  if (array.ndim() != type.shape.rank() || (array.flags() & kFlags) != kFlags ||
      !std::equal(type.shape.begin(), type.shape.end(), array.shape())) {
    return false;
  }
  const py::dtype dtype = array.dtype();
  if (type.dtype == DType::kBfloat16 || (dtype.byteorder() != '=' && dtype.byteorder() != '|'))
    return false;
  const bool is_unsigned = type.dtype >= DType::kUint8 && type.dtype <= DType::kUint32;
  const char kind = type.dtype == DType::kBool ? 'b'
                    : is_float(type.dtype)     ? 'f'
                    : is_unsigned              ? 'u'
                                               : 'i';
  return dtype.kind() == kind && static_cast<size_t>(dtype.itemsize()) == size_of(type.dtype);
}

// Memory of x, if it is a NumPy array or a tensor of that type.
const void* memory_of(py::handle x, const TensorType& type) {
  if (py::isinstance<py::array>(x)) {
    const auto array = py::reinterpret_borrow<py::array>(x);
    return is_of_type(array, type) ? array.data() : nullptr;
  }
  if (!py::isinstance<Handle>(x)) return nullptr;
  const auto& handle = py::cast<const Handle&>(x);
  return !handle.is_symbolic() && handle.type() == type ? handle.data.data() : nullptr;
}

const void* only_input(const Program& program, py::handle x) {
  if (program.inputs().size() != 1 || program.outputs().size() != 1) return nullptr;
  return memory_of(x, program.inputs()[0]);
}

// Runs on that memory, one for each input.
std::vector<Handle> run_on(const Program& program, const std::vector<const void*>& inputs) {
  std::vector<Handle> results;
  std::vector<void*> out;
  for (const TensorType& type : program.outputs()) {
    results.push_back({Tensor(type), nullptr, {}});
    out.push_back(results.back().data.data());
  }
  const py::gil_scoped_release release;
  program.check_inputs(inputs.data());
  program.run(inputs.data(), out.data());
  return results;
}

std::vector<Handle> run_program(const Program& program, const std::vector<Handle*>& inputs) {
  if (inputs.size() != program.inputs().size()) {
    value_error("program: expected ", program.inputs().size(), " inputs. Received: ", inputs.size(),
                ".");
  }
  std::vector<const void*> in;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = data_of(*inputs[i], "program");
    if (!(tensor.type() == program.inputs()[i])) {
      value_error("program: input ", i, " is ", program.inputs()[i], ". Received: ", tensor.type(),
                  ".");
    }
    in.push_back(tensor.data());
  }
  return run_on(program, in);
}

// None where an input is no array or tensor of the type that is wanted.
py::object run_direct(const Program& program, const py::tuple& inputs) {
  if (inputs.size() != program.inputs().size()) return py::none();
  std::vector<const void*> in;
  for (size_t i = 0; i < inputs.size(); ++i) {
    in.push_back(memory_of(inputs[i], program.inputs()[i]));
    if (in.back() == nullptr) return py::none();
  }
  return py::cast(run_on(program, in));
}

void run_one(const Program& program, const void* input, void* output) {
  const py::gil_scoped_release release;
  program.check_inputs(&input);
  program.run(&input, &output);
}

// bfloat16 as uint16.
py::object run_to_array(const Program& program, const py::object& x) {
  const void* const input = only_input(program, x);
  if (input == nullptr) return py::none();
  const auto& [dtype, shape] = program.outputs()[0];
  py::array result(numpy_dtype(dtype), py::array::ShapeContainer(shape.begin(), shape.end()));
  run_one(program, input, result.mutable_data());
  return result;
}

py::object run_to_tensor(const Program& program, const py::object& x) {
  const void* const input = only_input(program, x);
  if (input == nullptr) return py::none();
  Tensor result(program.outputs()[0]);
  run_one(program, input, result.data());
  return py::cast(Handle{std::move(result), nullptr, {}});
}

}  // namespace

void bind_program(py::module_& m) {
  py::class_<Program, std::shared_ptr<Program>>(m, "Program", "A compiled graph.")
      .def("run", &run_program, py::arg("inputs"))
      .def("run_direct", &run_direct, py::arg("inputs"))
      .def("run_to_array", &run_to_array, py::arg("x"))
      .def("run_to_tensor", &run_to_tensor, py::arg("x"))
      .def("run_batches", &run_batches_checked, py::arg("sources"), py::arg("order"),
           py::arg("batch_size"), py::arg("first"), py::arg("last"), py::arg("time_limit"),
           py::arg("outputs"))
      .def_property_readonly(
          "input_types",
          [](const Program& self) {
            py::list types;
            for (const TensorType& t : self.inputs())
              types.append(py::make_tuple(shape_tuple(t.shape), dtype_string(t.dtype)));
            return types;
          })
      .def_property_readonly(
          "output_types",
          [](const Program& self) {
            py::list types;
            for (const TensorType& t : self.outputs())
              types.append(py::make_tuple(shape_tuple(t.shape), dtype_string(t.dtype)));
            return types;
          })
      .def_property_readonly("arena_bytes", &Program::arena_bytes)
      .def_property_readonly("kept_bytes", &Program::kept_bytes)
      .def_property_readonly("step_count", &Program::step_count)
      .def("print", &Program::print);
  m.def(
      "random_permutation",
      [](uint32_t seed, uint32_t stream, int64_t rows) {
        if (rows < 0 || rows > UINT32_MAX)
          value_error("random_permutation: expected fewer than 2**32 rows. Received: ", rows, ".");
        py::array_t<int64_t> order(rows);
        random_permutation(seed, stream, {order.mutable_data(), static_cast<size_t>(rows)});
        return order;
      },
      py::arg("seed"), py::arg("stream"), py::arg("rows"));
}

}  // namespace pronghorn
