// What drivers and inner loops of Fourier transforms share.
#pragma once

#include <cstdint>

namespace pronghorn {

// One pass of a transform of `radix` * groups * stride points: `groups` sets of factors, each for
// `stride` butterflies.
struct FftStage {
  int64_t radix;
  int64_t groups;
  int64_t stride;
  const float* factors;  // (groups, radix - 1) pairs exp(-2 pi i p u / (radix groups))
  const float* roots;    // (radix) pairs exp(-2 pi i u / radix); odd radices from 7 on
};

struct FftStages {
  int64_t length;
  int64_t count;
  FftStage stage[24];
};

// A complex transform. One of three forms:
//   lanes = 0: `columns` has n points, a row lies in each lane of a vector;
//   lanes = l: a row is l interleaved rows of n / l points (`columns`), one in each lane; `across`
//     has l points, and `turns` the factors between them: (blocks of lanes of points, l - 1) times
//     a vector of real and one of imaginary parts;
//   chirp not null: as a convolution of length convolution->n, whose lanes are those of a vector.
struct FftPlan {
  int64_t n;
  int64_t lanes;
  FftStages columns;
  FftStages across;
  const float* turns;
  const FftPlan* convolution;
  const float* chirp;     // (2, n): exp(-pi i j^2 / n), real parts, then imaginary ones
  const float* spectrum;  // (2, convolution->n): transform of the conjugate chirp, over its length
};

// Vectors of kLanes columns: point j at re + j * step and im + j * step.
struct FftSource {
  const float* re;
  const float* im;
  int64_t step;
};
struct FftTarget {
  float* re;
  float* im;
  int64_t step;
};

// Rows of real numbers and their spectra of n / 2 + 1 bins. Row i is frame i % frames of signal i /
// frames. The first and, if n is even, the last bin have the weight `edge`, the others `inner`.
struct RealFft {
  const FftPlan* plan;      // of n / 2 points if n is even, else of n
  const float* half_turns;  // n even: (2, n / 4 + 1): exp(-2 pi i k / n)
  int64_t n;
  float* x;  // written by the inverse only
  int64_t signal_pitch;
  int64_t frames;
  int64_t frame_pitch;
  int64_t frame;        // numbers of x in a row, at most n
  const float* window;  // (frame) factors of x, or null
  float* re;            // (rows, bins): written by the forward transform only
  float* im;
  int64_t bins;  // of the memory; the inverse takes missing ones as 0, ignores others
  float edge;
  float inner;
};

}  // namespace pronghorn
