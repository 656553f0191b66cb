// Tile programs: how operands are read, what the peephole makes, and that memory, pieces and blocks
// do not change results.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "pronghorn/kernels/kernels.h"
#include "pronghorn/tile/epilogue.h"
#include "pronghorn/tile/fused.h"
#include "pronghorn/tile/peephole.h"

namespace pronghorn {
namespace {

using Args = std::array<int32_t, 4>;

Args args(int32_t a, int32_t b = -1, int32_t c = -1) { return {a, b, c, -1}; }

std::vector<float> random_floats(int64_t n, std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(n));
  for (float& x : values) x = normal(random);
  return values;
}

TileAccess access(const Shape& from, const Shape& to, DType dtype = DType::kFloat32) {
  return classify(from, to, dtype).access;
}

// What the program computes for one element, straight from its values. Only the ops that random
// programs use.
std::vector<float> evaluate(const TileProgram& program, const std::vector<float>& operands) {
  std::vector<float> results;
  for (const TileValue& value : program.values()) {
    const auto arg = [&](size_t i) { return results[static_cast<size_t>(value.args[i])]; };
    float x = 0;
    if (value.kind == TileValue::Kind::kOperand) {
      x = operands[static_cast<size_t>(value.operand)];
    } else if (value.kind == TileValue::Kind::kConstant) {
      x = value.constant;
    } else {
      switch (value.op) {
        case TileOp::add: x = arg(0) + arg(1); break;
        case TileOp::subtract: x = arg(0) - arg(1); break;
        case TileOp::multiply: x = arg(0) * arg(1); break;
        case TileOp::square: x = arg(0) * arg(0); break;
        case TileOp::relu: x = std::max(arg(0), 0.0f); break;
        case TileOp::abs: x = std::abs(arg(0)); break;
        case TileOp::sigmoid: x = 1 / (1 + std::exp(-arg(0))); break;
        case TileOp::greater: x = arg(0) > arg(1) ? 1.0f : 0.0f; break;
        case TileOp::where: x = arg(0) != 0 ? arg(1) : arg(2); break;
        default: FAIL("unexpected op");
      }
    }
    results.push_back(x);
  }
  std::vector<float> outputs;
  for (const int32_t value : program.outputs())
    outputs.push_back(results[static_cast<size_t>(value)]);
  return outputs;
}

// Element of an operand of shape `from` that element `flat` of an iteration over `to` reads.
int64_t position(const Shape& from, const Shape& to, int64_t flat) {
  int64_t at = 0;
  int64_t stride = 1;
  for (int i = to.rank() - 1; i >= 0; --i) {
    const int64_t coordinate = flat % to[i];
    flat /= to[i];
    const int k = i - (to.rank() - from.rank());
    if (k < 0) continue;
    if (from[k] != 1) at += coordinate * stride;
    stride *= from[k];
  }
  return at;
}

struct RandomProgram {
  TileProgram program;
  std::vector<std::vector<float>> operands;

