#include "ocs/evaluate/language_model.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ocs/core/error.h"
#include "support/folder.h"

namespace ocs {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

const Port ids{.name = "ids", .type = ElementType::int64, .shape = {-1, -1}};
Port floats(const std::string& name) { return {.name = name, .shape = {1, -1, 4}}; }

const std::vector<Port> usual_inputs{ids, floats("h"), floats("c")};
const std::vector<Port> usual_outputs{floats("y"), floats("h_out"), floats("c_out")};

LanguageModel model_from(const char* text) {
  return language_model_from_json(parse_json(text, "the text"));
}

auto matching(const LanguageModel& given, std::vector<Port> inputs, std::vector<Port> outputs) {
  return [given, inputs = std::move(inputs), outputs = std::move(outputs)] {
    (void)match_ports(given, inputs, outputs);
  };
}

TEST(MatchPorts, FindsIdsByTypeStatesByNameAndLogitsByWhatIsLeft) {
  const LanguageModel found = match_ports({}, usual_inputs, usual_outputs);
  EXPECT_EQ(found.ids, "ids");
  EXPECT_EQ(found.logits, "y");
  EXPECT_EQ(found.states, (std::vector<CarriedState>{{"h", "h_out"}, {"c", "c_out"}}));
  EXPECT_FALSE(found.is_batch_first);
  EXPECT_TRUE(match_ports({}, {ids}, {floats("y")}).states.empty()) << "a model without states";
}

TEST(MatchPorts, KeepsWhatIsGiven) {
  const LanguageModel given =
      model_from(R"({"logits": "scores", "states": {"h": "next"}, "layout": "batch-time"})");
  const std::vector<Port> outputs{floats("next"), floats("hidden"), floats("scores")};
  const LanguageModel found = match_ports(given, {ids, floats("h")}, outputs);
  EXPECT_EQ(
      found,
      (LanguageModel{
          .ids = "ids", .logits = "scores", .states = {{"h", "next"}}, .is_batch_first = true}));
  EXPECT_EQ(language_model_from_json(to_json(found)), found);
}

TEST(MatchPorts, NamesWhatIsNotThere) {
  EXPECT_THAT(matching({}, {floats("x")}, usual_outputs),
              ThrowsMessage<Error>("none of the model's inputs (x) takes ids: integers"));
  Port mask = ids;
  mask.name = "mask";
  EXPECT_THAT(matching({}, {ids, mask}, {floats("y")}),
              ThrowsMessage<Error>(HasSubstr("2 inputs of the model take integers (ids, mask)")));
  EXPECT_THAT(matching({.ids = "ids"}, {ids, mask}, {floats("y")}),
              ThrowsMessage<Error>(HasSubstr("the input 'mask' is no state")));
  EXPECT_THAT(matching({}, usual_inputs, {floats("y"), floats("h_out")}),
              ThrowsMessage<Error>(
                  HasSubstr("the input 'c' is no state: the model has no output 'c_out'")));
  EXPECT_THAT(
      matching({}, usual_inputs, {floats("y"), floats("z"), floats("h_out"), floats("c_out")}),
      ThrowsMessage<Error>(HasSubstr("2 outputs of the model are no states (y, z)")));
  EXPECT_THAT(matching({}, usual_inputs, {floats("h_out"), floats("c_out")}),
              ThrowsMessage<Error>(HasSubstr("none gives logits")));
  EXPECT_THAT(
      matching({.ids = "idz"}, usual_inputs, usual_outputs),
      ThrowsMessage<Error>("the model has no input 'idz' (did you mean 'ids'?); it has ids, h, c"));
  EXPECT_THAT(matching({.logits = "x"}, usual_inputs, usual_outputs),
              ThrowsMessage<Error>(HasSubstr("the model has no output 'x'")));
  EXPECT_THAT(matching({.states = {{"h", "h_out"}}}, usual_inputs, {floats("y"), floats("h_out")}),
              ThrowsMessage<Error>("the input 'c' is neither the ids nor one of the states"));
  EXPECT_THAT(matching({.ids = "h"}, usual_inputs, usual_outputs),
              ThrowsMessage<Error>("the input 'h' takes float, ids are int64 or int32"));
  Port flat = ids;
  flat.shape = {-1};
  EXPECT_THAT(matching({}, {flat}, {floats("y")}),
              ThrowsMessage<Error>("the input 'ids' has the shape [?], ids are [time, batch]"));
}

TEST(LanguageModelFromJson, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT([] { (void)model_from(R"({"logit": "y"})"); },
              ThrowsMessage<Error>(HasSubstr("logits")));
  EXPECT_THAT([] { (void)model_from(R"({"layout": "nchw"})"); },
              ThrowsMessage<Error>("layout: 'nchw' is neither time-batch nor batch-time"));
  EXPECT_THAT([] { (void)model_from(R"({"states": ["h"]})"); },
              ThrowsMessage<Error>("states: an object of input: output is needed"));
  EXPECT_THAT([] { (void)model_from(R"({"states": {"h": 1}})"); },
              ThrowsMessage<Error>("states: 'h' needs the name of an output"));
  EXPECT_THAT([] { (void)model_from("[]"); }, ThrowsMessage<Error>(HasSubstr("an object")));
}

TEST(FindLanguageSidecar, ReadsTheFileBesideTheModel) {
  const TestFolder folder;
  EXPECT_EQ(find_language_sidecar(folder / "net.onnx"), std::nullopt);
  write_bytes(folder / "net.language.json", R"({"ids": "tokens"})");
  EXPECT_EQ(find_language_sidecar(folder / "net.onnx"), LanguageModel{.ids = "tokens"});
  write_bytes(folder / "net.language.json", R"({"id": "tokens"})");
  EXPECT_THAT([&] { (void)find_language_sidecar(folder / "net.onnx"); },
              ThrowsMessage<Error>(HasSubstr("net.language.json: ")));
}

}  // namespace
}  // namespace ocs
