// Holds the pages that describe the program to what the program says.
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.h"
#include "cli/methods_markdown.h"
#include "ocs/lint/acceptance.h"
#include "ocs/lint/rules.h"
#include "ocs/lint/targets.h"
#include "support/folder.h"

namespace ocs::cli {
namespace {

using testing::HasSubstr;

const std::filesystem::path docs = std::filesystem::path(OCS_SOURCE_DIR) / "docs";

TEST(RecipePage, HoldsTheTablesOfThisBuild) {
  const std::string page = bytes_of(docs / "recipe.md");
  if (page.ends_with("\n" + methods_markdown())) return;
  std::istringstream lines(methods_markdown());
  for (std::string line; std::getline(lines, line);) {
    if (page.find("\n" + line + "\n") == std::string::npos)
      ADD_FAILURE() << "docs/recipe.md lacks\n" << line;
  }
  ADD_FAILURE() << "the page must end with what ocs methods --markdown prints";
}

TEST(LintingPage, NamesEveryRuleAndTarget) {
  const std::string page = bytes_of(docs / "linting.md");
  for (const LintRuleRow& row : lint_rules())
    if (row.rule != LintRule::integer_kernel) {
      EXPECT_THAT(page,
                  HasSubstr(fmt::format("\n| `{}` | {} | {} |\n", row.name, row.what, row.fix)));
    }
  for (const std::string& name : lint_target_names())
    EXPECT_THAT(page, HasSubstr("`" + name + "`"));
}

TEST(CommandsPage, NamesEveryCommandAndOption) {
  const std::string page = bytes_of(docs / "commands.md");
  for (const Command* command :
       {&quantize_command, &inspect_command, &evaluate_command, &compare_command, &bench_command,
        &merge_command, &methods_command, &sweep_command, &lint_command}) {
    EXPECT_THAT(page, HasSubstr("\n## ocs " + std::string(command->name) + "\n"));
    CLI::App app;
    const auto run = command->add(app);  // owns what the options write to
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_group().starts_with("Recipe keys") || option->get_lnames().empty())
        continue;  // docs/recipe.md has the keys
      EXPECT_THAT(page, HasSubstr("`--" + option->get_lnames().front()))
          << "of ocs " << command->name;
    }
  }
}

}  // namespace
}  // namespace ocs::cli
