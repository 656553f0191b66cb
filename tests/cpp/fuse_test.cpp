// fuse_elementwise and fold_epilogue: which nodes become one, and that the numbers stay the same.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "pronghorn/ir/builder.h"
#include "pronghorn/passes/fuse_elementwise.h"
#include "pronghorn/passes/passes.h"
#include "pronghorn/runtime/program.h"

namespace pronghorn {
namespace {

int count(const Graph& graph, std::string_view name) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                        [&](const Node& node) { return node.op->name == name; }));
}

int steps(const Graph& graph) {
  return static_cast<int>(
      std::count_if(graph.nodes.begin(), graph.nodes.end(),
                    [](const Node& node) { return !is_source(node) && !node.op->is_view; }));
}

Tensor random_tensor(const TensorType& type, std::mt19937& random) {
  Tensor tensor(type);
  std::normal_distribution<float> normal;
  dispatch_dtype(type.dtype, [&]<typename T>() {
    T* p = static_cast<T*>(tensor.data());
    for (int64_t i = 0; i < type.size(); ++i) {
      const float x = normal(random);
      if constexpr (std::is_same_v<T, Float16>) {
        p[i] = to_float16(x);
      } else if constexpr (std::is_same_v<T, Bfloat16>) {
        p[i] = to_bfloat16(x);
      } else if constexpr (std::is_same_v<T, bool>) {
        p[i] = x > 0;
      } else {
        p[i] = static_cast<T>(x);
      }
    }
  });
  return tensor;
}

std::vector<float> floats(const Tensor& tensor) {
  std::vector<float> values;
  dispatch_dtype(tensor.dtype(), [&]<typename T>() {
    const T* p = static_cast<const T*>(tensor.data());
    for (int64_t i = 0; i < tensor.type().size(); ++i) {
      if constexpr (std::is_same_v<T, Float16> || std::is_same_v<T, Bfloat16>) {
        values.push_back(to_float(p[i]));
      } else {
        values.push_back(static_cast<float>(p[i]));
      }
    }
  });
  return values;
}

struct Outcome {
  std::vector<std::vector<float>> outputs;
  std::vector<std::vector<float>> variables;
};

// Two runs one after the other, from variables and inputs that depend on the graph alone.
Outcome run(const Graph& graph, bool passes) {
  set_passes(passes);
  std::mt19937 random(7);
  std::vector<Tensor> variables(static_cast<size_t>(graph.variable_count));
  for (const Node& node : graph.nodes) {
    if (node.op == &kVariableOp)
      variables[static_cast<size_t>(node.slot)] = random_tensor(node.outputs[0], random);
  }
  const Program program(graph, variables);
  set_passes(true);
  std::vector<Tensor> kept;
  std::vector<const void*> inputs;
  for (const TensorType& type : program.inputs())
    inputs.push_back(kept.emplace_back(random_tensor(type, random)).data());
  std::vector<Tensor> outputs;
  std::vector<void*> pointers;
  for (const TensorType& type : program.outputs()) outputs.emplace_back(type);
  for (const Tensor& tensor : outputs) pointers.push_back(tensor.data());
  program.run(inputs.data(), pointers.data());
  program.run(inputs.data(), pointers.data());
  Outcome outcome;
  for (const Tensor& tensor : outputs) outcome.outputs.push_back(floats(tensor));
  for (const Tensor& tensor : variables) outcome.variables.push_back(floats(tensor));
  return outcome;
}

void check_close(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b,
                 float tolerance) {
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].size() == b[i].size());
    for (size_t k = 0; k < a[i].size(); ++k) {
      const bool close = std::abs(a[i][k] - b[i][k]) <= tolerance * (1 + std::abs(b[i][k])) ||
                         a[i][k] == b[i][k] || (std::isnan(a[i][k]) && std::isnan(b[i][k]));
      if (!close) {
        FAIL_CHECK("value " << i << " element " << k << ": " << a[i][k] << " is not " << b[i][k]);
        return;
      }
    }
  }
}

