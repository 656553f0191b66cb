// Ops that read and write 16 bits themselves: the casts around them disappear, the bits stay.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "pronghorn/ir/builder.h"
#include "pronghorn/passes/passes.h"
#include "pronghorn/runtime/program.h"

namespace pronghorn {
namespace {

constexpr int64_t kChannels = 37;

struct Case {
  const char* op;
  // "rows" of 16 bits; "vector", "column" (positive, float32); "labels"; "key"
  std::vector<const char*> operands;
  Attrs attrs;
  bool gives_rows = true;
};

std::vector<Case> cases() {
  const Attrs epsilon{{"epsilon", 1e-3}};
  const Attrs last{{"axis", int64_t{1}}};
  return {
      {"layer_norm", {"rows", "vector", "vector"}, epsilon},
      {"layer_norm_grad", {"rows", "vector", "column", "column", "rows"}, {}},
      {"rms_norm", {"rows", "vector"}, epsilon},
      {"rms_norm_grad", {"rows", "vector", "column", "rows"}, {}},
      {"batch_norm", {"rows", "vector", "vector"}, epsilon},
      {"batch_norm_grad", {"rows", "vector", "vector", "vector", "rows"}, epsilon},
      {"softmax", {"rows"}, last},
      {"log_softmax", {"rows"}, last},
      {"softmax_grad", {"rows", "rows"}, {}},
      {"sparse_softmax_cross_entropy", {"rows", "labels"}, {}, false},
      {"sparse_softmax_cross_entropy_grad", {"rows", "labels", "column"}, {}},
      {"softmax_cross_entropy", {"rows", "rows"}, {}, false},
      {"softmax_cross_entropy_grad", {"rows", "rows", "column"}, {}},
      {"dropout", {"rows", "key"}, {{"rate", 0.4}}},
  };
}

struct Made {
  Graph graph;
  std::vector<std::vector<float>> data;  // memory of the inputs, of any type
};

TensorType type_of(std::string_view kind, int64_t rows, DType half) {
  if (kind == "rows") return {half, {rows, kChannels}};
  if (kind == "vector") return {DType::kFloat32, {kChannels}};
  if (kind == "column") return {DType::kFloat32, {rows}};
  if (kind == "labels") return {DType::kInt32, {rows}};
  return {DType::kUint32, {2}};
}

void fill(const TensorType& type, void* memory) {
  for (int64_t i = 0; i < type.size(); ++i) {
    const float value = static_cast<float>(i * 7919 % 1013) / 256.0f - 1.9f;
    switch (type.dtype) {
      case DType::kBfloat16: static_cast<Bfloat16*>(memory)[i] = to_bfloat16(value); break;
      case DType::kFloat16: static_cast<Float16*>(memory)[i] = to_float16(value); break;
      case DType::kFloat32: static_cast<float*>(memory)[i] = std::abs(value) + 0.1f; break;
      default: static_cast<int32_t*>(memory)[i] = static_cast<int32_t>(i % kChannels);
    }
  }
}

// cast, op, cast; with a view on either side, and what follows in 16 bits if `follows`.
Made make(const Case& c, int64_t rows, DType half, bool follows) {
  Made made;
  Builder g(made.graph);
  std::vector<Value> operands;
  for (const char* kind : c.operands) {
    const TensorType type = type_of(kind, rows, half);
    made.data.emplace_back(static_cast<size_t>(type.size()) + 1);
    fill(type, made.data.back().data());
    Value v;
    if (type.dtype == half) {
      const Value image = g.input({half, {1, rows, kChannels}});
      v = g.reshape(g.cast(image, DType::kFloat32), type.shape);
    } else {
      v = g.input(type);
    }
    operands.push_back(v);
  }
  Value y = g.apply_all(find_op(c.op), operands, c.attrs)[0];
  if (c.gives_rows) {
    y = g.cast(g.reshape(y, {1, rows, kChannels}), half);
    if (follows) y = g.apply("relu", {y});
  }
  made.graph.outputs = {y};
  return made;
}

std::vector<char> run(const Made& made) {
  const Program program(made.graph, {});
  std::vector<const void*> inputs;
  for (const auto& data : made.data) inputs.push_back(data.data());
  std::vector<char> result(program.outputs()[0].bytes());
  void* const outputs[] = {result.data()};
  program.run(inputs.data(), outputs);
  return result;
}

int count(const Graph& graph, std::string_view name) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                        [&](const Node& node) { return node.op->name == name; }));
}

}  // namespace

