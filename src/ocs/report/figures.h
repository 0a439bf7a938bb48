// Figures as people read them, for summaries and tables. Every text is short and the same in every
// locale.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ocs {

[[nodiscard]] std::string bytes_text(std::int64_t bytes);  // "812 B", "24.6 MB" (powers of 1000)
[[nodiscard]] std::string count_text(std::int64_t count);  // "950", "3.86 G"
[[nodiscard]] std::string db_text(
    std::optional<double>
        db);  // "27.3 dB"; "exact" at the upper limit, "-" without a value or for NaN
[[nodiscard]] std::string percent_text(double part, double whole);  // "25.2%"; "-" where whole is 0
[[nodiscard]] std::string seconds_text(
    double seconds);  // "0.42 s", "12.1 s", "3 min 20 s", "2 h 05 min"
// Text that may stand in HTML, attributes included: & < > " ' are replaced, control characters
// dropped.
[[nodiscard]] std::string html_text(std::string_view text);

}  // namespace ocs