void check_same(const Graph& graph, float tolerance = 1e-4f) {
  const Outcome fused = run(graph, true);
  const Outcome plain = run(graph, false);
  check_close(fused.outputs, plain.outputs, tolerance);
  check_close(fused.variables, plain.variables, tolerance);
}

// Keras's Adam: m, v and w of one variable.
void add_adam(Builder& g, const TensorType& type, const Expr& alpha, const Expr& gradient) {
  const Value w = g.variable(type);
  const Value m = g.variable(type);
  const Value v = g.variable(type);
  const Expr m1 = Expr(g, m) + (gradient - Expr(g, m)) * 0.1;
  const Expr v1 = Expr(g, v) + (gradient.apply("square") - Expr(g, v)) * 0.001;
  const Expr w1 = Expr(g, w) - m1 * alpha / (v1.apply("square").apply("sqrt") + 1e-7);
  g.graph().updates.push_back({g.graph().node(m).slot, m1.value});
  g.graph().updates.push_back({g.graph().node(v).slot, v1.value});
  g.graph().updates.push_back({g.graph().node(w).slot, w1.value});
}

}  // namespace

TEST_CASE("an Adam update is one program, its scalars another") {
  Graph graph;
  Builder g(graph);
  const Value t = g.variable({DType::kFloat32, {}});
  const Expr power = Expr(g, t).apply("abs") * 0.5 + 0.25;
  const Expr alpha = Expr(g, t) * power.apply("sqrt") / (power + 1.0);
  const TensorType type{DType::kFloat32, {50, 20}};
  add_adam(g, type, alpha, Expr(g, g.input(type)));
  CHECK(steps(optimize(graph)) == 2);
  check_same(graph);
}

TEST_CASE("the mask of a relu is computed in the backward pass") {
  Graph graph;
  Builder g(graph);
  const TensorType type{DType::kFloat32, {32, 64}};
  const Value x = g.input(type);
  const Value b = g.input({DType::kFloat32, {64}});
  const Value y = g.apply("relu", {g.apply("add", {x, b})});
  graph.outputs.push_back(g.reduce_sum(y, {0}, false));
  const Value mask = g.apply("greater", {y, g.scalar(0, DType::kFloat32)});
  const Value dy = g.broadcast_to(g.reduce_sum(y, {1}, true), {32, 64});
  graph.outputs.push_back(
      g.apply("where", {mask, g.apply("square", {dy}), g.scalar(0, DType::kFloat32)}));
  const Graph fused = optimize(graph);
  for (const Node& node : fused.nodes) {
    for (const TensorType& output : node.outputs) CHECK(output.dtype == DType::kFloat32);
  }
  check_same(graph);
}

TEST_CASE("a group is not entered again after it was left") {
  Graph graph;
  Builder g(graph);
  const TensorType type{DType::kFloat32, {8, 16}};
  const Value x = g.input(type);
  const Value a = g.apply("exp", {x});
  const Value sum = g.reduce_sum(a, {1}, true);
  graph.outputs.push_back(g.apply("multiply", {a, g.apply("reciprocal", {sum})}));
  check_same(graph);
}

