// ctc_beam_search(log_p (batch, time, classes), lengths (batch)) {blank, beam_width, top_paths} ->
// labels (top_paths, batch, time), scores (batch, top_paths): the label sequences of the largest
// probabilities, summed over those of their alignments whose prefixes were among the beam_width
// best at every step (prefix search: Graves 2012, Supervised Sequence Labelling, section 7.5.3). -1
// stands behind the end of the labels; sequences that were not found have the score kNever.
#include <algorithm>
#include <cmath>
#include <limits>

#include "pronghorn/base/parallel.h"
#include "pronghorn/kernels/kernels.h"
#include "pronghorn/ops/shape/rules.h"

namespace pronghorn::ops {
namespace {

constexpr float kNever = -1e30f;

// A prefix, as the node of a tree of all that were kept once.
struct Prefix {
  int32_t parent;
  int32_t label;
  int32_t first_child;
  int32_t next;  // child of the same parent
  int32_t beam;  // its place among the best ones, or -1
};

struct Beam {
  int32_t prefix;
  float in_blank;  // logarithm of the probability of the alignments that end in a blank
  float in_label;  // ... in the last label
  float total;
};

struct Candidate {
  float score;
  int32_t number;  // beam * classes + label; with the blank as label: the prefix as it is
};

struct Plan {
  int64_t batch;
  int64_t time;
  int64_t classes;
  int64_t width;
  int64_t paths;
  int32_t blank;
  size_t work;  // bytes of a sample
};

std::vector<TensorType> infer(const OpCall& call) {
  expect_operands(call, 2);
  const TensorType& x = call.inputs[0];
  if (x.dtype != DType::kFloat32 || call.inputs[1].dtype != DType::kInt32) {
    type_error("ctc_beam_search: expected float32 log_p and int32 lengths. Received: log_p.dtype=",
               x.dtype, ", lengths.dtype=", call.inputs[1].dtype, ".");
  }
  if (x.shape.rank() != 3 || x.shape[2] == 0 || call.inputs[1].shape != Shape{x.shape[0]}) {
    value_error("ctc_beam_search: expected log_p (batch, time, classes) and lengths (batch). ",
                "Received: log_p.shape=", x.shape, ", lengths.shape=", call.inputs[1].shape, ".");
  }
  const int64_t blank = call.attrs.integer("blank");
  const int64_t width = call.attrs.integer("beam_width");
  const int64_t paths = call.attrs.integer("top_paths");
  if (blank < 0 || blank >= x.shape[2] || width < 1 || paths < 1) {
    value_error("ctc_beam_search: blank must be a class, beam_width and top_paths positive. ",
                "Received: blank=", blank, ", classes=", x.shape[2], ", beam_width=", width,
                ", top_paths=", paths, ".");
  }
  if (width > 1'000'000 / x.shape[2]) {
    value_error("ctc_beam_search: beam_width * classes must be at most 1,000,000. Received: ",
                "beam_width=", width, ", classes=", x.shape[2], ".");
  }
  return {{DType::kInt32, Shape{paths, x.shape[0], x.shape[1]}},
          {DType::kFloat32, Shape{x.shape[0], paths}}};
}

Prepared prepare(const OpCall& call) {
  const Shape& x = call.inputs[0].shape;
  Plan plan{.batch = x[0],
            .time = x[1],
            .classes = x[2],
            .width = call.attrs.integer("beam_width"),
            .paths = call.attrs.integer("top_paths"),
            .blank = static_cast<int32_t>(call.attrs.integer("blank")),
            .work = 0};
  const auto prefixes = static_cast<size_t>(plan.time * plan.width + 1) * sizeof(Prefix);
  const auto beams = static_cast<size_t>(plan.width) * sizeof(Beam);
  const auto candidates = static_cast<size_t>(plan.width * plan.classes) * sizeof(Candidate);
  plan.work = (prefixes + 2 * beams + candidates + 63) / 64 * 64;
  return {.plan = std::make_shared<const Plan>(plan),
          .workspace = plan.work * static_cast<size_t>(plan.batch)};
}

float log_sum(float a, float b) {
  const float most = std::max(a, b);
  if (!(most > kNever)) return most;
  return most + std::log1p(std::exp(std::min(a, b) - most));
}

bool is_better(const Candidate& a, const Candidate& b) {
  return a.score != b.score ? a.score > b.score : a.number < b.number;
}

class Search {
 public:
  Search(const Plan& plan, char* work)
      : plan_(plan),
        prefixes_(reinterpret_cast<Prefix*>(work)),
        beams_(reinterpret_cast<Beam*>(prefixes_ + plan.time * plan.width + 1)),
        next_(beams_ + plan.width),
        candidates_(reinterpret_cast<Candidate*>(next_ + plan.width)) {
    prefixes_[0] = {-1, -1, -1, -1, 0};
    beams_[0] = {0, 0.0f, kNever, 0.0f};
  }

