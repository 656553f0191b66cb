#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "pronghorn/ir/builder.h"
#include "pronghorn/passes/passes.h"
#include "pronghorn/passes/plan_memory.h"
#include "pronghorn/runtime/arena_pool.h"
#include "pronghorn/runtime/program.h"

namespace pronghorn {
namespace {

const TensorType kRow{DType::kFloat32, {64}};

int count(const Graph& graph, std::string_view name) {
  return static_cast<int>(std::count_if(graph.nodes.begin(), graph.nodes.end(),
                                        [&](const Node& node) { return node.op->name == name; }));
}

// Runs a program of inputs that are all kRow, filled with 1, 2, 3, ... by input; returns element 0
// of each output.
std::vector<float> run(const Graph& graph, std::vector<Tensor> variables = {}) {
  const Program program(graph, std::move(variables));
  std::vector<Tensor> tensors;
  std::vector<const void*> inputs;
  for (const TensorType& type : program.inputs()) {
    tensors.emplace_back(type);
    std::fill_n(static_cast<float*>(tensors.back().data()), type.size(),
                static_cast<float>(tensors.size()));
    inputs.push_back(tensors.back().data());
  }
  std::vector<void*> outputs;
  for (const TensorType& type : program.outputs()) {
    tensors.emplace_back(type);
    outputs.push_back(tensors.back().data());
  }
  program.run(inputs.data(), outputs.data());
  std::vector<float> first;
  for (const void* output : outputs) first.push_back(*static_cast<const float*>(output));
  return first;
}

Tensor filled(float value) {
  Tensor tensor(kRow);
  std::fill_n(static_cast<float*>(tensor.data()), kRow.size(), value);
  return tensor;
}

}  // namespace

TEST_CASE("simplify merges equal nodes and removes dead ones") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value a = g.apply("exp", {x});
  const Value b = g.apply("exp", {x});
  g.apply("log", {x});
  graph.outputs = {g.apply("add", {a, b})};
  const Graph result = simplify(graph);
  CHECK(count(result, "exp") == 1);
  CHECK(count(result, "log") == 0);
  verify(result, "simplify");
}

TEST_CASE("simplify folds small constants") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value c = g.apply("multiply", {g.scalar(3, DType::kFloat32), g.scalar(4, DType::kFloat32)});
  graph.outputs = {g.apply("multiply", {x, c})};
  const Graph result = simplify(graph);
  CHECK(count(result, "multiply") == 1);
  CHECK(run(graph) == std::vector<float>{12.0f});
}

TEST_CASE("verify rejects a node that reads a later one") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  graph.outputs = {g.apply("exp", {x})};
  graph.nodes[1].inputs[0] = {1, 0};
  CHECK_THROWS_WITH(verify(graph, "a test"),
                    "internal: a test made an invalid graph (node 1 'exp' reads node 1). "
                    "PRONGHORN_DUMP=1 saves it.");
}

TEST_CASE("gradient: product rule, and no value where nothing depends") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value y = g.input(kRow);
  const Value z = g.input(kRow);
  const Value loss =
      g.reduce_sum(g.apply("multiply", {g.apply("multiply", {x, x}), y}), {0}, false);
  const std::vector<Value> d = gradient(g, loss, std::vector<Value>{x, y, z});
  REQUIRE(d[0]);
  REQUIRE(d[1]);
  CHECK_FALSE(d[2]);
  graph.outputs = {d[0], d[1]};
  CHECK(run(graph) == std::vector<float>{4.0f, 1.0f});  // 2 x y, x^2 at x = 1, y = 2
}

TEST_CASE("plan_memory: values that live together do not overlap") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  std::vector<Value> values;
  for (const char* op : {"exp", "sin", "cos", "tanh"}) values.push_back(g.apply(op, {x}));
  Value sum = values[0];
  for (size_t i = 1; i < values.size(); ++i) sum = g.apply("add", {sum, values[i]});
  graph.outputs = {sum};
  const MemoryPlan plan = plan_memory(graph);
  std::set<size_t> offsets;
  for (const Value v : values) {
    const Location& location = plan.locations[static_cast<size_t>(v.node)][0];
    CHECK(location.place == Place::kArena);
    CHECK(offsets.insert(location.offset).second);
  }
  CHECK(plan.arena_bytes <= 5 * kRow.bytes());
  CHECK(plan.copied_outputs.empty());
}

