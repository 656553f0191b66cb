#include "pronghorn/runtime/batches.h"

#include <chrono>
#include <cstring>
#include <numeric>

#include "pronghorn/base/parallel.h"

namespace pronghorn {
namespace {

// to[i] = from[order[i]], rows of `bytes` bytes.
void gather_rows(char* to, const char* from, const int64_t* order, int64_t rows, size_t bytes) {
  constexpr int64_t kRowsPerPiece = 16;
  parallel_ranges(rows, kRowsPerPiece, static_cast<int64_t>(bytes),
                  [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) {
                      std::memcpy(to + static_cast<size_t>(i) * bytes,
                                  from + static_cast<size_t>(order[i]) * bytes, bytes);
                    }
                  });
}

// The first `rows` rows of the data, in their order.
void check_rows(const Program& program, const BatchRun& run, int64_t rows) {
  for (const InputBounds& bounds : program.input_bounds()) {
    const TensorType& type = program.inputs()[bounds.input];
    const void* data = run.sources[bounds.input];
    if (run.order == nullptr) {
      check_input_bounds(bounds, type, data, 0, rows, nullptr);
      continue;
    }
    for (int64_t i = 0; i < rows; ++i)
      check_input_bounds(bounds, type, data, run.order[i], 1, nullptr);
  }
}

}  // namespace

int64_t run_batches(const Program& program, const BatchRun& run, int64_t first, int64_t last,
                    double time_limit) {
  const size_t input_count = program.inputs().size();
  std::vector<size_t> row_bytes(input_count);
  std::vector<std::unique_ptr<Buffer>> batches;
  std::vector<const void*> inputs(input_count);
  for (size_t i = 0; i < input_count; ++i) {
    const TensorType& type = program.inputs()[i];
    row_bytes[i] = static_cast<size_t>(type.shape.size(1, type.shape.rank())) * size_of(type.dtype);
    if (run.order != nullptr) {
      batches.push_back(std::make_unique<Buffer>(type.bytes()));
      inputs[i] = batches.back()->data();
    }
  }
  std::vector<std::unique_ptr<Buffer>> dropped;  // results that nobody wants
  std::vector<void*> outputs(program.outputs().size());
  std::vector<size_t> result_bytes(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    result_bytes[i] = program.outputs()[i].bytes();
    if (run.results.empty()) {
      dropped.push_back(std::make_unique<Buffer>(result_bytes[i]));
      outputs[i] = dropped.back()->data();
    }
  }

  if (first == 0) check_rows(program, run, last * run.batch_size);

  std::vector<int64_t> numbers;  // of the rows of a batch
  if (run.order == nullptr) numbers.resize(static_cast<size_t>(run.batch_size));
  const auto start = std::chrono::steady_clock::now();
  for (int64_t step = first; step < last; ++step) {
    const int64_t row = step * run.batch_size;
    for (size_t i = 0; i < input_count; ++i) {
      const char* source = static_cast<const char*>(run.sources[i]);
      if (run.order == nullptr) {
        inputs[i] = source + static_cast<size_t>(row) * row_bytes[i];
      } else {
        gather_rows(static_cast<char*>(batches[i]->data()), source, run.order + row, run.batch_size,
                    row_bytes[i]);
      }
    }
    if (!run.results.empty()) {
      for (size_t i = 0; i < outputs.size(); ++i) {
        outputs[i] =
            static_cast<char*>(run.results[i]) + static_cast<size_t>(step) * result_bytes[i];
      }
    }
    if (first > 0 && !program.input_bounds().empty()) {
      std::iota(numbers.begin(), numbers.end(), row);
      program.check_inputs(inputs.data(), run.order ? run.order + row : numbers.data());
    }
    program.run(inputs.data(), outputs.data());
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    if (time_limit > 0 && spent.count() >= time_limit) return step + 1;
  }
  return last;
}

}  // namespace pronghorn