  void step(const float* log_p) {
    const int64_t classes = plan_.classes;
    // Every beam and every label; in the place of the blank the beam itself.
    for (int64_t i = 0; i < count_; ++i) {
      const Beam& beam = beams_[i];
      const int32_t last = prefixes_[beam.prefix].label;
      Candidate* row = candidates_ + i * classes;
      for (int64_t k = 0; k < classes; ++k) {
        row[k] = {beam.total + log_p[k], static_cast<int32_t>(i * classes + k)};
      }
      if (last >= 0) row[last].score = beam.in_blank + log_p[last];
    }
    for (int64_t i = 0; i < count_; ++i) {
      Beam& beam = beams_[i];
      const Prefix& prefix = prefixes_[beam.prefix];
      Beam& stays = next_[i];
      stays = {beam.prefix, beam.total + log_p[plan_.blank], kNever, 0.0f};
      if (prefix.label >= 0) stays.in_label = beam.in_label + log_p[prefix.label];
      const int32_t parent = prefix.parent >= 0 ? prefixes_[prefix.parent].beam : -1;
      if (parent >= 0) {
        // The parent with this label is the same sequence.
        Candidate& same = candidates_[parent * classes + prefix.label];
        stays.in_label = log_sum(stays.in_label, same.score);
        same.score = -std::numeric_limits<float>::infinity();
      }
      stays.total = log_sum(stays.in_blank, stays.in_label);
      candidates_[i * classes + plan_.blank].score = stays.total;
    }
    const int64_t total = count_ * classes;
    const int64_t kept = std::min(total, plan_.width);
    std::nth_element(candidates_, candidates_ + kept - 1, candidates_ + total, is_better);
    for (int64_t i = 0; i < count_; ++i) prefixes_[beams_[i].prefix].beam = -1;
    // The kept beams are written over the old ones: these were last read for `next_`.
    int64_t count = 0;
    for (int64_t c = 0; c < kept; ++c) {
      const Candidate& candidate = candidates_[c];
      if (!(candidate.score > kNever)) continue;
      const int64_t from = candidate.number / classes;
      const auto label = static_cast<int32_t>(candidate.number % classes);
      Beam& made = beams_[count++];
      if (label == plan_.blank) {
        made = next_[from];
      } else {
        made = {child(next_[from].prefix, label), kNever, candidate.score, candidate.score};
      }
    }
    count_ = count;
    for (int64_t i = 0; i < count_; ++i) prefixes_[beams_[i].prefix].beam = static_cast<int32_t>(i);
  }

  void write(int32_t* labels, int64_t path_pitch, float* scores) {
    std::sort(beams_, beams_ + count_, [](const Beam& a, const Beam& b) {
      return a.total != b.total ? a.total > b.total : a.prefix < b.prefix;
    });
    for (int64_t path = 0; path < plan_.paths; ++path, labels += path_pitch) {
      std::fill_n(labels, plan_.time, -1);
      scores[path] = kNever;
      if (path >= count_) continue;
      scores[path] = beams_[path].total;
      int64_t length = 0;
      for (int32_t at = beams_[path].prefix; at > 0; at = prefixes_[at].parent) {
        labels[length++] = prefixes_[at].label;
      }
      std::reverse(labels, labels + length);
    }
  }

 private:
  int32_t child(int32_t parent, int32_t label) {
    int32_t at = prefixes_[parent].first_child;
    while (at >= 0 && prefixes_[at].label != label) at = prefixes_[at].next;
    if (at >= 0) return at;
    prefixes_[prefix_count_] = {parent, label, -1, prefixes_[parent].first_child, -1};
    prefixes_[parent].first_child = prefix_count_;
    return prefix_count_++;
  }

  const Plan& plan_;
  Prefix* prefixes_;
  Beam* beams_;
  Beam* next_;
  Candidate* candidates_;
  int32_t prefix_count_ = 1;
  int64_t count_ = 1;
};

void run(const Launch& launch) noexcept {
  const Plan& plan = launch.plan_as<Plan>();
  const int64_t size = plan.time * plan.classes;
  parallel_for(plan.batch, size * plan.width * 8, [&](int64_t i) {
    Search search(plan, static_cast<char*>(launch.workspace) + static_cast<size_t>(i) * plan.work);
    const float* log_p = launch.input<float>(0) + i * size;
    const int64_t steps = std::clamp<int64_t>(launch.input<int32_t>(1)[i], 0, plan.time);
    for (int64_t t = 0; t < steps; ++t) search.step(log_p + t * plan.classes);
    search.write(launch.output<int32_t>(0) + i * plan.time, plan.batch * plan.time,
                 launch.output<float>(1) + i * plan.paths);
  });
}

}  // namespace

OpDef ctc_beam_search_op() {
  return {.name = "ctc_beam_search", .infer = infer, .prepare = prepare, .run = run};
}

}  // namespace pronghorn::ops
