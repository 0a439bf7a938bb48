// ocs methods: what this build knows by name.
#include "ocs/core/methods.h"

#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/methods_markdown.h"
#include "cli/options.h"
#include "ocs/clip/clip.h"
#include "ocs/lint/targets.h"
#include "ocs/ops/op.h"
#include "ocs/recipe/recipe.h"
#include "ocs/recipe/recipe_keys.h"
#include "ocs/recipe/target_form.h"
#include "ocs/round/round.h"

namespace ocs::cli {
namespace {

Json names_as_json() {
  return {{"clip", clip_names()},
          {"rounding", rounding_names()},
          {"recipes", built_in_recipe_names()},
          {"operators", linear_op_names()},
          {"targets", target_names()},
          {"lint_targets", lint_target_names()}};
}

std::string described(std::string_view head, const std::vector<MethodText>& methods) {
  std::string text = fmt::format("{}\n", head);
  for (const MethodText& method : methods)
    text += fmt::format("  {:<12} {}\n", method.name, method.help);
  return text;
}

std::string names_as_text() {
  return described("clip methods", describe_methods<Clip>()) +
         described("rounding methods", describe_methods<Rounding>()) +
         fmt::format("recipes\n  {}\n", fmt::join(built_in_recipe_names(), " ")) +
         fmt::format("operators with weights\n  {}\n", fmt::join(linear_op_names(), " ")) +
         fmt::format("targets\n  {}\n", fmt::join(target_names(), " ")) +
         fmt::format("targets of lint\n  {}\n", fmt::join(lint_target_names(), " "));
}

Run add(CLI::App& app) {
  const auto markdown = std::make_shared<bool>(false);
  app.add_flag("--markdown", *markdown, "the tables of docs/recipe.md");
  return [markdown](Console& console) {
    if (console.options().json) {
      console.answer_json(names_as_json());
    } else {
      console.answer(*markdown ? methods_markdown() : names_as_text());
    }
    return exit_done;
  };
}

}  // namespace

constinit const Command methods_command{
    .name = "methods",
    .summary = "List the clip and rounding methods, recipes, operators and targets of this build",
    .examples =
        "  ocs methods\n"
        "  ocs methods --json\n",
    .add = add,
};

}  // namespace ocs::cli