TEST_CASE("plan_memory: a long chain needs two buffers at most") {
  Graph graph;
  Builder g(graph);
  Value x = g.input(kRow);
  for (int i = 0; i < 20; ++i) x = g.apply("sin", {x});
  graph.outputs = {x};
  CHECK(plan_memory(graph).arena_bytes <= 2 * kRow.bytes());
}

TEST_CASE("an update is written in place when the old value is read before") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value v = g.variable(kRow);
  const Value next = g.apply("add", {v, x});
  graph.updates = {{0, next}};
  const MemoryPlan plan = plan_memory(graph);
  CHECK(plan.copied_updates.empty());
  const Tensor variable = filled(10);
  run(graph, {variable});
  CHECK(*static_cast<const float*>(variable.data()) == 11.0f);
}

TEST_CASE("an update waits when the old value is read after it or given out") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value v = g.variable(kRow);
  const Value next = g.apply("add", {v, x});
  const Value later = g.apply("multiply", {g.apply("sin", {next}), v});
  graph.updates = {{0, next}};
  graph.outputs = {later, v};
  CHECK(plan_memory(graph).copied_updates.size() == 1);
  const Tensor variable = filled(10);
  CHECK(run(graph, {variable})[1] == 10.0f);
  CHECK(*static_cast<const float*>(variable.data()) == 11.0f);
}

TEST_CASE("two variables that swap their values") {
  Graph graph;
  Builder g(graph);
  g.input(kRow);
  const Value a = g.variable(kRow);
  const Value b = g.variable(kRow);
  graph.updates = {{0, b}, {1, a}};
  const std::vector<Tensor> variables = {filled(1), filled(2)};
  run(graph, variables);
  CHECK(*static_cast<const float*>(variables[0].data()) == 2.0f);
  CHECK(*static_cast<const float*>(variables[1].data()) == 1.0f);
}

TEST_CASE("passes on and off agree") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value y = g.input(kRow);
  const Expr a(g, x);
  const Expr b(g, y);
  graph.outputs = {((a * b + a) * 0.5 - b / a).value, (a - b).value};
  const std::vector<float> on = run(graph);
  set_passes(false);
  const std::vector<float> off = run(graph);
  set_passes(true);
  REQUIRE(on.size() == off.size());
  for (size_t i = 0; i < on.size(); ++i) CHECK(on[i] == doctest::Approx(off[i]));
}

TEST_CASE("constants fold to what a run computes, subnormals included") {
  const auto build = [](bool as_constant) {
    Graph graph;
    Builder g(graph);
    Tensor small(TensorType{DType::kFloat32, {1}});
    *static_cast<float*>(small.data()) = 1e-40f;
    const Value x = as_constant ? g.constant(small) : g.variable(small.type());
    graph.outputs = {g.apply("equal", {x, g.scalar(0.0, DType::kFloat32)})};
    const Program program(graph, as_constant ? std::vector<Tensor>{} : std::vector<Tensor>{small});
    bool equal = false;
    void* const outputs[] = {&equal};
    program.run(nullptr, outputs);
    return equal;
  };
  CHECK(build(true) == build(false));
}

TEST_CASE("hoist keeps what depends on variables that the graph does not update") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value fixed = g.variable(kRow);
  const Value counter = g.variable(kRow);
  const Value a = g.apply("exp", {g.apply("sqrt", {fixed})});
  const Value b = g.apply("exp", {counter});
  graph.outputs = {g.apply("add", {g.apply("multiply", {x, a}), b})};
  graph.updates = {{1, g.apply("add", {counter, x})}};
  const Hoisted hoisted = hoist(graph);
  CHECK(count(hoisted.once, "sqrt") == 1);
  CHECK(count(hoisted.once, "exp") == 1);
  CHECK(count(hoisted.main, "sqrt") == 0);
  CHECK(count(hoisted.main, "exp") == 1);
  CHECK(hoisted.kept == std::vector<TensorType>{kRow});
  CHECK(hoisted.watched == std::vector<int32_t>{0});
  const std::vector<Tensor> variables{filled(4), filled(0)};
  const float first = std::exp(2.0f);
  CHECK(run(graph, variables)[0] == doctest::Approx(first + 1));
}

