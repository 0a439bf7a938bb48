#include "ocs/pipeline/round_with_energies.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/engine/onnx_runtime.h"
#include "ocs/pipeline/quantize.h"
#include "support/folder.h"
#include "support/models.h"
#include "support/text_model.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Three blocks, the second with a way around.
constexpr auto network = R"(
  input x float[N, 3, 8, 8];
  init v float[8, 3, 3, 3] random 1 * 0.3; init w float[8, 8, 3, 3] random 2 * 0.2;
  init u float[8, 8, 1, 1] random 3 * 0.3; init f float[5, 8] random 4;
  c1: a = Conv(x, v) {pads = [1, 1, 1, 1]}; r1: b = Relu(a);
  c2: c = Conv(b, w) {pads = [1, 1, 1, 1]}; s: d = Add(b, c); r2: e = Relu(d);
  c3: g = Conv(e, u); r3: h = Relu(g); p: i = GlobalAveragePool(h); k: j = Flatten(i);
  fc: y = Gemm(j, f) {transB = 1};
  output y float[N, 5];
)";

// Integers and biases of all layers; `progress` gets what was said.
std::vector<std::vector<std::int16_t>> rounded(std::int64_t kept_bytes, const Progress& progress,
                                               const RoundingJournal* journal = nullptr) {
  Recipe recipe{.weight_bits = 4};
  recipe.rounding = GptqRounding{.sequential = true, .refine = true};
  const Samples samples = random_samples("x", {1, 3, 8, 8}, 80);
  const Prepared prepared = prepare(text_model(network), recipe, {});
  const CalibrationStats stats =
      collect_statistics(prepared.model, samples, recipe, onnx_runtime(), {}).stats;
  Plan plan = make_plan(prepared.model, &stats, recipe, prepared.unfolded);
  round_with_energies(prepared.model, &stats, recipe, prepared.unfolded, &samples, onnx_runtime(),
                      progress, plan, journal, kept_bytes);
  std::vector<std::vector<std::int16_t>> integers;
  for (const LayerPlan& layer : plan.layers) integers.push_back(layer.stored);
  return integers;
}

TEST(RoundWithEnergies, GoesOnFromKeptValuesToTheSameIntegers) {
  std::size_t kept = 0;
  const auto count_kept = [&](const std::string& what, std::size_t, std::size_t) {
    kept += what == "values of the samples" ? 1U : 0U;
  };
  const auto from_samples = rounded(0, count_kept);
  EXPECT_EQ(kept, 0U);
  const auto from_kept = rounded(default_kept_bytes, count_kept);
  EXPECT_GT(kept, 0U);
  ASSERT_EQ(from_kept.size(), 4U);
  EXPECT_EQ(from_kept, from_samples);
}

class RoundingJournalTest : public testing::Test {
 protected:
  TestFolder folder_{};
  std::filesystem::path checkpoint_ = folder_.path() / "checkpoint";
};

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

// Cut off by what the progress throws, early and late.
TEST_F(RoundingJournalTest, GoesOnToTheSameIntegers) {
  const auto expected = rounded(default_kept_bytes, {});
  std::size_t calls = 0;
  rounded(default_kept_bytes, [&](const std::string&, std::size_t, std::size_t) { ++calls; });
  for (const std::size_t limit : {calls / 3, 2 * calls / 3}) {
    std::size_t heard = 0;
    const auto cut_off = [&](const std::string&, std::size_t, std::size_t) {
      if (++heard > limit) throw_bad_input("cut off");
    };
    {
      const RoundingJournal journal(checkpoint_, "key");
      EXPECT_THROW(rounded(default_kept_bytes, cut_off, &journal), Error);
    }
    EXPECT_GT(files_in(checkpoint_), 1U);
    const RoundingJournal journal(checkpoint_, "key");
    heard = 0;
    const auto count = [&](const std::string&, std::size_t, std::size_t) { ++heard; };
    EXPECT_EQ(rounded(default_kept_bytes, count, &journal), expected);
    EXPECT_LT(heard, calls);  // what was done is not done again
    journal.clear();
    EXPECT_FALSE(std::filesystem::exists(checkpoint_));
  }
}

TEST_F(RoundingJournalTest, RefusesWhatIsOfAnotherRun) {
  { const RoundingJournal journal(checkpoint_, "one"); }
  EXPECT_THAT([&] { const RoundingJournal journal(checkpoint_, "two"); },
              ThrowsMessage<Error>(HasSubstr("is of another model, recipe, data or program")));
  EXPECT_THAT([&] { const RoundingJournal journal(folder_.path(), "one"); },
              ThrowsMessage<Error>(HasSubstr("is not empty, and no checkpoint")));
}

TEST_F(RoundingJournalTest, NamesABrokenFile) {
  const RoundingJournal journal(checkpoint_, "key");
  LayerPlan layer{.node = "conv", .stored = {1, -2, 3}};
  EXPECT_FALSE(journal.restore(layer));
  journal.keep(layer);
  LayerPlan other = layer;
  other.stored = {0, 0, 0};
  EXPECT_TRUE(journal.restore(other));
  EXPECT_EQ(other.stored, layer.stored);
  other.stored.push_back(0);
  EXPECT_THAT([&] { static_cast<void>(journal.restore(other)); },
              ThrowsMessage<Error>(HasSubstr("another number of weights than 'conv' has")));
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(checkpoint_))
    if (entry.path().extension() == ".rounded") file = entry.path();
  std::ifstream in(file, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  for (const std::size_t at : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    for (const std::string& damaged : {changed, whole.substr(0, at)}) {
      std::ofstream(file, std::ios::binary) << damaged;
      EXPECT_THAT([&] { static_cast<void>(journal.restore(layer)); },
                  ThrowsMessage<Error>(HasSubstr(".rounded: is damaged: remove it")));
    }
  }
}

}  // namespace
}  // namespace ocs
