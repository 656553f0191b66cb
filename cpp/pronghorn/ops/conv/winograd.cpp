#include "pronghorn/ops/conv/winograd.h"

#include <algorithm>
#include <atomic>

#include "pronghorn/base/parallel.h"
#include "pronghorn/gemm/gemm.h"
#include "pronghorn/gemm/sizes.h"
#include "pronghorn/kernels/kernels.h"

namespace pronghorn::ops {
namespace {

// Channels of a pass: longer sums in a row would be less exact (cpp/README.md).
constexpr int64_t kMaxDepth = 64;
// Floats of a task's transformed pixels: half of an L2 cache of 2 MB.
constexpr int64_t kTransformed = 1 << 18;
constexpr int64_t kMinTiles = 48;  // of a task
constexpr int64_t kMaxTiles = 128;
constexpr int64_t kTasks = 8;  // wanted, if there is work for them
constexpr int64_t kLeastChannels = 32;
// Tiles of all images below which transforming the weights takes what the form gains: so many, and
// one for each kWeightsPerTile weights of a tap.
constexpr int64_t kLeastTiles = 64;
constexpr int64_t kWeightsPerTile = 512;
constexpr int64_t kSums = 1 << 18;        // floats of a task's sums of the gradient of the kernel
constexpr int64_t kMaxPanels = 8;         // likewise
constexpr int64_t kSplitTiles = 512;      // of a part of the tiles that is summed on its own
constexpr int64_t kMaxPartial = 1 << 21;  // floats of all sums

// Floats from one position to the next, each of `tiles` rows: not a multiple of a memory page,
// because the 16 positions are written together.
int64_t position_floats(int64_t tiles, int64_t row) { return (tiles * row + 15) / 16 * 16 + 16; }

// Tasks of about `most` tiles.
std::optional<TileLines> plan_tiles(const Windows& w, int64_t batch, int64_t groups,
                                    int64_t out_channels, int64_t most) {
  bool suits = groups == 1 && w.kernel[0] == 1 && w.pad[0] == 0 && w.out[0] == w.in[0] &&
               w.stride[0] == 1 && w.channels >= kLeastChannels && out_channels >= kLeastChannels;
  for (int d = 1; d < 3; ++d)
    suits = suits && w.kernel[d] == 3 && w.stride[d] == 1 && w.dilation[d] == 1;
  if (!suits) return {};
  TileLines t{.windows = w, .images = batch * w.out[0]};
  t.high = divide_up(w.out[1], 2);
  t.wide = divide_up(w.out[2], 2);
  const int64_t tiles = t.lines() * t.wide;
  // Tiles that hang over the edge are computed in whole.
  if (tiles < std::max(kLeastTiles, w.channels * out_channels / kWeightsPerTile) ||
      t.wide > 2 * kMaxTiles || 2 * 4 * tiles > 3 * batch * w.out[0] * w.out[1] * w.out[2])
    return {};
  const int64_t wanted = std::min(most, std::max<int64_t>(tiles / kTasks, 28));
  t.task_lines = std::max<int64_t>(wanted / t.wide, 1);
  t.task_lines = divide_up(t.lines(), divide_up(t.lines(), t.task_lines));
  return t;
}

struct LineAt {
  int64_t image;
  int64_t row;  // first row of pixels of its results
};
LineAt line_at(const TileLines& tiles, int64_t line) {
  return {line / tiles.high, line % tiles.high * 2};
}

// The pixels that a line of tiles reads.
WinogradLine input_line(const TileLines& tiles, int64_t line, int64_t channels) {
  const Windows& w = tiles.windows;
  return {w.in[1],   w.in[2],   w.pixel, channels, line_at(tiles, line).row - w.pad[1],
          -w.pad[2], tiles.wide};
}
const float* input_image(const TileLines& tiles, int64_t line, const float* x) {
  const Windows& w = tiles.windows;
  return x + line_at(tiles, line).image * w.in[1] * w.in[2] * w.pixel;
}

// The results of a line of tiles: an image with `pixel` channels.
WinogradLine output_line(const TileLines& tiles, int64_t line, int64_t pixel, int64_t channels) {
  const Windows& w = tiles.windows;
  return {w.out[1], w.out[2], pixel, channels, line_at(tiles, line).row, 0, tiles.wide};
}
int64_t output_image(const TileLines& tiles, int64_t line, int64_t pixel) {
  const Windows& w = tiles.windows;
  return line_at(tiles, line).image * w.out[1] * w.out[2] * pixel;
}

}  // namespace

std::optional<WinogradPlan> plan_winograd(const Windows& w, int64_t batch, int64_t groups,
                                          int64_t out_channels) {
  const int64_t fitting = kTransformed / (kWinogradPositions * std::max<int64_t>(w.channels, 1));
  const std::optional<TileLines> tiles =
      plan_tiles(w, batch, groups, out_channels, std::clamp(fitting, kMinTiles, kMaxTiles));
  if (!tiles) return {};
  WinogradPlan plan{.tiles = *tiles, .out_channels = out_channels};
  plan.panels = divide_up(out_channels, kPatchPanel);
  plan.packed = plan.panels * kWinogradPositions * w.channels * kPatchPanel;
  plan.cost = 2 * kWinogradPositions * tiles->lines() * tiles->wide * w.channels * out_channels;
  return plan;
}

void transform_weights(const WinogradPlan& plan, const float* w, float* packed) {
  const int64_t ic = plan.tiles.windows.channels;
  const int64_t oc = plan.out_channels;
  const int64_t position = ic * kPatchPanel;
  constexpr int64_t kRows = 32;
  const int64_t strips = divide_up(ic, kRows);
  parallel_for(plan.panels * strips, kRows * kPatchPanel * 100, [&](int64_t i) {
    const int64_t panel = i / strips;
    const int64_t row = i % strips * kRows;
    const int64_t col = panel * kPatchPanel;
    kernels().winograd_weights(
        w + row * oc + col, ic * oc, oc, std::min(kRows, ic - row), std::min(kPatchPanel, oc - col),
        false, packed + panel * kWinogradPositions * position + row * kPatchPanel, position);
  });
}

void transform_transposed(const WinogradPlan& plan, const float* w, float* packed) {
  const int64_t ic = plan.tiles.windows.channels;  // what w has as its last dimension
  const int64_t oc = plan.out_channels;
  const int64_t position = ic * kPatchPanel;
  constexpr int64_t kRows = 32;
  const int64_t strips = divide_up(ic, kRows);
  parallel_for(plan.panels * strips, kRows * kPatchPanel * 100, [&](int64_t i) {
    const int64_t panel = i / strips;
    const int64_t row = i % strips * kRows;
    const int64_t rows = std::min(kRows, ic - row);
    const int64_t col = panel * kPatchPanel;
    const int64_t cols = std::min(kPatchPanel, oc - col);
    alignas(64) float taps[9 * kRows * kPatchPanel];
    for (int64_t tap = 0; tap < 9; ++tap) {
      kernels().transpose_matrix(w + (tap * oc + col) * ic + row, ic, cols, rows,
                                 taps + tap * kRows * kPatchPanel, kPatchPanel);
    }
    kernels().winograd_weights(taps, kRows * kPatchPanel, kPatchPanel, rows, cols, true,
                               packed + panel * kWinogradPositions * position + row * kPatchPanel,
                               position);
  });
}

bool run_winograd(const WinogradPlan& plan, const float* x, const float* packed, float* y,
                  const Epilogue& epilogue) noexcept {
  const TileLines& tiles = plan.tiles;
  const Windows& w = tiles.windows;
  const int64_t ic = w.channels;
  const int64_t oc = plan.out_channels;
  std::atomic<bool> finite = true;
  parallel_for(tiles.tasks(), std::max<int64_t>(plan.cost / tiles.tasks(), 1), [&](int64_t task) {
    const int64_t first = task * tiles.task_lines;
    const int64_t last = std::min(first + tiles.task_lines, tiles.lines());
    const int64_t v_position = position_floats(tiles.task_tiles(), ic);
    const int64_t m_position = position_floats(tiles.task_tiles(), kPatchPanel);
    float* v = thread_scratch(kWinogradPositions * (v_position + m_position));
    float* m = v + kWinogradPositions * v_position;
    for (int64_t line = first; line < last; ++line) {
      kernels().winograd_input(input_line(tiles, line, ic), input_image(tiles, line, x),
                               v + (line - first) * tiles.wide * ic, ic, v_position);
    }
    const PatchRun run{0, 0, (last - first) * tiles.wide};
    PatchProduct g{};
    g.a_row = ic;
    g.a_step = 1;
    g.runs = &run;
    g.run_count = 1;
    g.c_row = kPatchPanel;
    g.segment_count = 1;
    const int64_t passes = ic <= kMaxDepth * 3 / 2 ? 1 : divide_up(ic, kMaxDepth);
    bool all = true;
    for (int64_t panel = 0; panel < plan.panels; ++panel) {
      g.cols = std::min(kPatchPanel, oc - panel * kPatchPanel);
      for (int64_t position = 0; position < kWinogradPositions; ++position) {
        const float* b = packed + (panel * kWinogradPositions + position) * ic * kPatchPanel;
        g.a = v + position * v_position;
        g.c = m + position * m_position;
        for (int64_t pass = 0; pass < passes; ++pass) {
          const int64_t begin = ic * pass / passes;
          const PatchSegment segment{begin, ic * (pass + 1) / passes - begin};
          g.segments = &segment;
          g.b = b + begin * kPatchPanel;
          g.accumulate = pass > 0;
          kernels().patch_product(g);
        }
      }
      for (int64_t line = first; line < last; ++line) {
        all &= kernels().winograd_output(
            output_line(tiles, line, oc, g.cols), m + (line - first) * tiles.wide * kPatchPanel,
            kPatchPanel, m_position, y + output_image(tiles, line, oc) + panel * kPatchPanel);
      }
    }
    if (!all) finite = false;
    if (epilogue.apply != nullptr) {
      const auto row_of = [&](int64_t line) {
        const LineAt at = line_at(tiles, line);
        return (at.image * w.out[1] + at.row) * w.out[2];
      };
      const int64_t row = row_of(first);
      epilogue.apply(epilogue.context, y + row * oc, row, row_of(last) - row, 0, oc, oc);
    }
  });
  return finite;
}

std::optional<WinogradDwPlan> plan_winograd_dw(const Windows& w, int64_t batch, int64_t groups,
                                               int64_t out_channels) {
  const std::optional<TileLines> tiles = plan_tiles(w, batch, groups, out_channels, kMaxTiles);
  if (!tiles) return {};
  WinogradDwPlan plan{.tiles = *tiles, .out_channels = out_channels};
  const int64_t ic = w.channels;
  const int64_t panels = divide_up(ic, kPatchPanel);
  const int64_t fitting =
      std::clamp<int64_t>(kSums / (kWinogradPositions * out_channels * kPatchPanel), 1, kMaxPanels);
  const int64_t task_panels = std::min(fitting, divide_up(panels, kTasks / 2));
  plan.channels = task_panels * kPatchPanel;
  const int64_t matrix = kWinogradPositions * ic * out_channels;
  const int64_t tasks = tiles->tasks();
  // Sums of parts cost memory traffic: each of so many tiles.
  const int64_t wanted = std::min(divide_up(kTasks, divide_up(panels, task_panels)),
                                  tiles->lines() * tiles->wide / kSplitTiles);
  plan.splits = std::clamp<int64_t>(std::min(wanted, kMaxPartial / matrix), 1, tasks);
  plan.split_tasks = divide_up(tasks, plan.splits);
  plan.splits = divide_up(tasks, plan.split_tasks);
  plan.cost = 2 * kWinogradPositions * tiles->lines() * tiles->wide * ic * out_channels;
  plan.workspace = static_cast<size_t>(plan.splits * matrix) * sizeof(float);
  return plan;
}

bool run_winograd_dw(const WinogradDwPlan& plan, const float* x, const float* dy, float* dw,
                     void* workspace) noexcept {
  const TileLines& tiles = plan.tiles;
  const int64_t ic = tiles.windows.channels;
  const int64_t oc = plan.out_channels;
  const int64_t matrix = ic * oc;
  const int64_t chunks = divide_up(ic, plan.channels);
  float* parts = static_cast<float*>(workspace);
  const int64_t pieces = plan.splits * chunks;
  parallel_for(pieces, std::max<int64_t>(plan.cost / pieces, 1), [&](int64_t piece) {
    const int64_t split = piece / chunks;
    const int64_t channel = piece % chunks * plan.channels;
    const int64_t channels = std::min(plan.channels, ic - channel);
    float* sums = parts + split * kWinogradPositions * matrix + channel * oc;
    // Both operands in panels of kPatchPanel columns: [panel][position][tile][column].
    const int64_t position_size = position_floats(tiles.task_tiles(), kPatchPanel);
    const int64_t panel_size = kWinogradPositions * position_size;
    const int64_t panels = divide_up(channels, kPatchPanel);
    float* z = thread_scratch((panels + 1) * panel_size);
    float* v = z + panel_size;
    PatchRun runs[kMaxPanels];
    for (int64_t p = 0; p < panels; ++p) {
      runs[p] = {p * panel_size, p * kPatchPanel * oc,
                 std::min(kPatchPanel, channels - p * kPatchPanel)};
    }
    const int64_t end = std::min((split + 1) * plan.split_tasks, tiles.tasks());
    for (int64_t task = split * plan.split_tasks; task < end; ++task) {
      const int64_t first = task * tiles.task_lines;
      const int64_t last = std::min(first + tiles.task_lines, tiles.lines());
      for (int64_t p = 0; p < panels; ++p) {
        for (int64_t line = first; line < last; ++line) {
          kernels().winograd_input(input_line(tiles, line, runs[p].count),
                                   input_image(tiles, line, x) + channel + p * kPatchPanel,
                                   v + p * panel_size + (line - first) * tiles.wide * kPatchPanel,
                                   kPatchPanel, position_size);
        }
      }
      const PatchSegment segment{0, (last - first) * tiles.wide};
      PatchProduct g{};
      g.a_row = 1;
      g.a_step = kPatchPanel;
      g.runs = runs;
      g.run_count = panels;
      g.segments = &segment;
      g.segment_count = 1;
      g.c_row = oc;
      g.accumulate = task > split * plan.split_tasks;
      for (int64_t col = 0; col < oc; col += kPatchPanel) {
        g.cols = std::min(kPatchPanel, oc - col);
        for (int64_t line = first; line < last; ++line) {
          kernels().winograd_gradient(
              output_line(tiles, line, oc, g.cols), dy + output_image(tiles, line, oc) + col,
              z + (line - first) * tiles.wide * kPatchPanel, kPatchPanel, position_size);
        }
        for (int64_t position = 0; position < kWinogradPositions; ++position) {
          g.a = v + position * position_size;
          g.b = z + position * position_size;
          g.c = sums + position * matrix + col;
          kernels().patch_product(g);
        }
      }
    }
  });
  std::atomic<bool> finite = true;
  parallel_ranges(matrix, 1024, 100 * plan.splits, [&](int64_t begin, int64_t end) {
    if (!kernels().winograd_dw(parts + begin, plan.splits, kWinogradPositions * matrix, matrix,
                               end - begin, dw + begin, matrix))
      finite = false;
  });
  return finite;
}

}  // namespace pronghorn::ops
