#include "ocs/tune/tune.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::array<int, 5> fewer_bits{6, 5, 4, 3, 2};

// What may be better the other way round, besides bits and copies.
struct Choice {
  std::string_view what{};
  void (*turn)(Recipe& recipe) = nullptr;
  bool (*can_turn)(const Recipe& recipe) = nullptr;
};
constexpr std::array choices{
    Choice{.what = "equalization turned",
           .turn = [](Recipe& recipe) { recipe.equalize = !recipe.equalize; },
           .can_turn = [](const Recipe& recipe) { return recipe.fold_batchnorm; }},
    Choice{.what = "activations clipped otherwise",
           .turn =
               [](Recipe& recipe) {
                 recipe.act_clip = std::holds_alternative<MaxClip>(recipe.act_clip)
                                       ? Clip(MseClip{})
                                       : Clip(MaxClip{});
               },
           .can_turn = [](const Recipe& recipe) { return recipe.act_bits.has_value(); }},
    Choice{.what = "weights clipped otherwise",
           .turn =
               [](Recipe& recipe) {
                 recipe.weight_clip = std::holds_alternative<MaxClip>(recipe.weight_clip)
                                          ? Clip(MseClip{})
                                          : Clip(MaxClip{});
               },
           .can_turn = [](const Recipe&) { return true; }},
    Choice{.what = "bias correction turned",
           .turn = [](Recipe& recipe) { recipe.bias_correction = !recipe.bias_correction; },
           .can_turn = [](const Recipe&) { return true; }},
};

bool reaches(const TuneGoal& goal, const TuneFigures& figures) {
  // Without classes there is no drop to speak of, so it cannot be promised.
  if (goal.max_drop && (!figures.drop || *figures.drop > *goal.max_drop)) return false;
  if (goal.min_sqnr_db && !(figures.sqnr_db >= *goal.min_sqnr_db)) return false;
  return !goal.max_latency_ms ||
         (figures.latency_ms && *figures.latency_ms <= *goal.max_latency_ms);
}

class Search {
 public:
  explicit Search(const TuneProblem& problem) : problem_(problem), begun_(problem.clock()) {}

  TuneResult run() {
    const TuneGoal& goal = problem_.goal;
    check(goal);
    keeps_accuracy_ = goal.max_drop || goal.min_sqnr_db;
    if (keeps_accuracy_)
      search_for_bits();
    else
      search_for_accuracy();
    explain();
    return std::move(result_);
  }

 private:
  // Whether it passes. Once the time is over nothing is tried any more and nothing passes.
  bool passes(const std::string& what, const Recipe& recipe) {
    if (problem_.time_limit > 0.0 && problem_.clock() - begun_ >= problem_.time_limit) {
      result_.out_of_time = true;
      return false;
    }
    const double start = problem_.clock();
    Trial trial{.what = what, .recipe = recipe, .figures = problem_.measure(recipe)};
    trial.seconds = problem_.clock() - start;
    trial.passes = reaches(problem_.goal, trial.figures);
    result_.trials.push_back(std::move(trial));
    const Trial& last = result_.trials.back();
    const bool is_best =
        last.passes && (!result_.chosen || is_better(last, result_.trials[*result_.chosen]));
    if (is_best) result_.chosen = result_.trials.size() - 1;
    if (problem_.finished) problem_.finished(last, is_best);
    return last.passes;
  }

  [[nodiscard]] bool is_better(const Trial& a, const Trial& b) const {
    const auto cost = [&](const Trial& trial) {
      const TuneFigures& figures = trial.figures;
      return keeps_accuracy_ ? std::tuple(figures.weight_bits, figures.extra_macs, -figures.sqnr_db)
                             : std::tuple(std::int64_t{0}, std::int64_t{0}, -figures.sqnr_db);
    };
    return cost(a) < cost(b);
  }

  [[nodiscard]] Recipe plain() const {
    Recipe recipe = problem_.base;
    recipe.name = "tuned";
    return recipe;
  }

  // As good as it gets with this many bits.
  [[nodiscard]] Recipe careful(int bits) const {
    Recipe recipe = plain();
    recipe.weight_bits = bits;
    recipe.weight_clip = MseClip{};
    recipe.rounding = GptqRounding{.sequential = true, .refine = true};
    if (bits < 8) {
      recipe.overrides.push_back({.pattern = "first", .key = "weight_bits", .value = "8"});
      recipe.overrides.push_back({.pattern = "last", .key = "weight_bits", .value = "8"});
    }
    for (const Choice* choice : turned_) choice->turn(recipe);
    return recipe;
  }

  // Turns each choice in its turn, keeps what lessens the error, and ends where something passes. The recipe and all later careful
  // ones have what was kept.
  bool improve(const std::string& what, Recipe& recipe) {
    double best = result_.trials.back().figures.sqnr_db;
    for (const Choice& choice : choices) {
      if (!choice.can_turn(recipe) || std::ranges::find(turned_, &choice) != turned_.end())
        continue;
      Recipe candidate = recipe;
      choice.turn(candidate);
      const bool does = passes(fmt::format("{}, {}", what, choice.what), candidate);
      if (out_of_time()) return false;
      const double found = result_.trials.back().figures.sqnr_db;
      if (!does && !(found > best)) continue;
      best = found;
      recipe = std::move(candidate);
      turned_.push_back(&choice);
      if (does) return true;
    }
    return false;
  }

