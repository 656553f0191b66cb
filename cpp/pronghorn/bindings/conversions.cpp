#include "pronghorn/bindings/conversions.h"

#include <pybind11/stl.h>

namespace py = pybind11;

namespace pronghorn {

DType dtype_from(const std::string& name) {
  const auto dtype = parse_dtype(name);
  if (!dtype) type_error("dtype: unknown name. Received: dtype='", name, "'.");
  return *dtype;
}

py::tuple shape_tuple(const Shape& shape) {
  py::tuple result(static_cast<size_t>(shape.rank()));
  for (int i = 0; i < shape.rank(); ++i) result[static_cast<size_t>(i)] = shape[i];
  return result;
}

Shape shape_from(const std::vector<int64_t>& dims) { return Shape(std::span<const int64_t>(dims)); }

py::str dtype_string(DType dtype) {
  static const std::vector<PyObject*> interned = [] {
    std::vector<PyObject*> names;
    for (int i = 0; i < kDTypeCount; ++i) {
      names.push_back(
          PyUnicode_InternFromString(std::string(name_of(static_cast<DType>(i))).c_str()));
    }
    return names;
  }();
  return py::reinterpret_borrow<py::str>(interned[static_cast<size_t>(dtype)]);
}

py::dtype numpy_dtype(DType dtype) {
  static const std::vector<PyObject*> known = [] {
    std::vector<PyObject*> dtypes;
    for (int i = 0; i < kDTypeCount; ++i) {
      const auto one = static_cast<DType>(i);
      dtypes.push_back(py::dtype(one == DType::kBfloat16 ? "uint16" : std::string(name_of(one)))
                           .release()
                           .ptr());
    }
    return dtypes;
  }();
  return py::reinterpret_borrow<py::dtype>(known[static_cast<size_t>(dtype)]);
}

namespace {

// Integers of Python have any size, those of the core 64 bits.
int64_t integer_from(const std::string& name, py::handle item) {
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(item.ptr(), &overflow);
  if (overflow != 0) {
    value_error(name, ": expected numbers of 64 bits. Received: ", name, "=",
                overflow < 0 ? "below" : "above", " their range.");
  }
  if (value == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
  return value;
}

std::vector<int64_t> integers_from(const std::string& name, py::handle items) {
  std::vector<int64_t> values;
  for (const py::handle item : items) {
    values.push_back(PyLong_Check(item.ptr()) ? integer_from(name, item) : py::cast<int64_t>(item));
  }
  return values;
}

}  // namespace

Attrs attrs_from(const py::dict& dict) {
  Attrs attrs;
  for (const auto& [key, item] : dict) {
    const auto name = py::cast<std::string>(key);
    if (PyBool_Check(item.ptr()) || PyLong_Check(item.ptr())) {
      attrs.set(name, integer_from(name, item));
    } else if (PyFloat_Check(item.ptr())) {
      attrs.set(name, py::cast<double>(item));
    } else if (PyUnicode_Check(item.ptr())) {
      attrs.set(name, py::cast<std::string>(item));
    } else {
      attrs.set(name, integers_from(name, item));
    }
  }
  return attrs;
}

const Tensor& data_of(const Handle& handle, const char* what) {
  if (handle.is_symbolic()) {
    type_error(what,
               ": this tensor has no data: it stands for a value inside a trace. Received: a "
               "symbolic tensor, shape=",
               handle.type().shape, ", dtype=", handle.type().dtype, ".");
  }
  return handle.data;
}

}  // namespace pronghorn
