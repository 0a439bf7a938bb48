#include "cli/program.h"

#include <array>
#include <new>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/console.h"
#include "cli/options.h"
#include "ocs/core/json.h"
#include "ocs/core/parallel.h"

namespace ocs::cli {
namespace {

using testing::HasSubstr;

// A command that does what its one argument says.
Run add_example(CLI::App& app) {
  auto act = std::make_shared<std::string>();
  add_file(app, "ACT", "what to do", *act);
  return [act](Console& console) {
    if (*act == "bad") throw_bad_input("a.onnx: is empty");
    if (*act == "unsupported") throw_unsupported("no rule");
    if (*act == "engine") throw_engine("refused");
    if (*act == "bug") throw_internal("a size");
    if (*act == "memory") throw std::bad_alloc();
    if (*act == "foreign") throw std::out_of_range("map::at");
    if (*act == "odd")
      throw 7;  // NOLINT(hicpp-exception-baseclass): what a foreign library might do
    if (*act == "check") return exit_check_failed;
    if (*act == "note") console.note("noted");
    console.answer("threads " + std::to_string(thread_count()) + "\n");
    return exit_done;
  };
}

constinit const Command example{.name = "example",
                                .summary = "An example",
                                .examples = "  ocs example x\n",
                                .add = add_example};

struct Outcome {
  int code = 0;
  std::string out{};
  std::string err{};
};

Outcome run(const std::vector<std::string>& words) {
  static constexpr std::array commands{&example};
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Outcome outcome;
  outcome.code = run_program(commands, words);
  outcome.out = testing::internal::GetCapturedStdout();
  outcome.err = testing::internal::GetCapturedStderr();
  return outcome;
}

void expect(const Outcome& outcome, int code, const std::string& err) {
  EXPECT_EQ(outcome.code, code);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, err);
}

TEST(Program, TurnsEachKindOfErrorIntoItsCode) {
  expect(run({"example", "bad"}), 2, "ocs: a.onnx: is empty\n");
  expect(run({"example", "unsupported"}), 3, "ocs: no rule\n");
  expect(run({"example", "engine"}), 4, "ocs: refused\n");
  expect(run({"example", "bug"}), 70, "ocs: internal error: a size\n");
  expect(run({"example", "memory"}), 70, "ocs: out of memory\n");
  expect(run({"example", "foreign"}), 70, "ocs: internal error: map::at\n");
  expect(run({"example", "odd"}), 70, "ocs: internal error of an unknown kind\n");
  expect(run({"example", "check"}), 1, "");
}

TEST(Program, AnswersErrorsInJsonToo) {
  const Outcome outcome = run({"example", "bad", "--json"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "ocs: a.onnx: is empty\n");
  const Json json = parse_json(outcome.out, "answer");
  EXPECT_EQ(json["error"], "a.onnx: is empty");
  EXPECT_EQ(json["code"], 2);
  EXPECT_EQ(parse_json(run({"--json", "nonsense"}).out, "answer")["code"], 2);
}

TEST(Program, RefusesUnknownCommandsAndOptionsWithASuggestion) {
  expect(run({"exampel", "x"}), 2,
         "ocs: no command named 'exampel' (did you mean 'example'?); see ocs --help\n");
  expect(run({"example", "x", "--thread", "2"}), 2,
         "ocs: example: no option --thread (did you mean '--threads'?); see ocs example --help\n");
  expect(run({"example", "x", "y"}), 2,
         "ocs: example: 'y' is one argument too many; see ocs example --help\n");
  expect(run({"example", "x", "--threads", "two"}), 2,
         "ocs: --threads: 'two' is not a whole number\n");
}

TEST(Program, AsksForWhatIsMissing) {
  EXPECT_EQ(run({"example"}).code, 2);
  EXPECT_THAT(run({"example"}).err, HasSubstr("ACT is required"));
  EXPECT_EQ(run({}).code, 2);
  EXPECT_THAT(run({}).err, HasSubstr("which command?"));
}

TEST(Program, HelpsOnStdout) {
  const Outcome whole = run({"--help"});
  EXPECT_EQ(whole.code, 0);
  EXPECT_THAT(whole.out, HasSubstr("An example"));
  const Outcome one = run({"example", "--help"});
  EXPECT_EQ(one.code, 0);
  EXPECT_THAT(one.out, HasSubstr("--threads N"));
  EXPECT_THAT(one.out, HasSubstr("Examples:\n  ocs example x\n"));
  EXPECT_EQ(one.err, "");
}

TEST(Program, TellsItsVersionAndTheEngines) {
  EXPECT_THAT(run({"--version"}).out, testing::StartsWith("ocs 0."));
  const Json json = parse_json(run({"--version", "--json"}).out, "answer");
  EXPECT_EQ(json["engine"]["name"], "ONNX Runtime");
  EXPECT_TRUE(json["instruction_sets"].is_array());
}

TEST(Program, LimitsTheThreads) {
  EXPECT_EQ(run({"example", "x", "--threads", "1"}).out, "threads 1\n");
  EXPECT_EQ(run({"example", "x", "-j", "3"}).out, "threads 3\n");
}

TEST(Program, KeepsNotesToItselfWhenQuiet) {
  EXPECT_EQ(run({"example", "note"}).err, "noted\n");
  EXPECT_EQ(run({"example", "note", "--quiet"}).err, "");
}

}  // namespace
}  // namespace ocs::cli