TEST_CASE("hoist leaves broadcasts, views and graphs without inputs alone") {
  const TensorType wide{DType::kFloat32, {4096, 64}};
  Graph graph;
  Builder g(graph);
  const Value x = g.input(wide);
  const Value v = g.variable(kRow);
  const Value scale = g.broadcast_to(g.apply("exp", {v}), Shape(wide.shape));
  graph.outputs = {g.apply("multiply", {x, scale}), g.reshape(v, {8, 8})};
  const Hoisted hoisted = hoist(graph);
  CHECK(hoisted.kept == std::vector<TensorType>{kRow});
  CHECK(count(hoisted.main, "broadcast_to") == 1);
  CHECK(count(hoisted.main, "reshape") == 1);

  Graph closed;
  Builder c(closed);
  closed.outputs = {c.apply("exp", {c.variable(kRow)})};
  CHECK(hoist(closed).kept.empty());
}

TEST_CASE("hoisted values follow their variables, and only these") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input(kRow);
  const Value v = g.variable(kRow);
  graph.outputs = {g.apply("multiply", {x, g.apply("sqrt", {v})})};
  const Tensor variable = filled(4);
  const Program program(graph, {variable});
  CHECK(program.kept_bytes() == kRow.bytes());
  const Tensor input = filled(1);
  const Tensor output(kRow);
  const auto result = [&] {
    const void* inputs[] = {input.data()};
    void* outputs[] = {output.data()};
    program.run(inputs, outputs);
    return *static_cast<const float*>(output.data());
  };
  CHECK(result() == 2);
  std::fill_n(static_cast<float*>(variable.data()), kRow.size(), 9.0f);
  CHECK(result() == 2);  // nobody said that it changed
  Buffer* const changed[] = {variable.buffer().get()};
  announce_changes(changed);
  CHECK(result() == 3);

  // A program that updates the variable announces it.
  Graph doubling;
  Builder d(doubling);
  const Value old = d.variable(kRow);
  doubling.updates = {{0, d.apply("add", {old, old})}};
  doubling.updates[0].value = d.apply("multiply", {doubling.updates[0].value, d.input(kRow)});
  const Program doubler(doubling, {variable});
  const Tensor two = filled(2);
  const void* inputs[] = {two.data()};
  doubler.run(inputs, nullptr);
  CHECK(result() == 6);
  // Many programs in between change nothing.
  const Tensor other = filled(1);
  Buffer* const unrelated[] = {other.buffer().get()};
  announce_changes(unrelated);
  CHECK(result() == 6);
}

TEST_CASE("programs use one large arena in turn, which goes with the last of them") {
  const auto graph_of = [](int64_t rows) {
    Graph graph;
    Builder g(graph);
    const TensorType type{DType::kFloat32, {rows, 1024}};
    const Value x = g.input(type);
    const Value sums = g.apply("flip", {x}, {{"axes", std::vector<int64_t>{0}}});
    graph.outputs = {g.reduce_sum(sums, {0, 1}, false)};
    return graph;
  };
  const auto ask = [](const Program& program) {
    const Tensor input(program.inputs()[0]);
    std::fill_n(static_cast<float*>(input.data()), input.type().size(), 1.0f);
    float sum = 0;
    const void* inputs[] = {input.data()};
    void* outputs[] = {&sum};
    program.run(inputs, outputs);
    return sum;
  };
  const size_t before = arena_pool().idle_bytes();
  {
    const Program large(graph_of(512), {});
    CHECK(large.arena_bytes() >= kPooledArena);
    CHECK(ask(large) == 512 * 1024);
    const size_t one = arena_pool().idle_bytes();
    CHECK(one >= large.arena_bytes());
    const Program small(graph_of(256), {});
    for (int i = 0; i < 3; ++i) {
      CHECK(ask(small) == 256 * 1024);
      CHECK(ask(large) == 512 * 1024);
    }
    CHECK(arena_pool().idle_bytes() == one);
    const Program larger(graph_of(1024), {});
    CHECK(ask(larger) == 1024 * 1024);  // in place of the smaller
    CHECK(arena_pool().idle_bytes() < one + larger.arena_bytes());
  }
  CHECK(arena_pool().idle_bytes() <= before);
}

