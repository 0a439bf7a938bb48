#include "ocs/report/report_html.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ocs/recipe/recipe_json.h"
#include "ocs/report/figures.h"
#include "ocs/report/proof_summary.h"
#include "ocs/report/relative_cost.h"
#include "ocs/report/report_text.h"

namespace ocs {
namespace {

constexpr std::string_view page_style = R"(<style>
:root { color-scheme: light dark; --line: #8884; --good: #2a7; --fair: #c80; --poor: #c33; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .6rem; }
dl div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .8rem; }
dt { font-size: .8rem; opacity: .7; } dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .5rem; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th button { all: unset; cursor: pointer; font-weight: 600; } th button:focus-visible { outline: 2px solid; }
td.name { overflow-wrap: anywhere; min-width: 10rem; }
tr.float { opacity: .65; } pre { overflow-x: auto; border: 1px solid var(--line); padding: .8rem; }
.good { fill: var(--good); } .fair { fill: var(--fair); } .poor { fill: var(--poor); }
.warning { border-left: .3rem solid var(--poor); padding: .3rem .8rem; }
</style>
)";

// Sorts the table by the clicked column: numbers by data-v (missing ones last), text otherwise.
constexpr std::string_view page_script = R"(<script>
for (const button of document.querySelectorAll('th button')) button.addEventListener('click', () => {
  const head = button.closest('th'), body = head.closest('table').tBodies[0];
  const column = head.cellIndex, down = head.getAttribute('aria-sort') === 'ascending';
  for (const other of head.parentNode.cells) other.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
  const rows = [...body.rows].sort((a, b) => {
    const x = key(a), y = key(b);
    if (x === '' || y === '') return (x === '') - (y === '');
    const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
    return down ? -order : order;
  });
  body.append(...rows);
});
</script>
)";

std::string card(std::string_view name, std::string_view value) {
  return fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, html_text(value));
}

std::string cards(const Report& report) {
  const auto quantized = std::ranges::count(report.layers, true, &LayerReport::quantized);
  std::string html = "<dl>\n";
  html += card("layers quantized", fmt::format("{} of {}", quantized, report.layers.size()));
  html += card("size", fmt::format("{} → {} ({})", bytes_text(report.size_before),
                                   bytes_text(report.size_after),
                                   percent_text(static_cast<double>(report.size_after),
                                                static_cast<double>(report.size_before))));
  if (report.macs_before > 0) {
    const double extra = static_cast<double>(report.macs_after - report.macs_before);
    html += card("multiply-accumulates",
                 fmt::format("{} (+{} by copies)", count_text(report.macs_after),
                             percent_text(extra, static_cast<double>(report.macs_before))));
  }
  html += card("with copies over without", relative_text(relative_cost(report.layers)));
  for (const OutputReport& output : report.outputs) {
    html += card("signal-to-noise at " + html_text(output.name), db_text(output.sqnr_db));
  }
  if (report.agreement_percent && !std::isnan(*report.agreement_percent)) {
    html += card("top-1 agreement with float", fmt::format("{:.1f}%", *report.agreement_percent));
  }
  if (!report.outputs.empty())
    html += card("measured on", fmt::format("{} samples", report.measured_samples));
  if (report.calibration_samples > 0) {
    html += card("calibrated on", fmt::format("{} {}samples", report.calibration_samples,
                                              report.synthetic ? "made-up " : ""));
  }
  if (report.proofs) html += card("proofs", proof_text(*report.proofs));
  html += card("recipe", report.recipe.name);
  html += card("time", seconds_text(report.seconds));
  html += card("versions",
               fmt::format("ocs {}, ONNX Runtime {}", report.ocs_version, report.engine_version));
  if (!report.output_sha256.empty()) html += card("sha256", report.output_sha256);
  return html + "</dl>\n";
}

std::string warnings(const Report& report) {
  if (!report.synthetic) return "";
  return "<p class=\"warning\">The ranges come from made-up data. They say nothing about real "
         "inputs.</p>\n";
}

// A cell with a number, sorted by `value`; an empty one where there is none.
std::string number_cell(std::optional<double> value, std::string_view text) {
  if (!value || std::isnan(*value)) return "<td class=\"n\" data-v=\"\"></td>";
  return fmt::format("<td class=\"n\" data-v=\"{}\">{}</td>", *value, text);
}

