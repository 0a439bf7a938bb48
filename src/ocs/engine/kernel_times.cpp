#include "ocs/engine/kernel_times.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "ocs/core/error.h"
#include "ocs/engine/large_model.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kernel_suffix = "_kernel_time";

struct Span {
  double start = 0.0;  // microseconds
  double end = 0.0;
};

Span span_of(const Json& event) {
  const auto start = value_or(event, "ts", 0.0);
  return {.start = start, .end = start + value_or(event, "dur", 0.0)};
}

std::string name_of(const Json& event) { return value_or(event, "name", std::string()); }

std::vector<Span> runs_of(const Json& profile) {
  std::vector<Span> runs;
  for (const Json& event : profile)
    if (name_of(event) == "model_run") runs.push_back(span_of(event));
  std::ranges::sort(runs, {}, &Span::start);
  return runs;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2.0;
}

// The engine says nothing where it cannot write all of it.
Json read_profile(const fs::path& file) {
  try {
    return read_json(file);
  } catch (const Error&) {
    throw_engine(fmt::format(
        "{}: ONNX Runtime's profile is not whole: is there room in the folder for temporary files?",
        file.string()));
  }
}

struct Event {
  Span span{};
  std::size_t kernel = 0;
  std::size_t run = 0;
  double own = 0.0;  // microseconds, without the events within it
};

// A node with a body takes as long as the nodes of the body together, which have events of their own.
void leave_own_time(std::vector<Event>& events) {
  std::ranges::sort(events, [](const Event& a, const Event& b) {
    return a.span.start != b.span.start ? a.span.start < b.span.start : a.span.end > b.span.end;
  });
  std::vector<Event*> around;
  for (Event& event : events) {
    while (!around.empty() && around.back()->span.end <= event.span.start) around.pop_back();
    if (!around.empty()) around.back()->own -= event.span.end - event.span.start;
    around.push_back(&event);
  }
}

}  // namespace

std::vector<KernelTime> kernel_times(const Json& profile, std::size_t warmup) {
  std::vector<Span> runs = runs_of(profile);
  if (runs.size() <= warmup) throw_engine("ONNX Runtime's profile holds no run");
  runs.erase(runs.begin(), runs.begin() + static_cast<std::ptrdiff_t>(warmup));
  std::vector<KernelTime> kernels;
  std::map<std::string, std::size_t> places;  // by name
  std::vector<Event> events;
  for (const Json& event : profile) {
    std::string name = name_of(event);
    if (!name.ends_with(kernel_suffix)) continue;
    name.erase(name.size() - kernel_suffix.size());
    const Span span = span_of(event);
    const auto run = std::ranges::find_if(
        runs, [&](const Span& each) { return each.start <= span.start && span.start <= each.end; });
    if (run == runs.end()) continue;
    const auto [place, is_new] = places.try_emplace(name, kernels.size());
    if (is_new) {
      const Json arguments = value_or(event, "args", Json::object());
      kernels.push_back({.name = name, .op = value_or(arguments, "op_name", std::string())});
    }
    events.push_back({.span = span,
                      .kernel = place->second,
                      .run = static_cast<std::size_t>(run - runs.begin()),
                      .own = span.end - span.start});
  }
  leave_own_time(events);
  std::vector<std::vector<double>> microseconds(kernels.size(),
                                                std::vector<double>(runs.size(), 0.0));
  for (const Event& event : events) microseconds[event.kernel][event.run] += event.own;
  for (std::size_t i = 0; i < kernels.size(); ++i)
    kernels[i].milliseconds = median(std::move(microseconds[i])) / 1000.0;
  return kernels;
}

std::vector<KernelTime> kernel_times(const Engine& engine, const Model& model,
                                     EngineOptions options, const NamedTensors& inputs,
                                     const Repeats& repeats) {
  const TemporaryFolder folder;
  options.profile_prefix = (folder.path() / "profile").string();
  {
    const RunModel run = engine(model, options);
    for (std::size_t i = 0; i < repeats.warmup + repeats.runs; ++i)
      run.run(inputs, [](std::span<const OutputView>) {});
  }  // the profile is written when the session closes
  for (const auto& entry : fs::directory_iterator(folder.path()))
    return kernel_times(read_profile(entry.path()), repeats.warmup);
  throw_engine(fmt::format("{}: ONNX Runtime wrote no profile there", folder.path().string()));
}

}  // namespace ocs
