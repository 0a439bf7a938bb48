// A text file that names images or arrays, one a line, with an optional label behind the name.
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "ocs/data/form.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

struct Entry {
  NamedFile file{};
  std::optional<int> label{};
};

Entry read_entry(const std::string& line, const fs::path& folder) {
  // A name may end in a number behind a space: what is there as a whole is a name.
  if (fs::exists(folder / line)) return {.file = {.name = line, .path = folder / line}};
  const auto space = line.find_last_of(" \t");
  if (space != std::string::npos) {
    const std::string name = line.substr(0, line.find_last_not_of(" \t", space) + 1);
    const std::optional<int> label = label_from(std::string_view(line).substr(space + 1));
    if (label && fs::exists(folder / name))
      return {.file = {.name = name, .path = folder / name}, .label = label};
  }
  throw_bad_input(fmt::format("there is no file '{}'", line));
}

std::vector<Entry> read_list(const fs::path& file) {
  std::ifstream stream(file);
  if (!stream) throw_bad_input(file.string() + ": cannot be read");
  std::vector<Entry> entries;
  std::set<std::string> seen;
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    if (line.empty()) continue;
    while_doing(fmt::format("{}, line {}", file.string(), number), [&] {
      const Entry entry = read_entry(line, file.parent_path());
      if (!entries.empty() && entry.label.has_value() != entries.front().label.has_value()) {
        throw_bad_input("some lines have a label and some have none");
      }
      if (!seen.insert(entry.file.name).second)
        throw_bad_input("'" + entry.file.name + "' is listed twice");
      entries.push_back(entry);
    });
  }
  if (entries.empty()) throw_bad_input(file.string() + ": the list is empty");
  return entries;
}

LabelTable labels_of(const std::vector<Entry>& entries, const FormRequest& request) {
  if (!entries.front().label) return read_labels(request.options.labels);
  if (!request.options.labels.empty()) {
    throw_bad_input(fmt::format("{}: the list has labels, and there is a file of labels too ({})",
                                request.path.string(), request.options.labels.string()));
  }
  LabelTable table{.file = request.path};
  for (const Entry& entry : entries)
    table.by_name[entry.file.name].push_back({.label = *entry.label});
  return table;
}

}  // namespace

OpenedForm open_list(const FormRequest& request) {
  const std::vector<Entry> entries = read_list(request.path);
  const LabelTable table = labels_of(entries, request);
  std::vector<NamedFile> files;
  std::size_t arrays = 0;
  for (const Entry& entry : entries) {
    const std::string extension = lower_extension(entry.file.path);
    if (extension == ".npy" || extension == ".npz") ++arrays;
    files.push_back(entry.file);
  }
  if (arrays == files.size()) return arrays_of(files, table, request);
  if (arrays > 0)
    throw_bad_input(request.path.string() +
                    ": the list names images and arrays; it must be one of them");
  return images_of(files, table, request);
}

}  // namespace ocs