TEST_CASE("prepack packs weights that no run changes, once, and only these") {
  const TensorType rows{DType::kFloat32, {16, 512}};
  const TensorType matrix{DType::kFloat32, {512, 512}};
  Graph graph;
  Builder g(graph);
  const Value x = g.input(rows);
  const Value w = g.variable(matrix);
  const Value y = g.apply("matmul", {x, w});
  const Value z = g.apply("matmul", {g.apply("relu", {y}), w}, {{"transpose_b", int64_t{1}}});
  graph.outputs = {z};
  const Hoisted fixed = optimize_program(graph);
  CHECK(count(fixed.main, "matmul") + count(fixed.main, "pack_weights") == 0);
  CHECK(count(fixed.main, "matmul_packed") == 2);
  CHECK(count(fixed.once, "pack_weights") == 2);

  Graph trained = graph;
  trained.updates = {{0, w}};
  CHECK(count(optimize_program(trained).main, "matmul") == 2);

  Tensor weights(matrix);
  float* const values = static_cast<float*>(weights.data());
  for (int64_t i = 0; i < matrix.size(); ++i)
    values[i] = static_cast<float>(i * 7919 % 1013) / 1013.0f - 0.4f;
  std::vector<Tensor> variables{weights};
  const float packed = run(graph, variables)[0];
  set_passes(false);
  const float plain = run(graph, variables)[0];
  set_passes(true);
  CHECK(packed == doctest::Approx(plain).epsilon(1e-4));
}

namespace {

// conv, or matmul, with a bias and a batch normalization of moving statistics. Variables: weights,
// bias, scale, shift.
Value normalized(Builder& g, Value product, int64_t n) {
  const TensorType vector{DType::kFloat32, {n}};
  const Value biased = g.apply("add", {product, g.variable(vector)});
  const Value scaled = g.apply("multiply", {biased, g.reshape(g.variable(vector), {1, n})});
  return g.apply("subtract", {scaled, g.variable(vector)});
}

Tensor varied(const TensorType& type, int64_t salt) {
  Tensor tensor(type);
  for (int64_t i = 0; i < type.size(); ++i) {
    static_cast<float*>(tensor.data())[i] =
        static_cast<float>((i + salt) * 7919 % 1013) / 1013.0f - 0.4f;
  }
  return tensor;
}

}  // namespace

TEST_CASE("fold_scale scales the weights in place of the result, once") {
  for (const char* op : {"matmul", "conv", "depthwise_conv"}) {
    const bool flat = std::string_view(op) == "matmul";
    const bool depthwise = std::string_view(op) == "depthwise_conv";
    const TensorType w{DType::kFloat32, flat        ? Shape{64, 6}
                                        : depthwise ? Shape{3, 3, 2, 3}
                                                    : Shape{3, 3, 2, 6}};
    const std::vector<int64_t> ones{1, 1};
    const std::vector<int64_t> none{0, 0};
    Attrs attrs;
    if (!flat) {
      attrs = {{"strides", ones}, {"dilations", ones}, {"pads_low", ones}, {"pads_high", none}};
      if (!depthwise) attrs.set("groups", int64_t{1});
    }
    Graph graph;
    Builder g(graph);
    const Value row = g.input(kRow);
    const Value x = g.reshape(row, flat ? Shape{1, 64} : Shape{1, 4, 8, 2});
    const Value y = g.apply(op, {x, g.variable(w)}, attrs);
    const Value z = normalized(g, y, 6);
    graph.outputs = {g.apply("relu", {z}), g.apply("tanh", {z})};
    std::vector<Tensor> variables{varied(w, 1)};
    for (int64_t i = 2; i < 5; ++i) variables.push_back(varied({DType::kFloat32, {6}}, i));

    const Hoisted folded = optimize_program(graph);
    const size_t packed = std::string_view(op) == "conv" ? 1 : 0;
    CHECK(folded.kept.size() == 2 + packed);  // weights and shift
    const std::vector<float> values = run(graph, variables);
    set_passes(false);
    const std::vector<float> plain = run(graph, variables);
    set_passes(true);
    for (size_t i = 0; i < plain.size(); ++i)
      CHECK(values[i] == doctest::Approx(plain[i]).epsilon(1e-4));

    Graph shared = graph;  // others read the product too
    shared.outputs.push_back(y);
    CHECK(optimize_program(shared).kept.size() == packed);
  }
}