  explicit RandomProgram(unsigned seed) : program(Shape{}) {
    std::mt19937 random(seed);
    const auto pick = [&](size_t n) { return static_cast<size_t>(random() % n); };
    const Shape shapes[] = {{7},          {40, 3}, {40, 64}, {3, 300}, {3, 1030},
                            {2, 3, 4, 5}, {5000},  {},       {1, 17}};
    const Shape shape = shapes[pick(std::size(shapes))];
    program = TileProgram(shape);
    const size_t count = 1 + pick(5);
    for (size_t i = 0; i < count; ++i) {
      Shape from = shape;
      for (int d = 0; d < from.rank(); ++d) {
        if (pick(3) == 0) from[d] = 1;
      }
      if (from.rank() > 0 && pick(4) == 0)
        from = Shape(shape.dims().subspan(pick(static_cast<size_t>(shape.rank()))));
      if (i == 0) from = shape;
      program.operand(static_cast<int>(i), {DType::kFloat32, from});
      operands.push_back(random_floats(from.size(), random));
    }
    program.constant(0.5f);
    const auto any = [&] { return static_cast<int32_t>(pick(program.values().size())); };
    constexpr TileOp kOps[] = {TileOp::add,    TileOp::subtract, TileOp::multiply, TileOp::greater,
                               TileOp::square, TileOp::relu,     TileOp::abs,      TileOp::sigmoid};
    const size_t length = 1 + pick(25);
    for (size_t i = 0; i < length; ++i) {
      const TileOp op = kOps[pick(8)];
      const int32_t x = any();
      if (op == TileOp::greater) {
        program.apply(TileOp::where, args(program.apply(op, args(x, any())), any(), any()));
      } else {
        program.apply(op, operand_count(op) == 1 ? args(x) : args(x, any()));
      }
      if (op == TileOp::multiply || op == TileOp::square) {  // keeps numbers small
        program.apply(TileOp::sigmoid, args(static_cast<int32_t>(program.values().size()) - 1));
      }
    }
    const size_t outputs = 1 + pick(3);
    for (size_t i = 0; i < outputs; ++i) program.output(any(), DType::kFloat32);
    program.finish();
  }

  int64_t total() const { return program.shape().size(); }

  std::vector<const void*> inputs() const {
    std::vector<const void*> pointers;
    for (const auto& operand : operands) pointers.push_back(operand.data());
    return pointers;
  }
};

}  // namespace

TEST_CASE("classify finds the cheapest way to read an operand") {
  CHECK(access({4, 5}, {4, 5}) == TileAccess::kDirect);
  CHECK(access({4, 5}, {1, 4, 5}) == TileAccess::kDirect);
  CHECK(access({4, 5}, {4, 5}, DType::kInt32) == TileAccess::kConvert);
  CHECK(access({}, {4, 5}) == TileAccess::kScalar);
  CHECK(access({1, 1}, {4, 5}) == TileAccess::kScalar);
  CHECK(access({1}, {}) == TileAccess::kScalar);
  CHECK(access({5}, {4, 5}) == TileAccess::kRow);
  CHECK(access({1, 5}, {4, 5}) == TileAccess::kRow);
  CHECK(access({3, 5}, {4, 3, 5}) == TileAccess::kRow);
  CHECK(access({4, 1}, {4, 5}) == TileAccess::kGeneral);
  CHECK(access({4, 1, 5}, {4, 3, 5}) == TileAccess::kGeneral);
}

TEST_CASE("the update of Adam takes four instructions") {
  TileProgram p(Shape{100});
  const int32_t m = p.operand(0, {DType::kFloat32, {100}});
  const int32_t v = p.operand(1, {DType::kFloat32, {100}});
  const int32_t w = p.operand(2, {DType::kFloat32, {100}});
  const int32_t g = p.operand(3, {DType::kFloat32, {100}});
  const int32_t alpha = p.operand(4, {DType::kFloat32, {}});
  const int32_t m1 = p.apply(
      TileOp::add, args(m, p.apply(TileOp::multiply,
                                   args(p.apply(TileOp::subtract, args(g, m)), p.constant(0.1f)))));
  const int32_t gg = p.apply(TileOp::square, args(g));
  const int32_t v1 = p.apply(
      TileOp::add, args(v, p.apply(TileOp::multiply, args(p.apply(TileOp::subtract, args(gg, v)),
                                                          p.constant(0.001f)))));
  const int32_t root =
      p.apply(TileOp::add, args(p.apply(TileOp::sqrt, args(v1)), p.constant(1e-7f)));
  const int32_t step =
      p.apply(TileOp::divide, args(p.apply(TileOp::multiply, args(m1, alpha)), root));
  p.output(m1, DType::kFloat32);
  p.output(v1, DType::kFloat32);
  p.output(p.apply(TileOp::subtract, args(w, step)), DType::kFloat32);
  p.finish();
  const std::vector<TileInstruction>& code = p.plan()->instructions;
  REQUIRE(code.size() == 4);
  CHECK(code[0].op == static_cast<uint8_t>(TileOp::lerp));
  CHECK(code[1].op == static_cast<uint8_t>(TileOp::lerp_square));
  CHECK(code[2].op == static_cast<uint8_t>(TileOp::sqrt_add));
  CHECK(code[3].op == static_cast<uint8_t>(TileOp::step_by_ratio));
  for (int k = 0; k < 3; ++k) CHECK(may_share_tiles(p, *p.plan(), k, k));
  CHECK(!may_share_tiles(p, *p.plan(), 0, 3));  // the gradient is read again after m is written
  CHECK(may_share_tiles(p, *p.plan(), 2, 3));
  CHECK(!may_share_tiles(p, *p.plan(), 0, 4));
}

