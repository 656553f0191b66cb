// Programs as Python sees them.
#pragma once

#include <pybind11/pybind11.h>

namespace pronghorn {

void bind_program(pybind11::module_& m);

}  // namespace pronghorn
