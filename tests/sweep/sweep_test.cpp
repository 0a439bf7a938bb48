#include "ocs/sweep/sweep.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/evaluate/accuracy.h"
#include "ocs/evaluate/scores.h"
#include "ocs/pipeline/quantize.h"
#include "ocs/sweep/identity.h"
#include "ocs/sweep/table.h"
#include "support/folder.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr auto network = R"(
  input x float[N, 3, 8, 8];
  init w float[8, 3, 3, 3] random 1 * 0.3; init v float[8, 8, 1, 1] random 2 * 0.3;
  init f float[6, 8] random 3; init b float[6] random 4;
  conv1: a = Conv(x, w); relu1: r = Relu(a); conv2: c = Conv(r, v); pool: g = GlobalAveragePool(c);
  flat: h = Flatten(g); fc: y = Gemm(h, f, b) {transB = 1}; output y float[N, 6];
)";

Sample random_sample(std::size_t i) { return random_samples("x", {1, 3, 8, 8}, i + 1).load(i); }

// Labelled with what the float model says, so that accuracy is what quantization costs.
Samples labelled_samples(const Model& model, std::size_t count) {
  const RunModel run = onnx_runtime()(model, {});
  std::vector<int> labels;
  for (std::size_t i = 0; i < count; ++i)
    labels.push_back(static_cast<int>(best_class(scores_of(run, random_sample(100 + i))->of(0))));
  return {.count = count,
          .load =
              [labels](std::size_t i) {
                Sample sample = random_sample(100 + i);
                sample.labels = {labels[i]};
                return sample;
              },
          .has_labels = true,
          .source = "labelled"};
}

class SweepTest : public testing::Test {
 protected:
  [[nodiscard]] SweepSpec spec(const std::string& grid) const {
    write_bytes(folder_ / "s.json", R"({"title": "T", "recipe": "paper", )" + grid + "}");
    return read_sweep_spec(folder_ / "s.json");
  }
  SweepResult sweep(const SweepSpec& spec, std::size_t jobs = 1) {
    return run_sweep(spec, input_, folder_.path(), engine_, {.jobs = jobs});
  }

  TestFolder folder_;
  Model model_ = text_model(network);
  std::atomic<int> calibrated_ = 0;
  Samples calib_{.count = 8, .load = random_sample, .source = "calib"};
  SweepInput input_{.model = &model_,
                    .calib = &calib_,
                    .data = {.samples = labelled_samples(model_, 60)},
                    .model_sha256 = "m",
                    .identity = "d"};
  Engine engine_ = onnx_runtime();
};

constexpr auto grid = R"("rows": [{"name": "4", "weight_bits": 4}, {"name": "3", "weight_bits": 3}],
    "columns": [{"name": "none"}, {"name": "mse", "weight_clip": "mse"},
                {"name": "best", "best_of": ["none", "mse"], "expand_ratio": 0.3}])";

TEST_F(SweepTest, GivesWhatQuantizingAndEvaluatingGive) {
  const SweepSpec grid_spec = spec(grid);
  const SweepResult result = sweep(grid_spec);
  EXPECT_EQ(result.reference.top1, 100.0);
  EXPECT_EQ(result.computed, 7U);
  std::set<double> seen;
  for (std::size_t row = 0; row < 2; ++row) {
    for (std::size_t column = 0; column < 3; ++column) {
      const SweepCell& cell = result.cells[row][column];
      const SweepEntry* best =
          cell.best.empty() ? nullptr : &grid_spec.columns[column_named(grid_spec, cell.best)];
      const Recipe recipe =
          recipe_of_cell(grid_spec, grid_spec.rows[row], grid_spec.columns[column], best);
      const Quantized alone = quantize(text_model(network), &calib_, recipe, engine_, {});
      const Accuracy accuracy = measure_accuracy(engine_(alone.model, {}), *input_.data.samples);
      EXPECT_EQ(cell.result.top1, accuracy.top1_percent());
      EXPECT_EQ(cell.result.top5, accuracy.top5_percent());
      EXPECT_EQ(cell.result.items, 60.0);
      EXPECT_EQ(cell.result.sqnr_db, alone.report.outputs.at(0).sqnr_db);
      EXPECT_EQ(cell.result.agreement, alone.report.agreement_percent);
      EXPECT_DOUBLE_EQ(*cell.result.macs, static_cast<double>(alone.report.macs_after) /
                                              static_cast<double>(alone.report.macs_before));
      seen.insert(*cell.result.sqnr_db);
    }
  }
  EXPECT_EQ(seen.size(), 6U);  // the settings did arrive
  // 48 and 64 weights behind the first Conv, which stays float; 3 copies of each 8 channels.
  EXPECT_DOUBLE_EQ(*result.cells[0][2].result.weights, 1.0 + 3.0 / 8.0);
}