  [[nodiscard]] static Recipe with_copies(Recipe recipe, double budget) {
    recipe.expand_ratio = 0.0;
    recipe.mac_budget = budget;
    return recipe;
  }

  void search_for_accuracy() {
    passes("8 bits", plain());
    passes("8 bits, gptq", careful(8));
    // Copies only get dearer.
    for (const double budget : {0.02, 0.05, 0.1})
      if (!passes(fmt::format("8 bits, gptq, copies for {:.0f}% of the MACs", 100.0 * budget),
                  with_copies(careful(8), budget)))
        return;
  }

  void search_for_bits() {
    if (!passes("8 bits", plain()) && !passes("8 bits, gptq", careful(8))) {
      Recipe copied = with_copies(careful(8), 0.02);
      const std::string what = "8 bits, gptq, copies for 2% of the MACs";
      if (!passes(what, copied) && !improve(what, copied)) {
        leave_in_float();
        return;
      }
    }
    int good = 8;
    Recipe bad;
    for (const int bits : fewer_bits) {
      bad = careful(bits);
      if (!passes(fmt::format("{} bits, gptq", bits), bad)) {
        bad = with_copies(bad, 0.02);
        const std::string what = fmt::format("{} bits, gptq, copies for 2% of the MACs", bits);
        if (!passes(what, bad) && !improve(what, bad)) {
          mix(bad, bits, good);
          return;
        }
      }
      good = bits;
    }
  }

  // As few of the most sensitive layers with `more` bits as pass.
  void mix(const Recipe& recipe, int bits, int more) {
    const auto with = [&](const std::vector<std::string>& layers, std::size_t count) {
      Recipe mixed = recipe;
      std::vector<Override> finer;
      for (std::size_t i = 0; i < count; ++i)
        finer.push_back(
            {.pattern = layers[i], .key = "weight_bits", .value = std::to_string(more)});
      // In front: a later override wins, and the ends keep their bits.
      mixed.overrides.insert(mixed.overrides.begin(), finer.begin(), finer.end());
      return std::pair(
          fmt::format("{} bits, {} in {} of {} layers", bits, more, count, layers.size()),
          std::move(mixed));
    };
    bisect(recipe, with);
  }

  void leave_in_float() {
    const Recipe recipe = careful(8);
    bisect(recipe, [&](const std::vector<std::string>& layers, std::size_t count) {
      Recipe partly = recipe;
      for (std::size_t i = 0; i < count; ++i) partly.keep_float.push_back(layers[i]);
      return std::pair(fmt::format("8 bits, {} of {} layers in float", count, layers.size()),
                       std::move(partly));
    });
  }

  // The smallest count of the most sensitive layers that passes, to within a sixteenth of all: a fraction of them first, then twice as many
  // until one passes, then between. Not all of them: that is another trial, or no quantized model at all.
  template <typename With>
  void bisect(const Recipe& recipe, const With& with) {
    if (out_of_time()) return;
    const std::vector<std::string> layers = problem_.rank(recipe);
    if (layers.size() < 2) return;
    const std::size_t most = layers.size() - 1;
    const std::size_t exact = std::max<std::size_t>(1, layers.size() / 16);
    const auto try_count = [&](std::size_t count) {
      const auto [what, candidate] = with(layers, count);
      return passes(what, candidate);
    };
    std::size_t few = 0;
    std::size_t enough = std::max<std::size_t>(1, layers.size() / 8);
    while (!try_count(enough)) {
      if (out_of_time() || enough == most) return;
      few = enough;
      enough = std::min(2 * enough, most);
    }
    while (enough - few > exact && !out_of_time()) {
      const std::size_t middle = few + (enough - few) / 2;
      (try_count(middle) ? enough : few) = middle;
    }
  }

  [[nodiscard]] bool out_of_time() const { return result_.out_of_time; }

  void explain() {
    const std::string time = result_.out_of_time ? "; the time was over" : "";
    if (!result_.chosen) {
      result_.reason = "nothing that was tried reaches the goal" + time;
      return;
    }
    result_.reason = (keeps_accuracy_ ? "the fewest bits of weights of those that reach the goal"
                                      : "the least error of those that are fast enough") +
                     time;
  }

  const TuneProblem& problem_;
  double begun_ = 0.0;
  bool keeps_accuracy_ = true;
  std::vector<const Choice*> turned_{};  // kept by improve()
  TuneResult result_{};
};

}  // namespace

void check(const TuneGoal& goal) {
  if (!goal.max_drop && !goal.min_sqnr_db && !goal.max_latency_ms)
    throw_bad_input("tune: what is to be reached? pass --max-drop, --min-sqnr or --max-latency");
}

TuneResult tune(const TuneProblem& problem) { return Search(problem).run(); }

}  // namespace ocs