TEST_CASE("random graphs keep their values") {
  constexpr std::string_view kUnary[] = {"tanh", "sigmoid", "relu",  "negative",
                                         "abs",  "square",  "floor", "cos"};
  constexpr std::string_view kBinary[] = {"add", "subtract", "multiply", "maximum", "minimum"};
  constexpr std::string_view kCompare[] = {"greater",   "less",       "equal",
                                           "not_equal", "less_equal", "greater_equal"};
  const Shape shapes[] = {{}, {7}, {5, 7}, {5, 1}, {1}, {3, 5, 7}, {3, 1, 1}};
  const DType dtypes[] = {DType::kFloat32, DType::kFloat32, DType::kFloat16, DType::kBfloat16};
  for (unsigned seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
    Graph graph;
    Builder g(graph);
    const DType dtype = dtypes[pick(4)];
    std::vector<Value> values;
    for (const Shape& shape : shapes) {
      values.push_back(g.input({dtype, shape}));
      values.push_back(g.variable({dtype, shape}));
    }
    values.push_back(g.scalar(0.5, dtype));
    const auto any = [&] {
      return values[values.size() - 1 - pick(std::min<size_t>(values.size(), 20))];
    };
    const size_t nodes = 1 + pick(120);
    for (size_t i = 0; i < nodes; ++i) {
      const Value x = any();
      switch (pick(8)) {
        case 0:
        case 1: values.push_back(g.apply(kUnary[pick(8)], {x})); break;
        case 2:
          values.push_back(g.apply(
              "tanh", {g.apply("where", {g.apply(kCompare[pick(6)], {x, any()}), any(), any()})}));
          break;
        case 3:
          if (g.shape(x).rank() > 0)
            values.push_back(g.apply("tanh", {g.reduce_sum(x, {0}, pick(2) == 0)}));
          break;
        case 4: values.push_back(g.cast(g.cast(x, DType::kBool), dtype)); break;
        default: values.push_back(g.apply(kBinary[pick(5)], {x, any()})); break;
      }
      if (pick(6) == 0) values.back() = g.apply("tanh", {values.back()});
      if (pick(12) == 0) graph.outputs.push_back(values.back());
    }
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      const Node& node = graph.nodes[n];
      if (node.op != &kVariableOp || pick(3) != 0) continue;
      for (size_t i = values.size(); i-- > 0;) {
        if (g.type(values[i]) == node.outputs[0] && pick(3) == 0) {
          graph.updates.push_back({node.slot, g.apply("tanh", {values[i]})});
          break;
        }
      }
    }
    graph.outputs.push_back(values.back());
    // Sums of many terms differ in the last bits, fused programs round to 16 bits at their ends
    // only, and comparisons and floor amplify that.
    const Outcome fused = run(graph, true);
    const Outcome plain = run(graph, false);
    size_t elements = 0;
    size_t different = 0;
    const auto compare = [&](const auto& a, const auto& b) {
      for (size_t i = 0; i < a.size(); ++i) {
        for (size_t k = 0; k < a[i].size(); ++k) {
          ++elements;
          if (!(std::abs(a[i][k] - b[i][k]) <= 0.02f * (1 + std::abs(b[i][k])))) {
            different += !(std::isnan(a[i][k]) && std::isnan(b[i][k])) && a[i][k] != b[i][k];
          }
        }
      }
    };
    compare(fused.outputs, plain.outputs);
    compare(fused.variables, plain.variables);
    CHECK(different * (dtype == DType::kFloat32 ? 20 : 5) <= elements);
  }
}

TEST_CASE("bias, activation and residual become part of the product") {
  for (const int64_t n : {1, 10, 64, 300, 1100}) {
    for (const int64_t m : {1, 7, 130}) {
      CAPTURE(n);
      CAPTURE(m);
      Graph graph;
      Builder g(graph);
      const auto input = [&](Shape shape) { return Expr(g, g.input({DType::kFloat32, shape})); };
      const Expr product = input({m, 33}).apply("matmul", input({33, n}));
      const Expr y =
          (product * input({m, 1}) + input({n})).apply("relu") + input({m, n}) * input({}) * 0.5;
      graph.outputs.push_back(y.value);
      const Graph folded = optimize(graph);
      CHECK(steps(folded) == 1);
      CHECK(count(folded, "matmul") == 1);
      check_same(graph);
    }
  }
}

