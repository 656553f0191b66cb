// The module pronghorn._core. It knows no op by name: apply(name, inputs, attrs) reaches all of
// them.
#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstdlib>

#include "pronghorn/base/cpu.h"
#include "pronghorn/base/parallel.h"
#include "pronghorn/base/precision.h"
#include "pronghorn/bindings/conversions.h"
#include "pronghorn/bindings/handle.h"
#include "pronghorn/bindings/programs.h"
#include "pronghorn/passes/passes.h"
#include "pronghorn/runtime/eager.h"
#include "pronghorn/runtime/peak.h"
#include "pronghorn/runtime/program.h"
#include "pronghorn/runtime/tape.h"
#include "pronghorn/tensor/check_size.h"

namespace py = pybind11;

namespace pronghorn {
namespace {

// Shared: a tape that is never stopped must not leave a pointer behind.
std::vector<std::shared_ptr<Tape>>& tapes() {
  thread_local std::vector<std::shared_ptr<Tape>> active;
  return active;
}

Handle symbolic(const std::shared_ptr<Trace>& trace, Value value) {
  return {Tensor(), trace, value};
}

// All inputs as values of one trace.
std::vector<Value> values_in(const std::shared_ptr<Trace>& trace,
                             const std::vector<Handle*>& inputs) {
  std::vector<Value> values;
  for (const Handle* input : inputs) {
    if (!input->is_symbolic()) {
      values.push_back(trace->constant(input->data));
    } else if (const Value local = trace->local(*input->trace, input->value)) {
      values.push_back(local);
    } else {
      value_error("trace: a symbolic tensor of another trace was used. Received: shape=",
                  input->type().shape, ". Keep no tensors from inside a traced function.");
    }
  }
  return values;
}

py::object results(std::vector<Handle> handles) {
  if (handles.size() == 1) return py::cast(std::move(handles[0]));
  py::tuple tuple(handles.size());
  for (size_t i = 0; i < handles.size(); ++i) tuple[i] = py::cast(std::move(handles[i]));
  return tuple;
}

py::object apply(const std::string& name, const std::vector<Handle*>& inputs,
                 const py::dict& dict) {
  const OpDef& op = find_op(name);
  const Attrs attrs = attrs_from(dict);
  std::shared_ptr<Trace> trace;
  for (const Handle* input : inputs) {
    if (input == nullptr) type_error(name, ": expected tensors. Received: None.");
    // Of nested traces the innermost: values of the others are known in it.
    if (input->is_symbolic() && (trace == nullptr || input->trace->depth > trace->depth))
      trace = input->trace;
  }
  std::vector<Handle> handles;
  if (trace != nullptr) {
    const std::vector<Value> values = values_in(trace, inputs);
    for (const Value v : Builder(trace->graph).apply_all(op, values, attrs))
      handles.push_back(symbolic(trace, v));
    return results(std::move(handles));
  }
  std::vector<Tensor> tensors;
  for (const Handle* input : inputs) tensors.push_back(input->data);
  std::vector<Tensor> outputs;
  {
    const py::gil_scoped_release release;
    outputs = apply_eager(op, tensors, attrs);
  }
  for (const auto& tape : tapes()) tape->record(op, tensors, attrs, outputs);
  for (Tensor& output : outputs) handles.push_back({std::move(output), nullptr, {}});
  return results(std::move(handles));
}

// Adds a node that runs programs.
py::object apply_programs(const std::shared_ptr<Trace>& trace, const std::string& name,
                          const std::vector<Handle*>& inputs, const py::dict& dict,
                          const std::vector<std::shared_ptr<Program>>& programs) {
  const auto payload = std::make_shared<const Subprograms>(
      std::vector<std::shared_ptr<const Runnable>>(programs.begin(), programs.end()));
  const std::vector<Value> values = values_in(trace, inputs);
  std::vector<Handle> handles;
  for (const Value v :
       Builder(trace->graph).apply_all(find_op(name), values, attrs_from(dict), payload)) {
    handles.push_back(symbolic(trace, v));
  }
  return results(std::move(handles));
}

// A tensor that borrows the array's memory when it is aligned, writable or not, and keeps the array
// alive; else a copy.
Handle from_numpy(const py::array& array, const std::string& dtype_name, bool copy) {
  const TensorType type{dtype_from(dtype_name),
                        shape_from({array.shape(), array.shape() + array.ndim()})};
  if ((array.flags() & py::array::c_style) == 0)
    value_error("from_numpy: expected a C-contiguous array.");
  if (static_cast<size_t>(array.nbytes()) != type.bytes()) {
    value_error("from_numpy: array has ", array.nbytes(), " bytes, ", type, " has ", type.bytes(),
                ".");
  }
  if (py::cast<bool>(array.dtype().attr("isnative")) == false) {
    value_error("from_numpy: expected the byte order of this machine.");
  }
  if (copy || (array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0) {
    Tensor tensor(type);
    std::memcpy(tensor.data(), array.data(), type.bytes());
    return {std::move(tensor), nullptr, {}};
  }
  auto* owner = new py::object(array);
  auto buffer = std::make_shared<Buffer>(const_cast<void*>(array.data()), type.bytes(), [owner] {
    const py::gil_scoped_acquire acquire;
    delete owner;
  });
  return {Tensor(type, std::move(buffer)), nullptr, {}};
}

// An array over the tensor's memory, which lives as long as a view of it does.
py::array array_over(const Tensor& tensor, const py::dtype& dtype, std::vector<py::ssize_t> shape) {
  const py::capsule owner(new std::shared_ptr<Buffer>(tensor.buffer()),
                          [](void* p) { delete static_cast<std::shared_ptr<Buffer>*>(p); });
  return {dtype, std::move(shape), tensor.data(), owner};
}

// A read-only array over the tensor's memory, or a copy.
py::array to_numpy(const Handle& handle, bool copy) {
  const Tensor& tensor = data_of(handle, "numpy");
  std::vector<py::ssize_t> shape(tensor.shape().begin(), tensor.shape().end());
  if (copy) {
    py::array array(numpy_dtype(tensor.dtype()), shape);
    std::memcpy(array.mutable_data(), tensor.data(), tensor.type().bytes());
    return array;
  }
  py::array array = array_over(tensor, numpy_dtype(tensor.dtype()), std::move(shape));
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

void copy_into(Handle& storage, const Handle& value) {
  const Tensor& from = data_of(value, "assign");
  if (!(from.type() == storage.data.type())) {
    value_error("assign: expected ", storage.data.type(), ". Received: ", from.type(), ".");
  }
  std::memmove(storage.data.data(), from.data(), from.type().bytes());
  Buffer* const changed = storage.data.buffer().get();
  announce_changes({&changed, 1});
}

// Calls `write` with the writable bytes of a variable. A view that it keeps stays valid; programs
// may miss what is written into it later.
void fill(Handle& storage, const py::function& write) {
  const Tensor tensor = data_of(storage, "fill");
  const py::object memory = py::reinterpret_steal<py::object>(
      PyMemoryView_FromObject(array_over(tensor, py::dtype::of<uint8_t>(),
                                         {static_cast<py::ssize_t>(tensor.type().bytes())})
                                  .ptr()));
  if (!memory) throw py::error_already_set();
  Buffer* const changed = tensor.buffer().get();
  try {
    write(memory);
  } catch (...) {
    announce_changes({&changed, 1});
    throw;
  }
  announce_changes({&changed, 1});
}

py::object value_of(const AttrValue& value) {
  return std::visit([](const auto& typed) { return py::object(py::cast(typed)); }, value);
}

// (op, inputs, attributes, output types, tensor, forwards): inputs are pairs of a node's number and
// an output of it, the tensor is that of a variable or constant, forwards says that outputs are
// inputs.
py::tuple node_tuple(const Trace& trace, const Node& node) {
  py::list inputs;
  for (const Value v : node.inputs) inputs.append(py::make_tuple(v.node, v.index));
  py::dict attrs;
  for (const auto& [name, value] : node.attrs) attrs[py::str(name)] = value_of(value);
  py::list types;
  for (const auto& [dtype, shape] : node.outputs)
    types.append(py::make_tuple(shape_tuple(shape), dtype_string(dtype)));
  py::object tensor = py::none();
  if (node.op == &kConstantOp) tensor = py::cast(Handle{node.constant, nullptr, {}});
  if (node.op == &kVariableOp) {
    const Tensor& storage = trace.variables[static_cast<size_t>(node.slot)];
    tensor = py::cast(Handle{storage, nullptr, {}});
  }
  return py::make_tuple(py::str(std::string(node.op->name)), inputs, attrs, types, tensor,
                        node.op->forwards);
}

// The nodes of a trace, and where in them the values of some tensors are.
py::tuple list_nodes(const std::shared_ptr<Trace>& trace, const std::vector<Handle*>& tensors) {
  py::list places;
  for (const Value v : values_in(trace, tensors)) places.append(py::make_tuple(v.node, v.index));
  py::list nodes;
  for (const Node& node : trace->graph.nodes) nodes.append(node_tuple(*trace, node));
  return py::make_tuple(nodes, places);
}

py::object optional_handle(const std::shared_ptr<Trace>& trace, Value v) {
  return v ? py::cast(symbolic(trace, v)) : py::none();
}

void bind_tensor(py::module_& m) {
  py::class_<Handle>(m, "Tensor", py::dynamic_attr(), py::buffer_protocol(),
                     "A tensor: data, or a value of a trace.")
      .def_property_readonly("shape",
                             [](const Handle& self) { return shape_tuple(self.type().shape); })
      .def_property_readonly("dtype",
                             [](const Handle& self) { return dtype_string(self.type().dtype); })
      .def_property_readonly("ndim", [](const Handle& self) { return self.type().shape.rank(); })
      .def_property_readonly("size", [](const Handle& self) { return self.type().size(); })
      .def_property_readonly("nbytes", [](const Handle& self) { return self.type().bytes(); })
      .def_property_readonly("is_symbolic", &Handle::is_symbolic)
      .def("_to_numpy", &to_numpy, py::arg("copy"))
      .def_buffer([](const Handle& self) {
        const Tensor& tensor = data_of(self, "buffer");
        if (tensor.dtype() == DType::kBfloat16) {
          // NumPy asks for a buffer first, and would take the bits for integers.
          type_error("buffer: the buffer protocol has no bfloat16. Cast to float32 first.");
        }
        const py::dtype dtype = numpy_dtype(tensor.dtype());
        std::vector<py::ssize_t> shape(tensor.shape().begin(), tensor.shape().end());
        return py::buffer_info(tensor.data(), dtype.itemsize(), std::string(1, dtype.char_()),
                               tensor.shape().rank(), shape,
                               py::detail::c_strides(shape, dtype.itemsize()), true);
      });
  m.def("from_numpy", &from_numpy, py::arg("array"), py::arg("dtype"), py::arg("copy"));
  m.def("copy", [](const Handle& handle) {
    const Tensor& from = data_of(handle, "copy");
    Tensor to(from.type());
    std::memcpy(to.data(), from.data(), from.type().bytes());
    return Handle{std::move(to), nullptr, {}};
  });
  m.def("copy_into", &copy_into, py::arg("storage"), py::arg("value"));
  m.def("fill", &fill, py::arg("storage"), py::arg("write"));
  m.def(
      "empty",
      [](const std::vector<int64_t>& shape, const std::string& dtype) {
        const TensorType type{dtype_from(dtype), shape_from(shape)};
        check_size("empty", type);
        return Handle{Tensor(type), nullptr, {}};
      },
      py::arg("shape"), py::arg("dtype"));
  m.def("apply", &apply, py::arg("name"), py::arg("inputs"), py::arg("attrs") = py::dict());
}

void bind_graph(py::module_& m) {
  py::class_<Trace, std::shared_ptr<Trace>>(m, "Graph", "A graph under construction.")
      .def(py::init<>())
      .def(py::init([](const std::shared_ptr<Trace>& around) {
        auto trace = std::make_shared<Trace>();
        trace->around = around;
        trace->depth = around->depth + 1;
        return trace;
      }))
      .def_property_readonly("captures",
                             [](const Trace& self) {
                               py::list captures;
                               for (const Value v : self.captures)
                                 captures.append(py::cast(symbolic(self.around, v)));
                               return captures;
                             })
      .def("apply_programs", &apply_programs)
      .def("input",
           [](const std::shared_ptr<Trace>& self, const std::vector<int64_t>& shape,
              const std::string& dtype) {
             return symbolic(self,
                             Builder(self->graph).input({dtype_from(dtype), shape_from(shape)}));
           })
      .def("variable",
           [](const std::shared_ptr<Trace>& self, const Handle& storage) {
             return symbolic(self, self->variable(data_of(storage, "variable")));
           })
      .def("constant",
           [](const std::shared_ptr<Trace>& self, const Handle& tensor) {
             return symbolic(self, self->constant(data_of(tensor, "constant")));
           })
      .def("is_leaf",
           [](const std::shared_ptr<Trace>& self, Handle& tensor) {
             return is_source(self->graph.node(values_in(self, {&tensor})[0]));
           })
      .def(
          "gradient",
          [](const std::shared_ptr<Trace>& self, Handle& loss, const std::vector<Handle*>& wrt,
             Handle* seed) {
            const std::vector<Value> targets = values_in(self, wrt);
            Builder g(self->graph);
            const Value start = seed == nullptr ? Value{} : values_in(self, {seed})[0];
            py::list result;
            for (const Value v : gradient(g, values_in(self, {&loss})[0], targets, start)) {
              result.append(optional_handle(self, v));
            }
            return result;
          },
          py::arg("loss"), py::arg("wrt"), py::arg("seed") = nullptr)
      .def("compile",
           [](const std::shared_ptr<Trace>& self, const std::vector<Handle*>& outputs,
              const std::vector<std::pair<Handle*, Handle*>>& updates) {
             Graph graph = self->graph;
             std::vector<Handle*> values;
             for (const auto& [storage, value] : updates) values.push_back(value);
             // Operands that are no part of the trace yet become constants of it.
             graph.outputs = values_in(self, outputs);
             std::vector<Value> new_values = values_in(self, values);
             std::vector<Value> kept = graph.outputs;
             std::vector<int32_t> slots;
             for (size_t i = 0; i < updates.size(); ++i) {
               const Value variable = self->variable(data_of(*updates[i].first, "compile"));
               slots.push_back(self->graph.node(variable).slot);
             }
             graph = self->graph;
             graph.outputs = std::move(kept);
             for (size_t i = 0; i < updates.size(); ++i)
               graph.updates.push_back({slots[i], new_values[i]});
             const py::gil_scoped_release release;
             return std::make_shared<Program>(graph, self->variables);
           })
      .def("nodes", &list_nodes, py::arg("tensors"))
      .def_property_readonly("node_count",
                             [](const Trace& self) { return self.graph.nodes.size(); })
      .def("print", [](const Trace& self) { return print(self.graph); });
}

void bind_tape(py::module_& m) {
  py::class_<Tape, std::shared_ptr<Tape>>(m, "Tape",
                                          "Records eager ops between start() and stop().")
      .def(py::init<>())
      .def("start", [](const std::shared_ptr<Tape>& self) { tapes().push_back(self); })
      .def("stop", [](const std::shared_ptr<Tape>& self) { std::erase(tapes(), self); })
      .def("is_leaf", [](const Tape& self,
                         const Handle& tensor) { return self.is_leaf(data_of(tensor, "is_leaf")); })
      .def(
          "gradient",
          [](const std::shared_ptr<Tape>& self, const Handle& target,
             const std::vector<Handle*>& sources, const Handle* seed) {
            std::vector<Tensor> wrt;
            for (const Handle* source : sources) wrt.push_back(data_of(*source, "gradient"));
            std::vector<std::shared_ptr<Tape>> others = tapes();
            std::erase(others, self);
            std::vector<Tensor> gradients =
                self->gradient(data_of(target, "gradient"), wrt,
                               seed == nullptr ? Tensor() : data_of(*seed, "gradient"), others);
            py::list result;
            for (Tensor& tensor : gradients) {
              if (tensor) {
                result.append(py::cast(Handle{std::move(tensor), nullptr, {}}));
              } else {
                result.append(py::none());
              }
            }
            return result;
          },
          py::arg("target"), py::arg("sources"), py::arg("seed") = nullptr);
}

void bind_settings(py::module_& m) {
  m.def("op_names", [] {
    std::vector<std::string> names;
    for (const OpDef& op : all_ops()) names.emplace_back(op.name);
    return names;
  });
  m.def("isa", [] { return std::string(name_of(active_isa())); });
  m.def("available_isas", [] {
    std::vector<std::string> names;
    for (const Isa isa : available_isas()) names.emplace_back(name_of(isa));
    return names;
  });
  m.def("num_threads", &num_threads);
  m.def("strict_float32", &strict_float32);
  m.def("set_strict_float32", &set_strict_float32);
  m.def("set_num_threads", &set_num_threads);
  m.def("run_alone", &enter_worker);
  m.def("set_passes", &set_passes);
  m.def("eager_cache_size", &eager_cache_size);
  m.def("clear_eager_cache", &clear_eager_cache);
}

// For bench/.
void bind_peaks(py::module_& m) {
  using Release = py::call_guard<py::gil_scoped_release>;
  m.def("_peak_multiply_add", &peak_multiply_add, Release());
  m.def("_sustained_multiply_add", &sustained_multiply_add, Release());
  m.def("_peak_multiply_tiles", &peak_multiply_tiles, Release());
  m.def("_peak_read", &peak_read, py::arg("bytes"), Release());
  m.def("_peak_copy", &peak_copy, py::arg("bytes"), Release());
}

}  // namespace
}  // namespace pronghorn

PYBIND11_MODULE(_core, m) {
  py::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const pronghorn::Error& e) {
      PyObject* const types[] = {PyExc_ValueError, PyExc_TypeError, PyExc_RuntimeError};
      PyErr_SetString(types[static_cast<int>(e.kind())], e.what());
    }
  });
  pronghorn::bind_tensor(m);
  pronghorn::bind_graph(m);
  pronghorn::bind_program(m);
  pronghorn::bind_tape(m);
  pronghorn::bind_settings(m);
  pronghorn::bind_peaks(m);
  pronghorn::strict_float32();  // an unusable PRONGHORN_FP32 is an error of the import
  pronghorn::active_isa();      // an unusable PRONGHORN_ISA is an error of the import
  if (std::getenv("PRONGHORN_NUM_THREADS") != nullptr) pronghorn::num_threads();  // and so is that
}