// Bars span 0 to 60 dB: beyond that no network notices.
std::string bar_cell(std::optional<double> db) {
  if (!db || std::isnan(*db)) return "<td></td>";
  const double width = std::clamp(*db / 60.0, 0.0, 1.0) * 100.0;
  const std::string_view kind = *db >= 25.0 ? "good" : (*db >= 12.0 ? "fair" : "poor");
  return fmt::format(
      "<td data-v=\"{}\"><svg width=\"104\" height=\"10\" role=\"img\" aria-label=\"{}\"><rect "
      "class=\"{}\" width=\"{:.1f}\" "
      "height=\"10\" rx=\"2\"/></svg></td>",
      *db, db_text(db), kind, width);
}

std::string layer_row(const LayerReport& layer) {
  const auto count = [](std::int64_t n) {
    return n == 0 ? std::optional<double>{} : std::optional(static_cast<double>(n));
  };
  std::string html = layer.quantized ? "<tr>" : "<tr class=\"float\">";
  html += fmt::format("<td class=\"name\">{}</td><td>{}</td>", html_text(layer.name()),
                      html_text(layer.op));
  html += layer.quantized
              ? fmt::format("<td class=\"n\" data-v=\"{0}\">{0}</td>", layer.weight_bits)
              : "<td class=\"n\" data-v=\"32\">float</td>";
  html += layer.act_bits ? fmt::format("<td class=\"n\" data-v=\"{0}\">{0}</td>", *layer.act_bits)
                         : "<td class=\"n\" data-v=\"32\">float</td>";
  html += number_cell(layer.sqnr_db, db_text(layer.sqnr_db)) + bar_cell(layer.sqnr_db);
  html += number_cell(layer.predicted_sqnr_db, db_text(layer.predicted_sqnr_db));
  html += number_cell(count(layer.copies), std::to_string(layer.copies));
  html += fmt::format("<td>{}</td>", html_text(layer.form));
  html += number_cell(count(layer.macs), count_text(layer.macs));
  html += number_cell(count(layer.extra_macs), count_text(layer.extra_macs));
  return html + fmt::format("<td>{}</td></tr>\n", html_text(layer.reason));
}

std::string layer_table(const Report& report) {
  std::string html = "<h2>Layers</h2>\n<table>\n<thead><tr>";
  const auto head = [&](std::string_view text, bool is_number) {
    html += fmt::format("<th{} scope=\"col\"><button>{}</button></th>",
                        is_number ? " class=\"n\"" : "", text);
  };
  head("layer", false);
  head("operator", false);
  head("weight bits", true);
  head("activation bits", true);
  head("measured", true);
  head("0 to 60 dB", false);
  head("predicted", true);
  head("copies", true);
  head("form", false);
  head("MACs", true);
  head("extra MACs", true);
  head("remark", false);
  html += "</tr></thead>\n<tbody>\n";
  for (const LayerReport& layer : report.layers) html += layer_row(layer);
  return html + "</tbody>\n</table>\n";
}

std::string reason_table(const Report& report) {
  const std::vector<FloatReason> groups = float_reasons(report);
  if (groups.empty()) return "";
  std::string html =
      "<h2>Why layers stay float</h2>\n<table>\n<thead><tr><th "
      "class=\"n\">layers</th><th>reason</th><th>which</th></tr></thead>\n<tbody>\n";
  for (const FloatReason& group : groups) {
    html += fmt::format("<tr><td class=\"n\">{}</td><td>{}</td><td class=\"name\">{}</td></tr>\n",
                        group.nodes.size(), html_text(group.reason),
                        html_text(fmt::format("{}", fmt::join(group.nodes, ", "))));
  }
  return html + "</tbody>\n</table>\n";
}

std::string note_list(const Report& report) {
  if (report.notes.empty()) return "";
  std::string html = "<h2>Notes</h2>\n<details><summary>" + std::to_string(report.notes.size()) +
                     " notes</summary>\n<ul>\n";
  for (const Note& note : report.notes) {
    html += note.node.empty() ? fmt::format("<li>{}</li>\n", html_text(note.text))
                              : fmt::format("<li><b>{}</b>: {}</li>\n", html_text(note.node),
                                            html_text(note.text));
  }
  return html + "</ul>\n</details>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  const std::string title = html_text(report.output.empty() ? report.model : report.output);
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  html += fmt::format("<title>{}</title>\n{}</head>\n<body>\n", title, page_style);
  html += fmt::format("<h1>{}</h1>\n<p>made from {} by ocs</p>\n", title, html_text(report.model));
  html += warnings(report) + cards(report) + layer_table(report) + reason_table(report) +
          note_list(report);
  html +=
      fmt::format("<h2>Recipe</h2>\n<pre>{}</pre>\n", html_text(to_text(to_json(report.recipe))));
  return html + std::string(page_script) + "</body>\n</html>\n";
}

}  // namespace ocs
