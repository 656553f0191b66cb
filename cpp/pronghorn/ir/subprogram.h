// Programs that a node runs as part of its own step: the condition and the body of a loop.
#pragma once

#include <exception>
#include <memory>
#include <vector>

#include "pronghorn/ir/op_def.h"

namespace pronghorn {

// What a compiled program is to the ops below it.
class Runnable {
 public:
  virtual ~Runnable() = default;
  virtual const std::vector<TensorType>& inputs() const = 0;
  virtual const std::vector<TensorType>& outputs() const = 0;
  // inputs[i], outputs[i]: memory of the types above.
  virtual void run(const void* const* inputs, void* const* outputs) const = 0;
};

class Subprograms final : public Payload {
 public:
  explicit Subprograms(std::vector<std::shared_ptr<const Runnable>> programs)
      : programs(std::move(programs)) {}

  const std::vector<std::shared_ptr<const Runnable>> programs;
};

// A program that a step runs may fail for want of memory. Steps do not throw: the step leaves the
// exception with its thread and ends, and the program that it belongs to throws it after its run.
inline std::exception_ptr& step_failure() {
  thread_local std::exception_ptr failure;
  return failure;
}

}  // namespace pronghorn
