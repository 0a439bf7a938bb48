#include <fmt/format.h>

#include "networks/structures.h"

namespace ocs::networks {
namespace {

constexpr std::int64_t growth = 32;
constexpr std::int64_t bottleneck = 4 * growth;

Value dense_layer(Layers& layers, const std::string& name, const Value& x) {
  Value y = layers.relu(layers.batch_norm(name + ".norm1", x));
  y = layers.conv(name + ".conv1", y, bottleneck, square(1));
  y = layers.relu(layers.batch_norm(name + ".norm2", y));
  return layers.conv(name + ".conv2", y, growth, square(3, 1, 1));
}

}  // namespace

void densenet121(Layers& layers, std::int64_t) {
  const std::vector<int> blocks{6, 12, 24, 16};
  Value x = layers.conv("features.conv0", layers.image(), 64, square(7, 2, 3));
  x = layers.relu(layers.batch_norm("features.norm0", x));
  x = layers.max_pool(x, square(3, 2, 1));
  std::int64_t channels = 64;  // at width 1
  for (std::size_t block = 1; block <= blocks.size(); ++block) {
    for (int layer = 1; layer <= blocks[block - 1]; ++layer) {
      const Value more =
          dense_layer(layers, fmt::format("features.denseblock{}.denselayer{}", block, layer), x);
      x = layers.concat({x, more});
      channels += growth;
    }
    if (block == blocks.size()) break;
    channels /= 2;
    const std::string name = fmt::format("features.transition{}", block);
    x = layers.relu(layers.batch_norm(name + ".norm", x));
    x = layers.average_pool(layers.conv(name + ".conv", x, channels, square(1)), square(2, 2));
  }
  x = layers.relu(layers.batch_norm("features.norm5", x));
  layers.classifier("classifier", layers.flatten(layers.global_average_pool(x)));
}

}  // namespace ocs::networks