TEST_CASE("the gradient of a relu becomes part of the product that it multiplies") {
  Graph graph;
  Builder g(graph);
  const Expr w(g, g.variable({DType::kFloat32, {40, 30}}));
  const Expr x(g, g.input({DType::kFloat32, {20, 40}}));
  const Expr y = x.apply("matmul", w).apply("relu");
  const Expr z = y.apply("matmul", Expr(g, g.variable({DType::kFloat32, {30, 5}}))).apply("square");
  const Value loss = g.reduce_sum(z.value, {0, 1}, false);
  const Value dw = gradient(g, loss, std::vector<Value>{w.value})[0];
  graph.outputs.push_back(dw);
  const Graph folded = optimize(graph);
  CHECK(count(folded, "fused_elementwise") == 0);
  CHECK(count(folded, "where") == 0);
  check_same(graph);
}

TEST_CASE("a value with two readers stays outside of the product") {
  Graph graph;
  Builder g(graph);
  const Expr x(g, g.input({DType::kFloat32, {6, 6}}));
  const Expr product = x.apply("matmul", x);
  graph.outputs.push_back((product + x).apply("exp").value);
  graph.outputs.push_back(product.value);
  check_same(graph);
  CHECK(steps(optimize(graph)) == 2);
}

TEST_CASE("epilogues of batched products, 16-bit products and convolutions") {
  const DType dtypes[] = {DType::kFloat32, DType::kBfloat16};
  for (const DType dtype : dtypes) {
    Graph graph;
    Builder g(graph);
    const auto input = [&](Shape shape) { return Expr(g, g.input({dtype, shape})); };
    graph.outputs.push_back(
        (input({3, 5, 8}).apply("matmul", input({3, 8, 9})) + input({5, 1})).apply("tanh").value);
    const std::vector<int64_t> ones = {1, 1};
    const Attrs attrs{{"strides", ones},
                      {"dilations", ones},
                      {"pads_low", ones},
                      {"pads_high", ones},
                      {"groups", int64_t{1}}};
    const Value conv =
        g.apply("conv", {input({2, 9, 9, 3}).value, input({3, 3, 3, 8}).value}, attrs);
    graph.outputs.push_back((Expr(g, conv) + input({8})).apply("relu").value);
    check_same(graph, dtype == DType::kFloat32 ? 1e-4f : 3e-2f);
  }
}

TEST_CASE("what follows the first of several outputs becomes part of the op") {
  Graph graph;
  Builder g(graph);
  const auto input = [&](Shape shape) { return Expr(g, g.input({DType::kFloat32, shape})); };
  const Expr shortcut = input({4, 8, 8, 5}).apply("tanh");
  const Value operands[] = {input({4, 8, 8, 5}).value, input({5}).value, input({5}).value};
  const std::vector<Value> norm = g.apply_all(find_op("batch_norm"), operands, {{"epsilon", 1e-3}});
  graph.outputs.push_back(g.apply("exp", {norm[1]}));  // read before the end of the chain
  graph.outputs.push_back(norm[2]);
  const Expr late = input({5}).apply("exp");
  const Expr y = (Expr(g, norm[0]) + shortcut).apply("relu");
  graph.outputs.push_back(y.value);
  graph.outputs.push_back((Expr(g, norm[0]) * 0.0 + late).value);
  Graph single = graph;
  single.outputs.pop_back();
  CHECK(count(optimize(single), "fused_elementwise") == 0);
  CHECK(count(optimize(single), "relu") == 0);
  check_same(single);
  check_same(graph);  // two readers: not folded
}

TEST_CASE("the gradient of a relu becomes part of the gradient of a pooling") {
  Graph graph;
  Builder g(graph);
  const Value x = g.variable({DType::kFloat32, {2, 9, 8, 3}});
  const std::vector<int64_t> two = {2, 2};
  const std::vector<int64_t> zero = {0, 0};
  const Value pooled =
      g.apply("max_pool", {g.apply("relu", {x})},
              {{"window", two}, {"strides", two}, {"pads_low", zero}, {"pads_high", zero}});
  const Value loss = g.reduce_sum(g.apply("square", {pooled}), {0, 1, 2, 3}, false);
  graph.outputs.push_back(gradient(g, loss, std::vector<Value>{x})[0]);
  CHECK(count(optimize(graph), "where") == 0);
  CHECK(steps(optimize(graph)) == 4);
  check_same(graph);
}