TEST_CASE("casts around normalizations, softmax, losses and dropout become part of them") {
  for (const Case& c : cases()) {
    for (const DType half : {DType::kBfloat16, DType::kFloat16}) {
      for (const int64_t rows : {1, 9, 700}) {
        for (const bool follows : {false, true}) {
          CAPTURE(std::string(c.op));
          CAPTURE(rows);
          const Made made = make(c, rows, half, follows);
          const Graph optimized = optimize_program(made.graph).main;
          CHECK(count(optimized, "cast") + count(optimized, "fused_elementwise") == 0);
          CHECK(count(optimized, c.op) == 1);
          const std::vector<char> found = run(made);
          set_passes(false);
          const std::vector<char> expected = run(made);
          set_passes(true);
          CHECK(std::memcmp(found.data(), expected.data(), found.size()) == 0);
        }
      }
    }
  }
}

TEST_CASE("a cast that others read stays for them") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input({DType::kBfloat16, {5, 8}});
  const Value wide = g.cast(x, DType::kFloat32);
  graph.outputs = {g.apply("softmax", {wide}, {{"axis", int64_t{1}}}), wide};
  const Graph optimized = optimize_program(graph).main;
  CHECK(count(optimized, "cast") == 1);
  CHECK(optimized.type(optimized.outputs[0]).dtype == DType::kFloat32);
}

TEST_CASE("the update of a table runs inside of the sum of its rows' gradients") {
  const TensorType table{DType::kFloat32, {50, 24}};
  Graph graph;
  Builder g(graph);
  const Value w = g.variable(table);
  const Value m = g.variable(table);
  const Value indices = g.input({DType::kInt32, {33}});
  const Value dy = g.input({DType::kFloat32, {33, 24}});
  const Value sum = g.apply("scatter_sum", {indices, dy}, {{"size", int64_t{50}}});
  const Expr moved = Expr(g, m) * 0.9 + Expr(g, sum) * 0.1;
  graph.updates = {{1, moved.value}, {0, (Expr(g, w) - moved * 0.01).value}};
  const Graph optimized = optimize_program(graph).main;
  CHECK(count(optimized, "fused_elementwise") == 0);
  CHECK(count(optimized, "scatter_sum") == 1);

  std::vector<int32_t> at(33);
  std::vector<float> updates(33 * 24);
  for (size_t i = 0; i < at.size(); ++i) at[i] = static_cast<int32_t>(i * i % 61) - 8;
  for (size_t i = 0; i < updates.size(); ++i) updates[i] = static_cast<float>(i % 17) - 8.0f;
  const auto result = [&](bool passes) {
    std::vector<Tensor> variables{Tensor(table), Tensor(table)};
    for (const Tensor& v : variables)
      std::fill_n(static_cast<float*>(v.data()), table.size(), 0.5f);
    set_passes(passes);
    const Program program(graph, variables);
    set_passes(true);
    const void* const inputs[] = {at.data(), updates.data()};
    for (int step = 0; step < 2; ++step) program.run(inputs, nullptr);
    const auto* p = static_cast<const float*>(variables[0].data());
    return std::vector<float>(p, p + table.size());
  };
  const std::vector<float> fused = result(true);
  const std::vector<float> plain = result(false);
  for (size_t i = 0; i < fused.size(); ++i)
    CHECK(fused[i] == doctest::Approx(plain[i]).epsilon(1e-6));
}

}  // namespace pronghorn
