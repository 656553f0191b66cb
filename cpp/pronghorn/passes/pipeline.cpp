#include <atomic>

#include "pronghorn/passes/fold_epilogue.h"
#include "pronghorn/passes/fuse_elementwise.h"
#include "pronghorn/passes/passes.h"

namespace pronghorn {
namespace {

std::atomic<bool> enabled{true};

struct Pass {
  const char* name;
  Graph (*run)(const Graph&);
};

constexpr Pass kPasses[] = {
    {"simplify", simplify},
    {"fold_epilogue", fold_epilogue},
    {"fuse_elementwise", fuse_elementwise},
};

}  // namespace

void set_passes(bool on) { enabled.store(on); }

Graph optimize(const Graph& graph) {
  verify(graph, "the trace");
  Graph current = graph;
  if (!enabled.load()) return current;
  for (const Pass& pass : kPasses) {
    current = pass.run(current);
    verify(current, pass.name);
  }
  return current;
}

}  // namespace pronghorn
