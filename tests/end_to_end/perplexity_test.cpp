// The language model on the first tokens of WikiText-2, against figures from a program of its own (Python, ONNX Runtime,
// softmax in double).
#include "ocs/evaluate/perplexity.h"

#include <gtest/gtest.h>

#include "end_to_end/shared_models.h"
#include "ocs/data/text.h"
#include "ocs/engine/onnx_runtime.h"

namespace ocs {
namespace {

TEST(PerplexityOnWikiText2, EqualsAnotherProgram) {
  SKIP_WITHOUT_SHARED_DATA();
  const Model model = shared_model("lstm_wikitext2");
  const std::filesystem::path folder = shared_data() / "wikitext2";
  const Vocabulary vocabulary = read_vocabulary(folder / "vocab.txt");
  const TokenText text = read_text(folder / "test.txt", vocabulary, 6000);
  const RunModel run = onnx_runtime()(model, {.intra_op_threads = 2});
  const Perplexity found = measure_perplexity(run, match_ports({}, run.inputs, run.outputs),
                                              text.ids, vocabulary.ids.size(), {});
  EXPECT_EQ(found.tokens, 5990U);
  EXPECT_NEAR(found.value(), 162.73675, 1e-4);
  // All of the test text has as many tokens as the literature says.
  EXPECT_EQ(read_text(folder / "test.txt", vocabulary, 0).ids.size(), 245569U);
}

}  // namespace
}  // namespace ocs