TEST_CASE("random programs compute what their values say, on any pieces and in any memory") {
  for (unsigned seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    const RandomProgram r(seed);
    const TilePlan& plan = *r.program.plan();
    const auto n = static_cast<size_t>(r.total());
    std::vector<std::vector<float>> outputs(r.program.outputs().size(),
                                            std::vector<float>(n, -1.0f));
    std::vector<void*> pointers;
    for (auto& output : outputs) pointers.push_back(output.data());
    std::vector<const void*> inputs = r.inputs();
    run_tiles(plan, inputs.data(), pointers.data());

    for (size_t i = 0; i < n; i += 1 + n / 97) {
      std::vector<float> operands;
      for (size_t k = 0; k < r.operands.size(); ++k) {
        const auto at =
            position(r.program.operands()[k].shape, r.program.shape(), static_cast<int64_t>(i));
        operands.push_back(r.operands[k][static_cast<size_t>(at)]);
      }
      const std::vector<float> expected = evaluate(r.program, operands);
      for (size_t k = 0; k < outputs.size(); ++k) {
        REQUIRE(outputs[k][i] == doctest::Approx(expected[k]).epsilon(1e-3));
      }
    }

    // In pieces of any size, bit for bit.
    std::vector<std::vector<float>> pieces(outputs.size(), std::vector<float>(n, -1.0f));
    for (size_t k = 0; k < pieces.size(); ++k) pointers[k] = pieces[k].data();
    for (int64_t begin = 0, step = 1; begin < r.total(); begin += step, step = step * 3 % 701 + 1) {
      kernels().tile_run(plan.code, inputs.data(), pointers.data(), begin,
                         std::min(begin + step, r.total()));
    }
    CHECK(pieces == outputs);

    // As rows of a matrix, left and right columns apart.
    const int64_t columns = r.program.shape().rank() == 0 ? 1 : r.program.shape().back();
    const int64_t rows = r.total() / columns;
    const int64_t left = columns / 3;
    std::vector<std::vector<float>> blocks(outputs.size(), std::vector<float>(n, -1.0f));
    for (size_t k = 0; k < blocks.size(); ++k) pointers[k] = blocks[k].data();
    kernels().tile_run_rows(plan.code, inputs.data(), pointers.data(), 0, left, rows, columns, 0,
                            false);
    kernels().tile_run_rows(plan.code, inputs.data(), pointers.data(), left, columns - left, rows,
                            columns, 0, false);
    CHECK(blocks == outputs);

    // Over an operand.
    for (size_t o = 0; o < outputs.size(); ++o) {
      for (size_t k = 0; k < inputs.size(); ++k) {
        if (!may_share_tiles(r.program, plan, static_cast<int>(o), static_cast<int>(k))) continue;
        RandomProgram again(seed);
        std::vector<std::vector<float>> others(outputs.size(), std::vector<float>(n));
        for (size_t j = 0; j < others.size(); ++j) pointers[j] = others[j].data();
        pointers[o] = again.operands[k].data();
        const std::vector<const void*> shared = again.inputs();
        run_tiles(plan, shared.data(), pointers.data());
        CHECK(again.operands[k] == outputs[o]);
      }
    }
  }
}