TEST_CASE("a product and what follows it are joined across a reshape") {
  Graph graph;
  Builder g(graph);
  const auto input = [&](Shape shape) { return Expr(g, g.input({DType::kFloat32, shape})); };
  const Value product = input({20, 6}).apply("matmul", input({6, 24})).value;
  const Expr y = (Expr(g, g.reshape(product, {5, 4, 3, 8})) + input({3, 8})) * input({5, 1, 1, 1}) +
                 input({5, 4, 3, 8});
  graph.outputs.push_back(y.apply("relu").value);
  graph.outputs.push_back(g.reduce_sum(graph.outputs[0], {1}, false));
  CHECK(steps(optimize(graph)) == 2);
  check_same(graph);
}

TEST_CASE("updates of a variable run inside of its gradient's product, in place") {
  Graph graph;
  Builder g(graph);
  const Expr w(g, g.variable({DType::kFloat32, {6, 7}}));
  const Expr x(g, g.input({DType::kFloat32, {5, 6}}));
  const Value dw = g.apply("matmul", {x.value, g.input({DType::kFloat32, {5, 7}})},
                           {{"transpose_a", int64_t{1}}});
  graph.updates.push_back({0, (w - Expr(g, dw) * 0.1).value});
  CHECK(steps(optimize(graph)) == 1);
  CHECK(Program(graph, {Tensor({DType::kFloat32, {6, 7}})}).arena_bytes() < 1024);
  check_same(graph);
}

TEST_CASE("Adam runs inside of the product that gives the gradient, of any width") {
  for (const int64_t n : {1, 7, 96, 272}) {
    Graph graph;
    Builder g(graph);
    const Value x = g.input({DType::kFloat32, {50, 40}});
    const Value dy = g.input({DType::kFloat32, {50, n}});
    const Expr alpha = Expr(g, g.input({DType::kFloat32, {}})) * 0.01;
    const Value dw = g.apply("matmul", {x, dy}, {{"transpose_a", int64_t{1}}});
    add_adam(g, {DType::kFloat32, {40, n}}, alpha, {g, dw});
    CHECK(count(optimize(graph), "fused_elementwise") == 0);
    check_same(graph, 1e-3f);  // some denominators nearly cancel
    // Not when the gradient is needed besides.
    graph.outputs.push_back(g.reduce_sum(dw, {0, 1}, false));
    CHECK(count(optimize(graph), "fused_elementwise") == 1);
    check_same(graph, 1e-3f);  // some denominators nearly cancel
  }
}

TEST_CASE("Adam runs inside of the gradient of a convolution's kernel") {
  for (const int64_t groups : {1, 2}) {
    Graph graph;
    Builder g(graph);
    const std::vector<int64_t> ones = {1, 1};
    const Attrs attrs{{"strides", ones},  {"dilations", ones},
                      {"pads_low", ones}, {"pads_high", ones},
                      {"groups", groups}, {"kernel_spatial", std::vector<int64_t>{3, 3}}};
    const Value dw = g.apply(
        "conv_dw",
        {g.input({DType::kFloat32, {5, 9, 8, 4}}), g.input({DType::kFloat32, {5, 9, 8, 6}})},
        attrs);
    add_adam(g, {DType::kFloat32, {3, 3, 4 / groups, 6}},
             Expr(g, g.input({DType::kFloat32, {}})) * 0.01, {g, dw});
    CHECK(count(optimize(graph), "fused_elementwise") == 0);
    check_same(graph);
  }
}

