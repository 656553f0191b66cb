#include "pronghorn/runtime/program.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <utility>

#include "pronghorn/base/fork_safe_mutex.h"
#include "pronghorn/base/memory.h"
#include "pronghorn/base/parallel.h"
#include "pronghorn/base/precision.h"
#include "pronghorn/passes/passes.h"
#include "pronghorn/runtime/arena_pool.h"
#include "pronghorn/runtime/profile.h"

namespace pronghorn {
namespace {

// Of all programs' idle contexts: held for a few instructions.
ForkSafeMutex& idle_mutex() {
  static ForkSafeMutex& instance = *new ForkSafeMutex;
  return instance;
}

// Held while values that are computed once are brought up to date.
ForkSafeMutex& refresh_mutex() {
  static ForkSafeMutex& instance = *new ForkSafeMutex;
  return instance;
}

// Held while a program is planned again.
ForkSafeMutex& replan_mutex() {
  static ForkSafeMutex& instance = *new ForkSafeMutex;
  return instance;
}

// Made before any thread can: a child forked meanwhile would wait for ever.
[[maybe_unused]] const bool made_at_start =
    (idle_mutex(), refresh_mutex(), replan_mutex(), arena_pool(), true);

}  // namespace

// What one run at a time needs.
struct Program::Context {
  std::unique_ptr<Buffer> arena;  // a large one only while it runs
  std::vector<void*> pointers;
  char* base = nullptr;  // of the arena that the pointers are into
};

Program::Program(const Graph& graph, std::vector<Tensor> variables)
    : Program(FixedPrecision(strict_float32()), graph, std::move(variables)) {}

Program::Program(const FixedPrecision&, const Graph& graph, std::vector<Tensor> variables)
    : Program(optimize_program(graph), std::move(variables)) {
  source_ = graph;
  input_bounds_ = find_input_bounds(graph);
}

Program::Program(Hoisted graphs, std::vector<Tensor> variables)
    : source_variables_(variables.size()),
      strict_float32_(strict_float32()),
      graph_(std::move(graphs.main)),
      variables_(std::move(variables)),
      plan_(plan_memory(graph_)) {
  for (const int32_t slot : graphs.watched)
    watched_.push_back(variables_[static_cast<size_t>(slot)].buffer().get());
  for (const TensorType& type : graphs.kept) {
    variables_.emplace_back(type);
    kept_bytes_ += type.bytes();
  }
  if (!graphs.kept.empty()) {
    Hoisted once;
    once.main = std::move(graphs.once);
    once_.reset(new Program(std::move(once), variables_));
    versions_.resize(watched_.size());
  }
  for (const Update& update : graph_.updates)
    written_.push_back(variables_[static_cast<size_t>(update.slot)].buffer().get());
  inputs_.resize(static_cast<size_t>(graph_.input_count));
  for (const Node& node : graph_.nodes) {
    if (node.op == &kInputOp) inputs_[static_cast<size_t>(node.slot)] = node.outputs[0];
  }
  size_t needed = plan_.arena_bytes;
  for (const Value v : graph_.outputs) {
    outputs_.push_back(graph_.type(v));
    needed += outputs_.back().bytes();
  }
  require_memory(needed);  // before ops prepare for sizes that no run can have

  const auto add_pointer = [&](const Location& location) {
    if (location.place == Place::kInput || location.place == Place::kOutput) {
      patches_.push_back({pointers_.size(), location.slot, location.place == Place::kOutput});
    }
    pointers_.push_back(location);
  };
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const Node& node = graph_.nodes[i];
    if (is_source(node) || node.op->is_view) continue;
    std::vector<TensorType> types;
    for (const Value v : node.inputs) types.push_back(graph_.type(v));
    Prepared prepared;
    if (node.op->prepare != nullptr) {
      prepared =
          node.op->prepare(OpCall{*node.op, types, node.outputs, node.attrs, node.payload.get()});
    }
    workspace_bytes_ = std::max(workspace_bytes_, prepared.workspace);
    steps_.push_back(
        {&node, node.op->run, std::move(prepared.plan), pointers_.size(), node.inputs.size()});
    for (const Value v : node.inputs) {
      add_pointer(plan_.locations[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)]);
    }
    for (const Location& location : plan_.locations[i]) add_pointer(location);
  }
  arena_bytes_ = plan_.arena_bytes + workspace_bytes_;
  if (shares_arena()) arena_pool().add_user(arena_bytes_);
}

Program::~Program() {
  if (shares_arena()) arena_pool().remove_user(arena_bytes_);
}

bool Program::shares_arena() const { return arena_bytes_ >= kPooledArena; }

void* Program::fixed_address(const Location& location, char* arena) const {
  switch (location.place) {
    case Place::kArena: return arena + location.offset;
    case Place::kVariable: return variables_[static_cast<size_t>(location.slot)].data();
    case Place::kConstant: return graph_.nodes[static_cast<size_t>(location.slot)].constant.data();
    default: return nullptr;
  }
}

// Gives the context an arena.
void Program::enter(Context& context) const {
  if (context.arena == nullptr) {
    context.arena =
        shares_arena() ? arena_pool().take(arena_bytes_) : std::make_unique<Buffer>(arena_bytes_);
  }
  auto* const base = static_cast<char*>(context.arena->data());
  if (base == context.base) return;
  context.base = base;
  context.pointers.resize(pointers_.size());
  for (size_t i = 0; i < pointers_.size(); ++i)
    context.pointers[i] = fixed_address(pointers_[i], base);
}

