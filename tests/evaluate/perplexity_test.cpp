#include "ocs/evaluate/perplexity.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/core/random.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

constexpr std::size_t words = 5;

// Logits after reading `id` in state `state`; the state afterwards.
float score(std::int64_t id, float state, std::size_t word) {
  return std::sin(static_cast<float>(id + 1) * static_cast<float>(word + 1)) +
         0.3F * state * static_cast<float>(word);
}
float next_state(std::int64_t id, float state) {
  return 0.5F * state + 0.1F * static_cast<float>(id);
}

// ids [steps, batch] (or [batch, steps]) and s [batch] -> y [steps, batch, words] or the like, s_out [batch].
RunModel fake_model(bool is_batch_first) {
  RunModel model{
      .inputs = {{.name = "ids", .type = ElementType::int64, .shape = {-1, -1}},
                 {.name = "s", .shape = {-1}}},
      .outputs = {{.name = "y", .shape = {-1, -1, words}}, {.name = "s_out", .shape = {-1}}}};
  model.run = [is_batch_first](const NamedTensors& inputs, const Receive& receive) {
    const Tensor& ids = inputs.at("ids");
    const auto batch = static_cast<std::size_t>(ids.shape[is_batch_first ? 0 : 1]);
    const auto steps = static_cast<std::size_t>(ids.shape[is_batch_first ? 1 : 0]);
    Tensor state = inputs.at("s");
    std::vector<float> scores(batch * steps * words);
    for (std::size_t step = 0; step < steps; ++step) {
      for (std::size_t b = 0; b < batch; ++b) {
        const std::size_t at = is_batch_first ? b * steps + step : step * batch + b;
        const std::int64_t id = ids.as<std::int64_t>()[at];
        float& held = state.as<float>()[b];
        for (std::size_t word = 0; word < words; ++word)
          scores[at * words + word] = score(id, held, word);
        held = next_state(id, held);
      }
    }
    const Tensor y{.shape = {ids.shape[0], ids.shape[1], words}, .values = std::move(scores)};
    const std::vector<OutputView> outputs{{.name = "s_out", .tensor = view(state)},
                                          {.name = "y", .tensor = view(y)}};
    receive(outputs);
  };
  return model;
}

// Token by token, stream by stream, softmax as it stands in the book.
Perplexity slow_perplexity(const std::vector<std::int64_t>& ids, std::size_t batch) {
  const std::size_t length = ids.size() / batch;
  Perplexity sum;
  for (std::size_t b = 0; b < batch; ++b) {
    float state = 0.0F;
    for (std::size_t step = 0; step + 1 < length; ++step) {
      const std::int64_t id = ids[b * length + step];
      double whole = 0.0;
      for (std::size_t word = 0; word < words; ++word)
        whole += std::exp(static_cast<double>(score(id, state, word)));
      const auto next = static_cast<std::size_t>(ids[b * length + step + 1]);
      sum.nats -= std::log(std::exp(static_cast<double>(score(id, state, next))) / whole);
      state = next_state(id, state);
      ++sum.tokens;
    }
  }
  return sum;
}

std::vector<std::int64_t> random_ids(std::size_t count) {
  Random random(11);
  std::vector<std::int64_t> ids(count);
  for (std::int64_t& id : ids) id = static_cast<std::int64_t>(random.below(words));
  return ids;
}

const LanguageModel roles{.ids = "ids", .logits = "y", .states = {{"s", "s_out"}}};

TEST(MeasurePerplexity, EqualsTokenByTokenForAnyWindowLayoutAndThreads) {
  const std::vector<std::int64_t> ids = random_ids(203);
  for (const std::size_t batch : {1U, 3U, 10U}) {
    const Perplexity expected = slow_perplexity(ids, batch);
    for (const std::size_t window : {1U, 7U, 35U, 1000U}) {
      for (const bool is_batch_first : {false, true}) {
        for (const std::size_t threads : {1U, 4U}) {
          const ThreadLimit limit(threads);
          LanguageModel layout = roles;
          layout.is_batch_first = is_batch_first;
          const Perplexity found = measure_perplexity(fake_model(is_batch_first), layout, ids,
                                                      words, {.batch = batch, .window = window});
          EXPECT_EQ(found.tokens, expected.tokens);
          EXPECT_NEAR(found.nats, expected.nats, 1e-9 * expected.nats) << batch << " " << window;
        }
      }
    }
  }
}

