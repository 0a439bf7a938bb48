#include "cli/program.h"

#include <algorithm>
#include <exception>
#include <map>
#include <new>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/console.h"
#include "cli/help_format.h"
#include "cli/options.h"
#include "cli/team.h"
#include "cli/version_answer.h"
#include "ocs/core/closest.h"
#include "ocs/core/parallel.h"

namespace ocs::cli {
namespace {

constexpr int usage_error = 2;
constexpr int internal_error = 70;

// The words of one command line, on their way through CLI11.
class Program {
 public:
  explicit Program(std::span<const Command* const> commands) : commands_(commands) {
    app_.name("ocs");
    app_.description("Quantizes ONNX models after training, with outlier channel splitting.");
    app_.formatter(help_format());
    app_.get_formatter()->column_width(16);
    app_.footer(
        "Run ocs COMMAND --help for the options of a command. Exit codes: 0 done, 1 a check that "
        "was asked for\n"
        "failed, 2 wrong input, 3 unsupported model, 4 engine failure, 70 a bug of ocs.");
    app_.add_flag("--version", version_,
                  "print the versions of ocs and of its engine, and the instruction sets found");
    app_.add_flag("--json", common_.json, "answer with one JSON object");
    for (const Command* command : commands) add(*command);
  }

  int run(const std::vector<std::string>& words);

 private:
  void add(const Command& command) {
    CLI::App* sub = app_.add_subcommand(std::string(command.name), std::string(command.summary));
    sub->formatter(help_format());
    sub->footer("Examples:\n" + std::string(command.examples));
    if (command.hidden) sub->group("");
    runs_[sub] = command.add(*sub);
    add_common(*sub, common_);
  }

  // Refused here, since CLI11 would speak of extra arguments.
  void check_command_name(const std::string& word) const {
    std::vector<std::string> known;
    for (const Command* command : commands_) {
      if (command->name == word) return;
      if (!command->hidden) known.emplace_back(command->name);
    }
    throw_bad_input(
        fmt::format("no command named '{}'{}; see ocs --help", word, did_you_mean(word, known)));
  }

  [[nodiscard]] CLI::App& chosen() {
    const std::vector<CLI::App*> subs = app_.get_subcommands();
    return subs.empty() ? app_ : *subs.front();
  }

  std::span<const Command* const> commands_;
  CLI::App app_{};
  CommonOptions common_{};
  bool version_ = false;
  std::map<CLI::App*, Run> runs_{};
};

int Program::run(const std::vector<std::string>& words) {
  const auto command_word =
      std::ranges::find_if(words, [](const std::string& word) { return !word.starts_with("-"); });
  if (command_word != words.end()) check_command_name(*command_word);
  // CLI11 takes the words from the last to the first.
  std::vector<std::string> reversed = with_switches_joined(words);
  std::ranges::reverse(reversed);
  try {
    app_.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    write_answer(chosen().help(&chosen() == &app_ ? "" : "ocs"));
    return exit_done;
  } catch (const CLI::ParseError& error) {
    if (&chosen() == &app_) throw_bad_input(fmt::format("{}; see ocs --help", error.what()));
    throw_bad_input(usage_message(chosen(), error));
  }
  if (version_) {
    answer_version(common_.json);
    return exit_done;
  }
  if (&chosen() == &app_) {
    throw_bad_input("which command?\n\n" + app_.help());
  }
  const ThreadLimit limit(common_.threads);
  Console console(common_);
  return runs_.at(&chosen())(console);
}

}  // namespace

int exit_code_of(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::bad_input:
      return usage_error;
    case Error::Kind::unsupported:
      return 3;
    case Error::Kind::engine:
      return 4;
    case Error::Kind::internal:
      break;
  }
  return internal_error;
}

int run_program(std::span<const Command* const> commands, const std::vector<std::string>& words) {
  const bool json = asks_for_json(words);
  const auto fail = [&](std::string_view message, int code) {
    tell_error(speaker_of_error() + std::string(message), code, json);
    leave_team(code);
    return code;
  };
  try {
    const int code = Program(commands).run(words);
    leave_team(code);
    return code;
  } catch (const Error& error) {
    const int code = exit_code_of(error.kind());
    return fail(
        code == internal_error ? fmt::format("internal error: {}", error.what()) : error.what(),
        code);
  } catch (const std::bad_alloc&) {
    return fail("out of memory", internal_error);
  } catch (const std::exception& error) {
    return fail(fmt::format("internal error: {}", error.what()), internal_error);
  } catch (...) {
    return fail("internal error of an unknown kind", internal_error);
  }
}

}  // namespace ocs::cli
