// Programs: the precision that they are planned for, and steps that fail.
#include "pronghorn/runtime/program.h"

#include <doctest/doctest.h>

#include <new>
#include <thread>

#include "pronghorn/base/precision.h"
#include "pronghorn/ir/builder.h"

namespace pronghorn {
namespace {

// A condition or a body that finds no memory.
class Failing final : public Runnable {
 public:
  Failing(std::vector<TensorType> inputs, std::vector<TensorType> outputs)
      : inputs_(std::move(inputs)), outputs_(std::move(outputs)) {}
  const std::vector<TensorType>& inputs() const override { return inputs_; }
  const std::vector<TensorType>& outputs() const override { return outputs_; }
  void run(const void* const*, void* const*) const override { throw std::bad_alloc(); }

 private:
  std::vector<TensorType> inputs_;
  std::vector<TensorType> outputs_;
};

}  // namespace

TEST_CASE("a loop whose program finds no memory makes its own program throw, again and again") {
  const TensorType state{DType::kFloat32, {4}};
  const TensorType flag{DType::kBool, {}};
  const auto loop =
      std::make_shared<const Subprograms>(std::vector<std::shared_ptr<const Runnable>>{
          std::make_shared<Failing>(std::vector{state}, std::vector{flag}),
          std::make_shared<Failing>(std::vector{state}, std::vector{state})});
  Graph graph;
  Builder g(graph);
  const Value x = g.input(state);
  const Value operands[] = {x};
  graph.outputs = g.apply_all(find_op("while_loop"), operands,
                              {{"states", int64_t{1}}, {"condition_operands", int64_t{0}}}, loop);
  const Program program(graph, {});
  const float in[4] = {};
  float out[4];
  const void* const inputs[] = {in};
  void* const outputs[] = {out};
  CHECK_THROWS_AS(program.run(inputs, outputs), std::bad_alloc);
  CHECK_THROWS_AS(program.run(inputs, outputs), std::bad_alloc);
  CHECK(step_failure() == nullptr);
}

TEST_CASE("a fixed precision is that of one thread, innermost first") {
  const bool before = strict_float32();
  set_strict_float32(false);
  {
    const FixedPrecision strict(true);
    CHECK(strict_float32());
    bool elsewhere = true;
    std::thread([&] { elsewhere = strict_float32(); }).join();
    CHECK(!elsewhere);
    const FixedPrecision other(false);
    set_strict_float32(true);
    CHECK(!strict_float32());
  }
  CHECK(strict_float32());
  set_strict_float32(before);
}

TEST_CASE("programs are planned for one precision while another thread changes it") {
  const bool before = strict_float32();
  Graph graph;
  Builder g(graph);
  const int64_t n = 256;
  const Value x = g.input({DType::kFloat32, {n, n}});
  graph.outputs = {g.apply("matmul", {x, x})};
  std::vector<float> in(static_cast<size_t>(n * n));
  for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i * 7919 % 1013) - 500.0f;
  const void* const inputs[] = {in.data()};
  const auto result = [&](const Program& program) {
    std::vector<float> y(in.size());
    void* const outputs[] = {y.data()};
    program.run(inputs, outputs);
    return y;
  };
  set_strict_float32(true);
  const std::vector<float> strict = result(Program(graph, {}));
  std::atomic<bool> done{false};
  std::thread changing([&] {
    while (!done) set_strict_float32(!strict_float32());
  });
  std::vector<std::unique_ptr<Program>> programs;
  for (int i = 0; i < 20; ++i) {
    programs.push_back(std::make_unique<Program>(graph, std::vector<Tensor>{}));
    result(*programs.back());
  }
  done = true;
  changing.join();
  set_strict_float32(true);
  for (const auto& program : programs) CHECK(result(*program) == strict);
  set_strict_float32(before);
}

}  // namespace pronghorn
