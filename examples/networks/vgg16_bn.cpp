#include <fmt/format.h>

#include "networks/structures.h"

namespace ocs::networks {

void vgg16_bn(Layers& layers, std::int64_t resolution) {
  const std::vector<std::vector<std::int64_t>> blocks{
      {64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}};
  Value x = layers.image();
  int place = 0;  // in torchvision's list of features: Conv, BatchNormalization, Relu; a pool
  for (const std::vector<std::int64_t>& block : blocks) {
    for (const std::int64_t channels : block) {
      x = layers.conv(fmt::format("features.{}", place), x, channels, square(3, 1, 1), true);
      x = layers.relu(layers.batch_norm(fmt::format("features.{}", place + 1), x));
      place += 3;
    }
    x = layers.max_pool(x, square(2, 2));
    ++place;
  }
  const std::int64_t side = resolution / 32;
  x = layers.flatten(x, side * side);
  x = layers.relu(layers.fully_connected("classifier.0", x, 4096));
  x = layers.relu(layers.fully_connected("classifier.3", x, 4096));
  layers.classifier("classifier.6", x);
}

}  // namespace ocs::networks
