#include "cli/help_format.h"

#include <sstream>

namespace ocs::cli {
namespace {

constexpr std::size_t column = 28;
constexpr std::size_t line_width = 100;

class HelpFormat : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    std::string head = "  " + make_option_name(option, is_positional) + make_option_opts(option);
    const std::string text = wrapped(make_option_desc(option), line_width - column, column);
    if (text.empty()) return head + "\n";
    if (head.size() + 2 > column) {
      head += "\n" + std::string(column, ' ');
    } else {
      head.resize(column, ' ');
    }
    return head + text + "\n";
  }

  // CLI11 prints the type and the defaults; the description says both where they matter.
  std::string make_option_opts(const CLI::Option* option) const override {
    return option->get_option_text().empty() ? "" : " " + option->get_option_text();
  }
};

}  // namespace

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::istringstream words(text);
  std::string result;
  std::size_t used = 0;
  for (std::string word; words >> word;) {
    if (used > 0 && used + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      used = 0;
    }
    if (used > 0) {
      result += ' ';
      ++used;
    }
    result += word;
    used += word.size();
  }
  return result;
}

std::shared_ptr<CLI::Formatter> help_format() { return std::make_shared<HelpFormat>(); }

}  // namespace ocs::cli