TEST(MeasurePerplexity, IsTheNumberOfWordsWhereAllAreEquallyLikely) {
  RunModel even = fake_model(false);
  even.run = [](const NamedTensors& inputs, const Receive& receive) {
    const Shape& shape = inputs.at("ids").shape;
    const Tensor y{
        .shape = {shape[0], shape[1], words},
        .values = std::vector<float>(static_cast<std::size_t>(shape[0] * shape[1]) * words, 7.0F)};
    const std::vector<OutputView> outputs{{.name = "y", .tensor = view(y)}};
    receive(outputs);
  };
  EXPECT_NEAR(
      measure_perplexity(even, roles, random_ids(40), words, {.batch = 2, .window = 5}).value(),
      5.0, 1e-12);
  EXPECT_EQ(Perplexity{}.value(), 1.0);
}

TEST(MeasurePerplexity, TellsProgressInTokensOfAStream) {
  std::vector<std::size_t> done;
  (void)measure_perplexity(fake_model(false), roles, random_ids(22), words,
                           {.batch = 2, .window = 4},
                           [&](const std::string&, std::size_t at, std::size_t total) {
                             EXPECT_EQ(total, 10U);
                             done.push_back(at);
                           });
  EXPECT_THAT(done, testing::ElementsAre(4, 8, 10));
}

auto measuring(RunModel model, std::size_t vocabulary = words, std::size_t count = 40) {
  return [model = std::move(model), vocabulary, count] {
    (void)measure_perplexity(model, roles, random_ids(count), vocabulary,
                             {.batch = 4, .window = 5});
  };
}

TEST(MeasurePerplexity, NamesWhatDoesNotFit) {
  EXPECT_THAT(measuring(fake_model(false), words + 1),
              ThrowsMessage<Error>(
                  "the vocabulary has 6 tokens, the logits 'y' of shape [?,?,5] are of 5"));
  RunModel silent = fake_model(false);
  silent.outputs[0].shape.clear();  // the width shows in the first run only
  EXPECT_THAT(measuring(silent, words + 1),
              ThrowsMessage<Error>(
                  "tokens 0 to 4 of each stream: the vocabulary has 6 tokens, the logits 'y' of "
                  "shape [5,4,5] are of 5"));
  EXPECT_THAT(measuring(fake_model(false), words, 7),
              ThrowsMessage<Error>("the text has 7 tokens: too few for 4 streams of at least 2"));
  RunModel free = fake_model(false);
  free.inputs[1].shape = {-1, -1};
  EXPECT_THAT(
      measuring(free),
      ThrowsMessage<Error>("the state 's' has the shape [?,?]: only its batch may be free"));
  RunModel whole = fake_model(false);
  whole.inputs[1].type = ElementType::int8;
  EXPECT_THAT(measuring(whole),
              ThrowsMessage<Error>("the state 's' is of int8; states are float or double"));
}

RunModel with_score(float value) {
  RunModel model = fake_model(false);
  model.run = [value](const NamedTensors& inputs, const Receive& receive) {
    const Shape& shape = inputs.at("ids").shape;
    std::vector<float> scores(static_cast<std::size_t>(shape[0] * shape[1]) * words, 0.0F);
    scores[3] = value;
    const Tensor y{.shape = {shape[0] * shape[1], words}, .values = std::move(scores)};
    const std::vector<OutputView> outputs{{.name = "y", .tensor = view(y)}};
    receive(outputs);
  };
  return model;
}

TEST(MeasurePerplexity, RefusesNan) {
  EXPECT_THAT(measuring(with_score(std::numeric_limits<float>::quiet_NaN())),
              ThrowsMessage<Error>(HasSubstr("the logits 'y' hold NaN or infinity")));
  EXPECT_THAT(measuring(with_score(std::numeric_limits<float>::infinity())),
              ThrowsMessage<Error>(HasSubstr("the logits 'y' hold NaN or infinity")));
}

}  // namespace
}  // namespace ocs
