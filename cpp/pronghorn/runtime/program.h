// A graph made executable: a flat list of steps and one arena. Running allocates nothing but a
// missing context. Values that depend only on variables which the program does not update are
// computed by a program of their own, once until one of those variables changes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "pronghorn/base/precision.h"
#include "pronghorn/ir/graph.h"
#include "pronghorn/ir/subprogram.h"
#include "pronghorn/passes/hoist.h"
#include "pronghorn/passes/plan_memory.h"
#include "pronghorn/runtime/input_bounds.h"

namespace pronghorn {

class Program final : public Runnable {
 public:
  // Optimizes and plans. variables[i]: memory of variable slot i, which runs read and write in
  // place and keep alive. Under another float32 precision it is planned again when it runs.
  Program(const Graph& graph, std::vector<Tensor> variables);
  ~Program() override;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  const std::vector<TensorType>& inputs() const override { return inputs_; }
  const std::vector<TensorType>& outputs() const override { return outputs_; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t kept_bytes() const { return kept_bytes_; }  // of values that are computed once
  size_t step_count() const { return steps_.size(); }
  std::string print() const;

  // Throws a ValueError if an input has elements outside of its bounds. row_names: numbers to name
  // rows by, or null. To be called before run, which throws nothing.
  void check_inputs(const void* const* inputs, const int64_t* row_names = nullptr) const;
  const std::vector<InputBounds>& input_bounds() const { return input_bounds_; }

  // inputs[i], outputs[i]: memory of the types above. Thread safe as long as concurrent runs write
  // no common variable.
  void run(const void* const* inputs, void* const* outputs) const override;

 private:
  struct Step {
    const Node* node;
    void (*run)(const Launch&) noexcept;
    std::shared_ptr<const void> plan;
    size_t first_pointer;  // of its operands in a context's table: inputs, then outputs
    size_t input_count;
  };
  // Where a pointer of the table points; inputs and outputs are set by each run.
  struct Patch {
    size_t pointer;
    int32_t slot;
    bool is_output;
  };
  struct Context;

  Program(const FixedPrecision& precision, const Graph& graph, std::vector<Tensor> variables);
  Program(Hoisted graphs, std::vector<Tensor> variables);
  void run_planned(const void* const* inputs, void* const* outputs) const;
  const Program& replanned() const;
  void refresh() const;
  bool shares_arena() const;
  void enter(Context& context) const;
  void leave(Context& context) const;
  void* fixed_address(const Location& location, char* arena) const;
  void run_steps(Context& context, const void* const* inputs, void* const* outputs) const;

  // What it was made of, and for which precision; the same for the other one.
  Graph source_;
  size_t source_variables_ = 0;
  bool strict_float32_;
  mutable std::unique_ptr<const Program> replanned_;

  Graph graph_;
  std::vector<Tensor> variables_;
  MemoryPlan plan_;
  std::vector<TensorType> inputs_;
  std::vector<TensorType> outputs_;
  std::vector<InputBounds> input_bounds_;
  std::vector<Step> steps_;
  std::vector<Location> pointers_;
  std::vector<Patch> patches_;
  size_t workspace_bytes_ = 0;
  size_t arena_bytes_ = 0;  // workspace included

  mutable std::vector<std::unique_ptr<Context>> idle_;

  std::vector<Buffer*> written_;  // memory of the variables that runs update
  // What is computed once: its program, the memory that it reads, and the versions that this had.
  std::unique_ptr<Program> once_;
  std::vector<const Buffer*> watched_;
  size_t kept_bytes_ = 0;
  static constexpr uint64_t kNever = ~uint64_t{0};
  mutable std::vector<uint64_t> versions_;
  mutable std::atomic<uint64_t> fresh_at_{kNever};  // change_count() at which versions_ held
};

}  // namespace pronghorn