TEST_F(SweepTest, TakesTheBestColumnOfEachRow) {
  const SweepResult result = sweep(spec(grid));
  for (const auto& row : result.cells) {
    const bool mse = *row[1].result.top1 > *row[0].result.top1;
    EXPECT_EQ(row[2].best, mse ? "mse" : "none");
  }
}

TEST_F(SweepTest, ComputesAPointOnce) {
  (void)sweep(spec(grid));
  EXPECT_EQ(sweep(spec(grid)).computed, 0U);
  const SweepResult more = sweep(spec(
      R"("rows": [{"name": "new", "weight_bits": 5}, {"name": "three", "weight_bits": 3}, {"name": "again", "weight_bits": 3}],
         "columns": [{"name": "MSE", "weight_clip": "mse"}])"));
  EXPECT_EQ(more.computed, 1U);
  EXPECT_EQ(more.cells[1][0].result, more.cells[2][0].result);
}

TEST_F(SweepTest, TellsWhichPointsAnotherBuildComputed) {
  std::vector<std::string> notes;
  const SweepOptions options{.jobs = 1,
                             .note = [&](const std::string& text) { notes.push_back(text); }};
  const auto run = [&] {
    return run_sweep(spec(grid), input_, folder_.path(), engine_, options).computed;
  };
  (void)run();
  (void)run();
  EXPECT_EQ(notes, std::vector<std::string>{});
  // The second line, that of the float model.
  const std::filesystem::path journal = folder_ / "journal.jsonl";
  std::string text = bytes_of(journal);
  const std::size_t place = text.find(running_build(), text.find('\n'));
  ASSERT_NE(place, std::string::npos);
  text.replace(place, running_build().size(), "0123456789abcdef");
  write_bytes(journal, text);
  EXPECT_EQ(run(), 0U);
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_THAT(notes[0], HasSubstr("1 of the points that are shown were computed by another build"));
}

TEST_F(SweepTest, GoesOnAfterAnError) {
  int opened = 0;
  engine_ = [&](const Model& model, const EngineOptions& options) {
    if (++opened == 12) throw_engine("out of order");
    return onnx_runtime()(model, options);
  };
  EXPECT_THAT([&] { (void)sweep(spec(grid)); }, ThrowsMessage<Error>(HasSubstr(": out of order")));
  engine_ = onnx_runtime();
  const SweepResult result = sweep(spec(grid));
  EXPECT_LT(result.computed, 7U);  // at least the float model was there
  EXPECT_GT(result.computed, 0U);
}

TEST_F(SweepTest, CalibratesOnceForAllRuns) {
  std::atomic<int> loads = 0;
  calib_.load = [&](std::size_t i) {
    ++loads;
    return random_sample(i);
  };
  const auto count = [&](const std::string& text) {
    loads = 0;
    (void)sweep(spec(R"("columns": [{"name": "c", "measure_count": 0}], )" + text));
    return loads.load();
  };
  EXPECT_EQ(count(R"("rows": [{"name": "4", "weight_bits": 4}, {"name": "5", "weight_bits": 5}])"),
            8);
  EXPECT_EQ(count(R"("rows": [{"name": "6", "weight_bits": 6}])"), 0);  // from the file
  EXPECT_EQ(count(R"("rows": [{"name": "f", "calib_count": 4}])"), 4);
}

TEST_F(SweepTest, GivesTheSameWithSeveralJobs) {
  const SweepSpec grid_spec = spec(grid);
  const std::string alone = to_markdown(grid_spec, sweep(grid_spec, 1), nullptr);
  std::filesystem::remove(folder_ / "journal.jsonl");
  EXPECT_EQ(to_markdown(grid_spec, sweep(grid_spec, 3), nullptr), alone);
}

TEST_F(SweepTest, NeedsCalibrationWhereActivationsAreQuantized) {
  input_.calib = nullptr;
  EXPECT_THAT([&] { (void)sweep(spec(R"("rows": [{"name": "a"}])")); },
              ThrowsMessage<Error>(HasSubstr("a: quantizing activations needs data")));
  const SweepResult result = sweep(spec(R"("rows": [{"name": "a", "act_bits": "float"}])"));
  EXPECT_TRUE(result.cells[0][0].result.top1);
  EXPECT_FALSE(result.cells[0][0].result.sqnr_db);
}

TEST_F(SweepTest, NeedsNoDataForSizes) {
  input_.data = {};
  const SweepResult result = sweep(spec(R"("rows": [{"name": "a", "expand_ratio": 0.1}])"));
  EXPECT_EQ(result.leading->key, "sqnr_db");
  EXPECT_TRUE(result.cells[0][0].result.sqnr_db);
  EXPECT_DOUBLE_EQ(*result.cells[0][0].result.weights, 1.0 + 1.0 / 8.0);
}

}  // namespace
}  // namespace ocs
