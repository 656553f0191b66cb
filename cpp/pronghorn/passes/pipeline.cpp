#include <atomic>
#include <span>
#include <utility>

#include "pronghorn/passes/fold_casts.h"
#include "pronghorn/passes/fold_epilogue.h"
#include "pronghorn/passes/fold_prologue.h"
#include "pronghorn/passes/fold_scale.h"
#include "pronghorn/passes/fuse_elementwise.h"
#include "pronghorn/passes/passes.h"
#include "pronghorn/passes/prepack.h"

namespace pronghorn {
namespace {

std::atomic<bool> enabled{true};

struct Pass {
  const char* name;
  Graph (*run)(const Graph&);
};

// Before hoist: what decides which values there are.
constexpr Pass kEarly[] = {{"simplify", simplify}};
// Of whole programs: what computes more with values that are the same in every run.
constexpr Pass kFixed[] = {{"fold_scale", fold_scale}, {"prepack", prepack}};
// After it: what decides how they are computed.
constexpr Pass kLate[] = {
    {"fold_casts", fold_casts},
    {"fold_epilogue", fold_epilogue},
    {"fold_prologue", fold_prologue},
    {"fuse_elementwise", fuse_elementwise},
};

Graph run(std::span<const Pass> passes, Graph graph) {
  for (const Pass& pass : passes) {
    graph = pass.run(graph);
    verify(graph, pass.name);
  }
  return graph;
}

}  // namespace

void set_passes(bool on) { enabled.store(on); }

Graph optimize(const Graph& graph) {
  verify(graph, "the trace");
  return enabled.load() ? run(kLate, run(kEarly, graph)) : graph;
}

Hoisted optimize_program(const Graph& graph) {
  verify(graph, "the trace");
  Hoisted result;
  if (!enabled.load()) {
    result.main = graph;
    return result;
  }
  result = hoist(run(kFixed, run(kEarly, graph)));
  verify(result.main, "hoist");
  verify(result.once, "hoist");
  result.main = run(kLate, std::move(result.main));
  result.once = run(kLate, std::move(result.once));
  return result;
}

}  // namespace pronghorn
