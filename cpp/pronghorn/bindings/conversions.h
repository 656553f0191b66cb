// Between Python's values and the core's.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <string>
#include <vector>

#include "pronghorn/bindings/handle.h"

namespace pronghorn {

DType dtype_from(const std::string& name);
pybind11::str dtype_string(DType dtype);

pybind11::tuple shape_tuple(const Shape& shape);
Shape shape_from(const std::vector<int64_t>& dims);

// NumPy's dtype with the same bits; bfloat16 has none and shows as uint16.
pybind11::dtype numpy_dtype(DType dtype);

Attrs attrs_from(const pybind11::dict& dict);

// The data of a tensor; a TypeError that names `what` if it stands for a value of a trace.
const Tensor& data_of(const Handle& handle, const char* what);

}  // namespace pronghorn