TEST_CASE("types convert on the way in and out") {
  constexpr int64_t kSize = 1001;
  std::vector<int32_t> integers(kSize);
  std::vector<Bfloat16> short_floats(kSize);
  std::vector<Float16> halves(1);
  for (int64_t i = 0; i < kSize; ++i) {
    integers[static_cast<size_t>(i)] = static_cast<int32_t>(i - 500);
    short_floats[static_cast<size_t>(i)] = to_bfloat16(static_cast<float>(i % 7));
  }
  halves[0] = to_float16(0.5f);
  TileProgram p(Shape{kSize});
  const int32_t x = p.operand(0, {DType::kInt32, {kSize}});
  const int32_t y = p.operand(1, {DType::kBfloat16, {kSize}});
  const int32_t z = p.operand(2, {DType::kFloat16, {1}});
  const int32_t sum = p.apply(TileOp::add, args(p.apply(TileOp::multiply, args(x, z)), y));
  p.output(sum, DType::kFloat16);
  p.output(p.apply(TileOp::greater, args(sum, p.constant(0.0f))), DType::kBool);
  p.finish();
  std::vector<Float16> sums(kSize);
  std::vector<uint8_t> positive(kSize);
  const void* inputs[] = {integers.data(), short_floats.data(), halves.data()};
  void* outputs[] = {sums.data(), positive.data()};
  run_tiles(*p.plan(), inputs, outputs);
  for (int64_t i = 0; i < kSize; ++i) {
    const float expected = static_cast<float>(i - 500) * 0.5f + static_cast<float>(i % 7);
    CHECK(to_float(sums[static_cast<size_t>(i)]) == expected);
    CHECK(positive[static_cast<size_t>(i)] == (expected > 0 ? 1 : 0));
  }
}

TEST_CASE("an epilogue works on blocks in place and in other memory") {
  constexpr int64_t kRows = 37;
  constexpr int64_t kColumns = 75;
  std::mt19937 random(3);
  const std::vector<float> result = random_floats(kRows * kColumns, random);
  const std::vector<float> bias = random_floats(kColumns, random);
  TileProgram p(Shape{kRows, kColumns});
  const int32_t x = p.operand(0, {DType::kFloat32, {kRows, kColumns}});
  const int32_t b = p.operand(1, {DType::kFloat32, {kColumns}});
  p.output(p.apply(TileOp::relu, args(p.apply(TileOp::add, args(x, b)))), DType::kFloat32);
  const auto plan = lower(p, {.columns = kColumns});
  const void* operands[] = {bias.data()};
  const TileEpilogue epilogue{plan.get(), operands};
  std::vector<float> in_place = result;
  std::vector<float> apart = result;
  for (int64_t row = 0; row < kRows; row += 10) {
    for (int64_t column = 0; column < kColumns; column += 32) {
      const int64_t rows = std::min<int64_t>(10, kRows - row);
      const int64_t columns = std::min<int64_t>(32, kColumns - column);
      TileEpilogue::apply(&epilogue, &in_place[static_cast<size_t>(row * kColumns + column)], row,
                          rows, column, columns, kColumns);
      float block[10 * 32];
      for (int64_t i = 0; i < rows; ++i) {
        std::memcpy(block + i * 32, &apart[static_cast<size_t>((row + i) * kColumns + column)],
                    static_cast<size_t>(columns) * 4);
      }
      TileEpilogue::apply(&epilogue, block, row, rows, column, columns, 32);
      for (int64_t i = 0; i < rows; ++i) {
        std::memcpy(&apart[static_cast<size_t>((row + i) * kColumns + column)], block + i * 32,
                    static_cast<size_t>(columns) * 4);
      }
    }
  }
  for (int64_t i = 0; i < kRows * kColumns; ++i) {
    const float expected =
        std::max(result[static_cast<size_t>(i)] + bias[static_cast<size_t>(i % kColumns)], 0.0f);
    CHECK(in_place[static_cast<size_t>(i)] == expected);
    CHECK(apart[static_cast<size_t>(i)] == expected);
  }
}

}  // namespace pronghorn
