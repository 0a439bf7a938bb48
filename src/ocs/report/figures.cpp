#include "ocs/report/figures.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "ocs/report/signal_to_noise.h"

namespace ocs {
namespace {

// Three significant digits with a unit of its own power of 1000.
std::string scaled(double value, std::string_view unit) {
  constexpr std::array<std::string_view, 6> prefixes{"", "k", "M", "G", "T", "P"};
  std::size_t power = 0;
  while (value >= 999.5 && power + 1 < prefixes.size()) {
    value /= 1000.0;
    ++power;
  }
  const int decimals = power == 0 || value >= 99.95 ? 0 : (value >= 9.995 ? 1 : 2);
  const std::string text = fmt::format("{:.{}f} {}{}", value, decimals, prefixes[power], unit);
  return text.ends_with(' ') ? text.substr(0, text.size() - 1) : text;
}

}  // namespace

std::string bytes_text(std::int64_t bytes) { return scaled(static_cast<double>(bytes), "B"); }

std::string count_text(std::int64_t count) { return scaled(static_cast<double>(count), ""); }

std::string db_text(std::optional<double> db) {
  if (!db || std::isnan(*db)) return "-";
  if (*db >= SignalToNoise::limit_db) return "exact";
  return fmt::format("{:.1f} dB", *db);
}

std::string percent_text(double part, double whole) {
  if (whole == 0.0) return "-";
  return fmt::format("{:.1f}%", 100.0 * part / whole);
}

std::string seconds_text(double seconds) {
  if (seconds < 10.0) return fmt::format("{:.2f} s", seconds);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = std::llround(seconds);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string html_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20U || c == '\n' || c == '\t') result += c;
    }
  }
  return result;
}

}  // namespace ocs
