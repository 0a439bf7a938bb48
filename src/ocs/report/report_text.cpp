#include "ocs/report/report_text.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/report/figures.h"
#include "ocs/report/proof_summary.h"
#include "ocs/report/relative_cost.h"

namespace ocs {
namespace {

constexpr std::size_t names_shown = 3;
constexpr std::size_t worst_shown = 3;

// "conv1, conv2, conv3 and 4 more"
std::string some_of(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), names_shown);
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(shown));
  const std::string text = fmt::format("{}", fmt::join(first, ", "));
  return shown == names.size() ? text : fmt::format("{} and {} more", text, names.size() - shown);
}

std::string line(std::string_view head, std::string_view text) {
  return fmt::format("{:<13} {}\n", head, text);
}

std::string layers_lines(const Report& report) {
  const auto quantized = std::ranges::count(report.layers, true, &LayerReport::quantized);
  const auto in_float = static_cast<std::ptrdiff_t>(report.layers.size()) - quantized;
  std::string text = line("layers", fmt::format("{} quantized, {} float", quantized, in_float));
  for (const FloatReason& group : float_reasons(report)) {
    text += line("", fmt::format("{} float: {} ({})", group.nodes.size(), group.reason,
                                 some_of(group.nodes)));
  }
  return text;
}

std::string copies_line(const Report& report) {
  std::int64_t copies = 0;
  std::map<std::string, int> layers_by_form;
  for (const LayerReport& layer : report.layers) {
    if (layer.copies == 0) continue;
    copies += layer.copies;
    ++layers_by_form[layer.form];
  }
  if (copies == 0) return "";
  std::vector<std::string> forms;
  for (const auto& [form, count] : layers_by_form)
    forms.push_back(fmt::format("{} {}", count, form));
  return line("copies", fmt::format("{} channels copied, layers by form: {}", copies,
                                    fmt::join(forms, ", ")));
}

// What the copies add to the quantized layers, all counted as real: the paper's Table 5.
std::string relative_line(const Report& report) {
  const RelativeCost cost = relative_cost(report.layers);
  const auto grows = [](const std::optional<double>& figure) { return figure && *figure > 1.0; };
  if (!grows(cost.weights) && !grows(cost.activations) && !grows(cost.macs)) return "";
  return line("relative", relative_text(cost) + ", of the quantized layers");
}

std::string macs_line(const Report& report) {
  if (report.macs_before == 0) return "";
  const double before = static_cast<double>(report.macs_before);
  const double extra = static_cast<double>(report.macs_after) - before;
  return line("MACs", fmt::format("{} -> {} (+{})", count_text(report.macs_before),
                                  count_text(report.macs_after), percent_text(extra, before)));
}

// The layers with the least of one figure, worst first.
std::string worst_of(const Report& report, std::optional<double> LayerReport::*figure) {
  std::vector<const LayerReport*> rows;
  for (const LayerReport& layer : report.layers) {
    if (layer.quantized && (layer.*figure) && !std::isnan(*(layer.*figure))) rows.push_back(&layer);
  }
  std::ranges::stable_sort(rows, {}, [&](const LayerReport* row) { return *(row->*figure); });
  if (rows.size() > worst_shown) rows.resize(worst_shown);
  std::vector<std::string> parts;
  for (const LayerReport* row : rows)
    parts.push_back(fmt::format("{} {}", row->name(), db_text(row->*figure)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string quality_lines(const Report& report) {
  std::string text;
  if (const std::string worst = worst_of(report, &LayerReport::predicted_sqnr_db); !worst.empty()) {
    text += line("predicted", "lowest signal-to-noise of the weights: " + worst);
  }
  if (const std::string worst = worst_of(report, &LayerReport::sqnr_db); !worst.empty()) {
    text += line("measured", "lowest signal-to-noise of a layer: " + worst);
  }
  for (std::size_t i = 0; i < std::min(report.outputs.size(), names_shown); ++i) {
    std::string entry =
        fmt::format("{} at output {}", db_text(report.outputs[i].sqnr_db), report.outputs[i].name);
    if (i == 0) {
      entry += fmt::format(" on {} samples", report.measured_samples);
      if (report.agreement_percent && !std::isnan(*report.agreement_percent)) {
        entry += fmt::format(", top-1 agrees on {:.1f}%", *report.agreement_percent);
      }
    }
    text += line("measured", entry);
  }
  return text;
}

std::string proofs_line(const Report& report) {
  return report.proofs ? line("proofs", proof_text(*report.proofs)) : "";
}

std::string calibration_line(const Report& report) {
  if (report.calibration_samples == 0) return "";
  return line("calibration", fmt::format("{} {}samples in {}", report.calibration_samples,
                                         report.synthetic ? "made-up " : "",
                                         seconds_text(report.calibration_seconds)));
}

}  // namespace

std::vector<FloatReason> float_reasons(const Report& report) {
  std::vector<FloatReason> groups;
  for (const LayerReport& layer : report.layers) {
    if (layer.quantized) continue;
    auto group = std::ranges::find(groups, layer.reason, &FloatReason::reason);
    if (group == groups.end()) group = groups.insert(groups.end(), {.reason = layer.reason});
    group->nodes.push_back(layer.name());
  }
  std::ranges::stable_sort(groups, std::greater{},
                           [](const FloatReason& group) { return group.nodes.size(); });
  return groups;
}

std::string summary(const Report& report) {
  const double before = static_cast<double>(report.size_before);
  std::string text = line("model", fmt::format("{} -> {}", report.model, report.output));
  text += line("recipe", report.recipe.name);
  text += layers_lines(report);
  text += copies_line(report);
  text += relative_line(report);
  text += line("size", fmt::format("{} -> {} ({})", bytes_text(report.size_before),
                                   bytes_text(report.size_after),
                                   percent_text(static_cast<double>(report.size_after), before)));
  text += macs_line(report);
  text += proofs_line(report);
  text += quality_lines(report);
  text += calibration_line(report);
  text += line("time", seconds_text(report.seconds));
  if (!report.output_sha256.empty()) text += line("sha256", report.output_sha256);
  return text;
}

}  // namespace ocs
