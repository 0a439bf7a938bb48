#include "ocs/data/form.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "ocs/core/parallel.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

bool is_wanted(const fs::directory_entry& entry, const std::vector<std::string_view>& extensions) {
  return entry.is_regular_file() && !entry.path().filename().string().starts_with('.') &&
         std::ranges::find(extensions, lower_extension(entry.path())) != extensions.end();
}

template <typename Iterator>
std::vector<NamedFile> wanted_files(Iterator entries, const fs::path& folder,
                                    const std::vector<std::string_view>& extensions) {
  std::vector<NamedFile> files;
  for (const fs::directory_entry& entry : entries) {
    if (!is_wanted(entry, extensions)) continue;
    files.push_back(
        {.name = entry.path().lexically_relative(folder).generic_string(), .path = entry.path()});
  }
  std::ranges::sort(files, {}, &NamedFile::name);
  return files;
}

// Values of the tensors behind each other; all have the type of the first.
Values joined(const std::vector<const Tensor*>& parts) {
  return std::visit(
      [&](const auto& first) -> Values {
        auto all = first;
        for (std::size_t i = 1; i < parts.size(); ++i) {
          const auto values = parts[i]->as<typename std::decay_t<decltype(first)>::value_type>();
          all.insert(all.end(), values.begin(), values.end());
        }
        return all;
      },
      parts.front()->values);
}

Sample join(const std::vector<Sample>& items) {
  Sample sample{.name = items.front().name};
  for (const auto& [name, first] : items.front().inputs) {
    std::vector<const Tensor*> parts;
    for (const Sample& item : items) parts.push_back(&item.inputs.at(name));
    Shape shape = first.shape;
    shape.at(0) *= static_cast<std::int64_t>(items.size());
    for (const Tensor* part : parts) {
      if (part->shape != first.shape) {
        throw_bad_input(fmt::format("{}: the items of one batch have the shapes {} and {}",
                                    sample.name, to_string(first.shape), to_string(part->shape)));
      }
    }
    sample.inputs[name] = {.shape = shape, .values = joined(parts)};
  }
  for (const Sample& item : items)
    sample.labels.insert(sample.labels.end(), item.labels.begin(), item.labels.end());
  return sample;
}

// Which file, and which sample of it.
struct Place {
  std::size_t file = 0;
  std::size_t sample = 0;
};

}  // namespace

Samples samples_of(std::vector<SampleFile> files, const std::vector<NamedFile>& left_out,
                   const LabelTable& table, LoadOne load) {
  std::vector<Place> places;
  std::vector<Labelled> known;
  for (std::size_t f = 0; f < files.size(); ++f) {
    for (std::size_t i = 0; i < files[f].samples; ++i) places.push_back({.file = f, .sample = i});
    known.push_back(
        {.name = files[f].file.name, .items = files[f].samples * files[f].items_per_sample});
  }
  for (const NamedFile& file : left_out)
    known.push_back({.name = file.name, .items = std::nullopt});
  const std::vector<std::vector<int>> labels = match_labels(table, known);
  Samples samples{.count = places.size(), .has_labels = !labels.empty()};
  samples.load = [files = std::move(files), places = std::move(places), labels,
                  load = std::move(load)](std::size_t i) {
    const auto [f, index] = places.at(i);
    const SampleFile& file = files[f];
    const std::string position = file.samples == 1 ? "" : fmt::format("[{}]", index);
    Sample sample = while_doing(file.file.path.string() + position, [&] { return load(f, index); });
    sample.name = file.file.name + position;
    if (!labels.empty()) {
      const auto begin =
          labels[f].begin() + static_cast<std::ptrdiff_t>(index * file.items_per_sample);
      sample.labels.assign(begin, begin + static_cast<std::ptrdiff_t>(file.items_per_sample));
    }
    return sample;
  };
  return samples;
}

void note(const DataOptions& options, const std::string& sentence) {
  if (options.note) options.note(sentence);
}

std::string lower_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  // ASCII only, whatever the locale.
  for (char& c : extension) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return extension;
}

std::vector<NamedFile> files_in(const fs::path& path,
                                const std::vector<std::string_view>& extensions, bool recursive) {
  if (!fs::is_directory(path)) return {{.name = path.filename().string(), .path = path}};
  std::vector<NamedFile> files =
      recursive ? wanted_files(fs::recursive_directory_iterator(path), path, extensions)
                : wanted_files(fs::directory_iterator(path), path, extensions);
  if (files.empty())
    throw_bad_input(
        fmt::format("{}: holds no file {}", path.string(), fmt::join(extensions, ", ")));
  return files;
}

Samples without_bad_items(Samples items, std::size_t wanted, const DataOptions& options) {
  constexpr std::size_t at_once = 256;
  std::vector<std::size_t> good;
  std::optional<Error> first;
  for (std::size_t begin = 0; begin < items.count && (wanted == 0 || good.size() < wanted);
       begin += at_once) {
    std::vector<std::optional<Error>> errors(std::min(at_once, items.count - begin));
    parallel_for(errors.size(), [&](std::size_t i) {
      try {
        (void)items.load(begin + i);
      } catch (const Error& error) {
        if (error.kind() != Error::Kind::bad_input) throw;
        errors[i] = error;
      }
    });
    for (std::size_t i = 0; i < errors.size(); ++i) {
      if (wanted != 0 && good.size() == wanted) break;
      if (!errors[i]) {
        good.push_back(begin + i);
        continue;
      }
      note(options, std::string("left out: ") + errors[i]->what());
      if (!first) first = errors[i];
    }
  }
  if (good.empty() && first)
    throw Error(first->kind(), "no sample can be read; the first: " + std::string(first->what()));
  Samples kept = items;
  kept.count = good.size();
  kept.load = [load = std::move(items.load), good](std::size_t i) { return load(good.at(i)); };
  return kept;
}

Samples in_groups(Samples items, std::size_t group, const DataOptions& options) {
  if (group <= 1) return items;
  if (items.count < group) {
    throw_bad_input(fmt::format("{}: {} samples, the model takes a fixed batch of {}", items.source,
                                items.count, group));
  }
  const std::size_t rest = items.count % group;
  if (rest > 0) {
    note(options,
         fmt::format(
             "left out: the last {} of {} samples do not fill a batch of {}, which the model takes",
             rest, items.count, group));
  }
  Samples grouped = items;
  grouped.count = items.count / group;
  grouped.load = [load = std::move(items.load), group](std::size_t i) {
    std::vector<Sample> parts;
    for (std::size_t k = 0; k < group; ++k) parts.push_back(load(i * group + k));
    return join(parts);
  };
  return grouped;
}

}  // namespace ocs
