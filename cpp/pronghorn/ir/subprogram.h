// Programs that a node runs as part of its own step: the condition and the body of a loop.
#pragma once

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

}  // namespace pronghorn