TEST_CASE("prepack packs kernels of convolutions, for few images") {
  const Attrs attrs{{"strides", std::vector<int64_t>{1, 1}},
                    {"dilations", std::vector<int64_t>{1, 1}},
                    {"pads_low", std::vector<int64_t>{1, 1}},
                    {"pads_high", std::vector<int64_t>{1, 1}}};
  for (const int64_t batch : {1, 64}) {
    Graph graph;
    Builder g(graph);
    const Value x = g.input({DType::kFloat32, {batch, 16, 16, 40}});
    const Value w = g.variable({DType::kFloat32, {3, 3, 40, 40}});
    graph.outputs = {g.apply("relu", {g.apply("conv", {x, w}, attrs)})};
    const Hoisted fixed = optimize_program(graph);
    CHECK(count(fixed.main, "conv_packed") == (batch == 1 ? 1 : 0));
    CHECK(count(fixed.main, "conv") == (batch == 1 ? 0 : 1));
    CHECK(count(fixed.main, "relu") == 0);  // an epilogue of either
    CHECK(count(fixed.once, "pack_conv") == (batch == 1 ? 1 : 0));
  }
}

TEST_CASE("simplify keeps a number that fills an array a number where elementwise ops read it") {
  for (const int64_t rows : {8, 4096}) {
    const TensorType type{DType::kFloat32, {rows, 64}};
    Graph graph;
    Builder g(graph);
    const Value x = g.input(type);
    const Value half = g.broadcast_to(g.scalar(0.5, DType::kFloat32), {rows, 1});
    const Value wide = g.broadcast_to(g.apply("multiply", {half, half}), Shape(type.shape));
    graph.outputs = {g.apply("multiply", {x, g.apply("add", {wide, wide})})};
    const Graph result = simplify(graph);
    verify(result, "simplify");
    CHECK(count(result, "broadcast_to") == 0);
    CHECK(count(result, "add") == 0);
    CHECK(count(result, "multiply") == 1);
    size_t bytes = 0;
    for (const Node& node : result.nodes) {
      if (node.op == &kConstantOp) bytes += node.outputs[0].bytes();
    }
    CHECK(bytes == 4);
    CHECK(run(graph) == std::vector<float>{0.5f});
  }
}

TEST_CASE("simplify leaves an array of numbers that differ, and the shape of a result") {
  Graph graph;
  Builder g(graph);
  const Value x = g.input({DType::kFloat32, {}});
  const Value ones = g.broadcast_to(g.scalar(1, DType::kFloat32), {64});
  Tensor numbers(kRow);
  for (int i = 0; i < 64; ++i) static_cast<float*>(numbers.data())[i] = static_cast<float>(i);
  graph.outputs = {g.apply("add", {x, ones}), g.apply("add", {x, g.constant(numbers)}), ones};
  const Graph result = simplify(graph);
  verify(result, "simplify");
  CHECK(result.type(result.outputs[0]) == kRow);
  CHECK(run(graph) == std::vector<float>{2, 1, 1});
}

}  // namespace pronghorn
