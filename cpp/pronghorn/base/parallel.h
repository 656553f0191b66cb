// Threads. The only header through which drivers reach them.
// Work is split by shape, never by thread count, so results have the same bits for any number of
// threads.
#pragma once

#include <cstdint>
#include <type_traits>

namespace pronghorn {

// Work below this many operations (about 0.5 MFLOP, or bytes moved) does not pay for a fork.
inline constexpr int64_t kParallelGrain = 500'000;

int num_threads();
void set_num_threads(int n);  // n >= 1

// Calls body(context, i) for each i in [0, n), on several threads if n > 1 and n * cost_each >=
// kParallelGrain. cost_each: operations, or bytes moved, of one call. Nested calls run on the
// calling thread.
void parallel_for_erased(int64_t n, int64_t cost_each, void (*body)(void*, int64_t), void* context);

template <typename F>
void parallel_for(int64_t n, int64_t cost_each, F&& f) {
  using Function = std::remove_reference_t<F>;
  parallel_for_erased(
      n, cost_each, [](void* context, int64_t i) { (*static_cast<Function*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(&f)));
}

// Splits [0, total) into pieces of `piece` items (the last one shorter) and calls f(begin, end) for
// each, in parallel.
template <typename F>
void parallel_ranges(int64_t total, int64_t piece, int64_t cost_per_item, F&& f) {
  const int64_t n = (total + piece - 1) / piece;
  parallel_for(n, cost_per_item * piece, [&](int64_t i) {
    const int64_t begin = i * piece;
    const int64_t end = begin + piece < total ? begin + piece : total;
    f(begin, end);
  });
}

// Called by the pool on its workers: their loops run on themselves.
void enter_worker();

// Sets flush-to-zero and denormals-are-zero on the calling thread for its lifetime, and on the
// threads that parallel_for uses meanwhile: arithmetic on subnormals made a small training step ten
// times slower.
class FlushSubnormals {
 public:
  FlushSubnormals();
  ~FlushSubnormals();
  FlushSubnormals(const FlushSubnormals&) = delete;
  FlushSubnormals& operator=(const FlushSubnormals&) = delete;

 private:
  uint64_t before_;
};

}  // namespace pronghorn
