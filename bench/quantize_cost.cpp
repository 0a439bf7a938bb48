// What quantizing a model costs beside running it: time and peak memory of `ocs quantize` over a
// number of samples, decoding, planning and writing included, and of plain float inference of the
// same samples (decoded before the clock starts, one session, batch 1, two threads inside a run).
//
//   quantize_cost OCS MODEL.onnx DATA [COUNT] [OPTION of ocs quantize ...]
//
// Each runs in a process of its own, in turn, three times; medians of the times and the largest
// peaks are shown. Processor seconds (of all threads, the engine's waiting ones included) tell more
// than seconds on a machine that others use. A sample is decoded right before it runs, outside the clock, so that the peak of
// inference is the engine's own and does not grow with the number of samples.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ocs/core/error.h"
#include "ocs/data/open_samples.h"
#include "ocs/data/preprocess.h"
#include "ocs/engine/onnx_runtime.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double processor_seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

struct Cost {
  double seconds = 0.0;
  double processor_seconds = 0.0;
  double peak_mb = 0.0;
};

// Runs a program to its end; its answer, if any, is thrown away.
Cost cost_of(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1, 0);
  const auto start = Clock::now();
  pid_t child = 0;
  const int failed =
      posix_spawn(&child, words.front().c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) ocs::throw_engine(words.front() + ": cannot be started");
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    ocs::throw_engine(fmt::format("{} {}: failed", words.at(0), words.at(1)));
  return {.seconds = seconds_since(start),
          .processor_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime),
          .peak_mb = static_cast<double>(usage.ru_maxrss) * 1024.0 / 1e6};
}

ocs::Samples samples_for(const std::string& model, const std::vector<ocs::Port>& inputs,
                         const std::string& data, std::size_t count) {
  ocs::DataOptions options;
  options.preprocess = ocs::find_sidecar(model);
  options.count_limit = count;
  return ocs::open_samples(data, inputs, options);
}

// Seconds and processor seconds inside the engine alone go to `seconds_file`.
int infer(const std::string& model, const std::string& data, std::size_t count,
          const std::string& seconds_file) {
  const ocs::RunModel run = ocs::open_model_file(
      model, {.intra_op_threads = 2, .config = {{"session.intra_op.allow_spinning", "1"}}});
  const ocs::Samples samples = samples_for(model, run.inputs, data, count);
  double seconds = 0.0;
  double processor_seconds = 0.0;
  for (std::size_t i = 0; i < samples.count; ++i) {
    const ocs::Sample sample = samples.load(i);
    const auto start = Clock::now();
    const double before = processor_seconds_now();
    run.run(sample.inputs, [](std::span<const ocs::OutputView>) {});
    seconds += seconds_since(start);
    processor_seconds += processor_seconds_now() - before;
  }
  std::FILE* const file = std::fopen(seconds_file.c_str(), "w");
  if (file == nullptr) ocs::throw_bad_input(seconds_file + ": cannot be written");
  fmt::print(file, "{} {}\n", seconds, processor_seconds);
  std::fclose(file);
  return EXIT_SUCCESS;
}

void read_seconds(const std::string& file, Cost& cost) {
  std::FILE* const from = std::fopen(file.c_str(), "r");
  std::array<char, 64> text{};
  if (from == nullptr || std::fgets(text.data(), text.size(), from) == nullptr)
    ocs::throw_internal("inference left no time");
  std::fclose(from);
  char* end = nullptr;
  cost.seconds = std::strtod(text.data(), &end);
  cost.processor_seconds = std::strtod(end, nullptr);
}

double median(const std::vector<Cost>& costs, double Cost::*member) {
  std::vector<double> values;
  for (const Cost& cost : costs) values.push_back(cost.*member);
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

Cost typical(const std::vector<Cost>& costs) {
  return {.seconds = median(costs, &Cost::seconds),
          .processor_seconds = median(costs, &Cost::processor_seconds),
          .peak_mb = std::ranges::max(costs, {}, &Cost::peak_mb).peak_mb};
}

int compare(const std::string& self, const std::vector<std::string>& words) {
  const std::string& ocs_program = words.at(0);
  const std::string& model = words.at(1);
  const std::string& data = words.at(2);
  const std::string count = words.size() > 3 ? words[3] : "512";
  const auto folder =
      std::filesystem::temp_directory_path() / ("ocs_quantize_cost_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  std::vector<std::string> quantize{
      ocs_program, "quantize",          model,           "--calib", data, "--quiet",
      "-o",        folder / "out.onnx", "--calib-count", count};
  if (words.size() > 4) quantize.insert(quantize.end(), words.begin() + 4, words.end());
  std::vector<Cost> inference;
  std::vector<Cost> ours;
  for (int round = 0; round < 3; ++round) {
    const std::string seconds = folder / "seconds";
    inference.push_back(cost_of({self, "--infer", model, data, count, seconds}));
    read_seconds(seconds, inference.back());
    ours.push_back(cost_of(quantize));
  }
  std::filesystem::remove_all(folder);
  const Cost engine = typical(inference);
  const Cost cost = typical(ours);
  fmt::print("{} samples      seconds  processor seconds  peak MB\n", count);
  const auto print = [](const char* what, const Cost& of) {
    fmt::print("{:16} {:8.2f}  {:17.2f} {:8.0f}\n", what, of.seconds, of.processor_seconds,
               of.peak_mb);
  };
  print("float inference", engine);
  print("ocs quantize", cost);
  fmt::print("{:16} {:8.2f}  {:17.2f} {:+8.0f}\n", "", cost.seconds / engine.seconds,
             cost.processor_seconds / engine.processor_seconds, cost.peak_mb - engine.peak_mb);
  return EXIT_SUCCESS;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const std::span<char*> all(arguments, static_cast<std::size_t>(count));
    const std::vector<std::string> words(all.begin() + 1, all.end());
    if (words.size() == 5 && words.front() == "--infer")
      return infer(words[1], words[2], std::stoul(words[3]), words[4]);
    if (words.size() < 3) {
      fmt::print(stderr, "quantize_cost OCS MODEL.onnx DATA [COUNT] [OPTION ...]\n");
      return EXIT_FAILURE;
    }
    return compare(all.front(), words);
  } catch (const std::exception& exception) {
    fmt::print(stderr, "{}\n", exception.what());
    return EXIT_FAILURE;
  }
}