void Program::leave(Context& context) const {
  if (shares_arena()) arena_pool().give(std::move(context.arena));
}

// A change while this runs has another count, and the next run sees it.
void Program::refresh() const {
  const uint64_t count = change_count();
  if (fresh_at_.load(std::memory_order_acquire) == count) return;
  const std::lock_guard lock(refresh_mutex());
  std::vector<uint64_t> versions;
  for (const Buffer* buffer : watched_) versions.push_back(buffer->version());
  if (fresh_at_.load(std::memory_order_relaxed) == kNever || versions != versions_) {
    Context context;
    once_->run_steps(context, nullptr, nullptr);
    versions_ = std::move(versions);
  }
  fresh_at_.store(count, std::memory_order_release);
}

const Program& Program::replanned() const {
  const std::lock_guard lock(replan_mutex());
  if (replanned_ == nullptr) {
    std::vector<Tensor> variables(variables_.begin(),
                                  variables_.begin() + static_cast<ptrdiff_t>(source_variables_));
    replanned_.reset(new Program(FixedPrecision(!strict_float32_), source_, std::move(variables)));
  }
  return *replanned_;
}

void Program::check_inputs(const void* const* inputs, const int64_t* row_names) const {
  for (const InputBounds& bounds : input_bounds_) {
    const TensorType& type = inputs_[bounds.input];
    const int64_t rows = type.shape.rank() == 0 ? 1 : type.shape[0];
    check_input_bounds(bounds, type, inputs[bounds.input], 0, rows, row_names);
  }
}

void Program::run(const void* const* inputs, void* const* outputs) const {
  return strict_float32_ == strict_float32() ? run_planned(inputs, outputs)
                                             : replanned().run_planned(inputs, outputs);
}

void Program::run_planned(const void* const* inputs, void* const* outputs) const {
  if (once_ != nullptr) refresh();
  std::unique_ptr<Context> context;
  {
    const std::lock_guard lock(idle_mutex());
    if (!idle_.empty()) {
      context = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (context == nullptr) context = std::make_unique<Context>();
  run_steps(*context, inputs, outputs);
  if (!written_.empty()) {
    uint64_t before = announce_changes(written_);
    // Its own updates are of no variable that it watches.
    if (once_ != nullptr) fresh_at_.compare_exchange_strong(before, before + 1);
  }
  const std::lock_guard lock(idle_mutex());
  idle_.push_back(std::move(context));
}

void Program::run_steps(Context& context, const void* const* inputs, void* const* outputs) const {
  enter(context);
  const FlushSubnormals flush;
  for (const Patch& patch : patches_) {
    const auto slot = static_cast<size_t>(patch.slot);
    context.pointers[patch.pointer] =
        patch.is_output ? outputs[slot] : const_cast<void*>(inputs[slot]);
  }
  char* const arena = context.base;
  void* const workspace = arena + plan_.arena_bytes;
  if (profile_enabled()) {
    for (const Step& step : steps_) {
      void* const* operands = context.pointers.data() + step.first_pointer;
      const ProfiledStep timed(*step.node);
      step.run(Launch{step.plan.get(), operands, operands + step.input_count, workspace});
    }
  } else {
    for (const Step& step : steps_) {
      void* const* operands = context.pointers.data() + step.first_pointer;
      step.run(Launch{step.plan.get(), operands, operands + step.input_count, workspace});
    }
  }

  const auto address = [&](Value v) -> const void* {
    const Location& location =
        plan_.locations[static_cast<size_t>(v.node)][static_cast<size_t>(v.index)];
    if (location.place == Place::kInput) return inputs[static_cast<size_t>(location.slot)];
    if (location.place == Place::kOutput) return outputs[static_cast<size_t>(location.slot)];
    return fixed_address(location, arena);
  };
  for (const int32_t i : plan_.copied_outputs) {
    const Value v = graph_.outputs[static_cast<size_t>(i)];
    std::memcpy(outputs[static_cast<size_t>(i)], address(v), graph_.type(v).bytes());
  }
  const auto assign = [&](int32_t i, const void* from) {
    const Update& update = graph_.updates[static_cast<size_t>(i)];
    void* const to = variables_[static_cast<size_t>(update.slot)].data();
    if (to != from) std::memcpy(to, from, graph_.type(update.value).bytes());
  };
  for (const auto& [i, offset] : plan_.staged_updates) {
    const Value v = graph_.updates[static_cast<size_t>(i)].value;
    std::memcpy(arena + offset, address(v), graph_.type(v).bytes());
  }
  for (const int32_t i : plan_.copied_updates)
    assign(i, address(graph_.updates[static_cast<size_t>(i)].value));
  for (const auto& [i, offset] : plan_.staged_updates) assign(i, arena + offset);
  leave(context);
  if (step_failure() != nullptr) std::rethrow_exception(std::exchange(step_failure(), nullptr));
}

std::string Program::print() const {
  const std::string main = pronghorn::print(graph_);
  return once_ == nullptr ? main : "once:\n" + once_->print() + "each run:\n" + main;
}

}  // namespace pronghorn
