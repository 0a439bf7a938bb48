#include "networks/network.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "networks/structures.h"
#include "ocs/core/closest.h"
#include "ocs/core/error.h"
#include "ocs/core/parallel.h"
#include "ocs/core/random.h"
#include "ocs/graph/verify.h"

namespace ocs::networks {
namespace {

struct Row {
  std::string_view name{};
  std::int64_t resolution = 224;
  std::int64_t least_resolution = 32;
  void (*build)(Layers& layers, std::int64_t resolution) = nullptr;
};
constexpr std::array networks{
    Row{.name = "vgg16_bn", .build = vgg16_bn},
    Row{.name = "densenet121", .build = densenet121},
    Row{.name = "inception_v3", .resolution = 299, .least_resolution = 75, .build = inception_v3},
};

// How many images the statistics are of: small ones leave few positions each in the last layers.
std::int64_t images_of(std::int64_t resolution) {
  constexpr std::int64_t fewest = 4;
  constexpr std::int64_t most = 64;
  constexpr std::int64_t pixels = fewest * 224 * 224;
  return std::clamp(pixels / (resolution * resolution), fewest, most);
}

const Row& row_of(const std::string& name) {
  const auto* const row = std::ranges::find(networks, name, &Row::name);
  if (row == networks.end())
    throw_bad_input(
        fmt::format("no network named '{}'{}", name, did_you_mean(name, network_names())));
  return *row;
}

}  // namespace

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const Row& row : networks) names.emplace_back(row.name);
  return names;
}

std::int64_t resolution_of(const std::string& name, const NetworkOptions& options) {
  const Row& row = row_of(name);
  const std::int64_t resolution = options.resolution == 0 ? row.resolution : options.resolution;
  if (resolution < row.least_resolution)
    throw_bad_input(fmt::format("{} needs a resolution of at least {}, not {}", name,
                                row.least_resolution, resolution));
  return resolution;
}

Model build_network(const std::string& name, const NetworkOptions& options, const Engine& engine) {
  const std::int64_t resolution = resolution_of(name, options);
  const auto build = [&](const NamedTensors* statistics) {
    Layers layers(options, resolution, statistics);
    row_of(name).build(layers, resolution);
    return std::move(layers).finish();
  };
  NamedTensors statistics;
  {
    const Model measuring = build(nullptr);
    const RunModel run = engine(
        measuring, {.intra_op_threads = static_cast<int>(thread_count()), .borrow_weights = true});
    const Shape shape{images_of(resolution), 3, resolution, resolution};
    Random random(options.seed);
    statistics = run_once(
        run, {{"input",
               {.shape = shape,
                .values = random.normals(static_cast<std::size_t>(element_count(shape)))}}});
  }
  Model model = build(&statistics);
  verify(model);
  return model;
}

}  // namespace ocs::networks
