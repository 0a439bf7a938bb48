#include "cli/options.h"

#include <utility>

namespace ocs::cli {

CLI::Option* add_text(CLI::App& app, const std::string& names, const std::string& metavar,
                      const std::string& help, const std::function<void(const std::string&)>& set) {
  return app.add_option_function<std::string>(names, set, help)->take_last()->option_text(metavar);
}

CLI::Option* add_text(CLI::App& app, const std::string& names, const std::string& metavar,
                      const std::string& help, std::string& value) {
  return add_text(app, names, metavar, help, [&value](const std::string& text) { value = text; });
}

CLI::Option* add_list(CLI::App& app, const std::string& names, const std::string& metavar,
                      const std::string& help, const std::function<void(const std::string&)>& add) {
  const auto add_all = [add = add](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) add(text);
  };
  return app.add_option_function<std::vector<std::string>>(names, add_all, help)
      ->allow_extra_args(false)
      ->option_text(metavar);
}

CLI::Option* add_switch(CLI::App& app, const std::string& names, const std::string& help,
                        const std::function<void(const std::string&)>& set) {
  return add_text(app, names, "on|off", help, set);
}

CLI::Option* add_file(CLI::App& app, const std::string& name, const std::string& help,
                      std::string& value) {
  return app.add_option(name, value, help)->required()->option_text(" ");
}

CLI::Option* add_files(CLI::App& app, const std::string& name, const std::string& help,
                       std::vector<std::string>& values) {
  return app.add_option(name, values, help)->required()->option_text("...");
}

void add_common(CLI::App& app, CommonOptions& options) {
  const std::string group = "Common options";
  app.add_flag("--json", options.json, "answer with one JSON object on stdout; errors too")
      ->group(group);
  app.add_flag("-q,--quiet", options.quiet, "no progress and no notes")->group(group);
  app.add_flag("-v,--verbose", options.verbose, "more notes")->group(group);
  add_number(app, "-j,--threads", "N",
             "threads for all work (default: all cores); no result depends on it", options.threads)
      ->group(group);
}

}  // namespace ocs::cli