TEST_CASE("what a reduction reads is computed inside of it") {
  const std::vector<std::vector<int64_t>> all_axes = {{0, 1, 2}, {2}, {0, 1}, {1}, {0, 2}, {0}};
  const Shape shapes[] = {{2, 3, 5},    {7, 1, 300},   {40, 33, 65},
                          {3, 2, 5000}, {1, 1, 70000}, {600, 2, 40}};
  for (const DType dtype : {DType::kFloat32, DType::kBfloat16}) {
    for (const Shape& shape : shapes) {
      for (const auto& axes : all_axes) {
        Graph graph;
        Builder g(graph);
        const Expr x(g, g.input({dtype, shape}));
        const Expr difference = x - Expr(g, g.input({dtype, {shape.back()}}));
        for (const char* name : {"reduce_mean", "reduce_max"}) {
          graph.outputs.push_back(
              g.apply(name, {g.cast((difference * difference).value, DType::kFloat32)},
                      {{"axes", axes}, {"keepdims", int64_t{0}}}));
        }
        const Graph optimized = optimize(graph);
        CHECK(count(optimized, "cast") + count(optimized, "multiply") == 0);
        check_same(graph, dtype == DType::kFloat32 ? 1e-5f : 2e-2f);
      }
    }
  }
}

TEST_CASE("a value before the activation is stored on the way to it") {
  Graph graph;
  Builder g(graph);
  const Value w = g.variable({DType::kFloat32, {12, 20}});
  const Value x = g.input({DType::kFloat32, {30, 12}});
  const Expr z = Expr(g, g.apply("matmul", {x, w})) + Expr(g, g.input({DType::kFloat32, {20}}));
  const Value y = g.apply("matmul", {z.apply("gelu").value, g.input({DType::kFloat32, {20, 3}})});
  const Value loss = g.reduce_sum(y, {0, 1}, false);
  graph.outputs.push_back(loss);
  graph.outputs.push_back(gradient(g, loss, std::vector<Value>{w})[0]);
  const Graph optimized = optimize(graph);
  CHECK(count(optimized, "gelu") == 0);
  CHECK(std::any_of(optimized.nodes.begin(), optimized.nodes.end(), [](const Node& node) {
    return node.op->name == "matmul" && node.outputs.size() == 2;
  }));
  check_same(graph);
}

TEST_CASE("a chain that ends in 16 bits takes the place of the product's result") {
  for (const DType dtype : {DType::kBfloat16, DType::kFloat16}) {
    Graph graph;
    Builder g(graph);
    const Value product =
        g.apply("matmul", {g.input({dtype, {17, 12}}), g.input({dtype, {12, 20}})});
    const Expr y = Expr(g, product) + Expr(g, g.input({dtype, {20}}));
    graph.outputs.push_back(y.apply("relu").value);
    CHECK(count(optimize(graph), "fused_elementwise") == 0);
    check_same(graph);
  }
}

TEST_CASE("epilogues of depthwise convolutions and their gradient") {
  Graph graph;
  Builder g(graph);
  const auto input = [&](Shape shape) { return Expr(g, g.input({DType::kFloat32, shape})); };
  const std::vector<int64_t> ones = {1, 1};
  const std::vector<int64_t> zeros = {0, 0};
  const Attrs attrs{
      {"strides", ones}, {"dilations", ones}, {"pads_low", ones}, {"pads_high", zeros}};
  const Value x = g.variable({DType::kFloat32, {3, 12, 11, 6}});
  const Value conv =
      g.apply("depthwise_conv", {g.apply("relu", {x}), input({3, 2, 6, 2}).value}, attrs);
  const Value y = (Expr(g, conv) * input({12}) + input({12})).apply("tanh").value;
  graph.outputs.push_back(y);
  graph.outputs.push_back(
      gradient(g, g.reduce_sum(y, {0, 1, 2, 3}, false), std::vector<Value>{x})[0]);
  CHECK(count(optimize(graph), "where") == 0);
  CHECK(count(optimize(graph), "tanh") == 0);
  check_same(graph);
}

}  // namespace pronghorn
