#include "networks/structures.h"

namespace ocs::networks {
namespace {

constexpr Window wide{.width = 7, .pad_width = 3};
constexpr Window tall{.height = 7, .pad_height = 3};
constexpr Window wide3{.width = 3, .pad_width = 1};
constexpr Window tall3{.height = 3, .pad_height = 1};

// A block of layers with a name: torchvision's BasicConv2d below it.
class Block {
 public:
  Block(Layers& layers, std::string name) : layers_(layers), name_(std::move(name)) {}

  Value conv(const std::string& name, const Value& x, std::int64_t channels, const Window& window) {
    const std::string full = name_.empty() ? name : name_ + "." + name;
    const Value y = layers_.conv(full + ".conv", x, channels, window);
    return layers_.relu(layers_.batch_norm(full + ".bn", y, 1e-3F));
  }
  Value pooled(const Value& x, std::int64_t channels) {
    return conv("branch_pool", layers_.average_pool(x, square(3, 1, 1)), channels, square(1));
  }

 private:
  Layers& layers_;
  std::string name_;
};

Value inception_a(Layers& layers, const std::string& name, const Value& x, std::int64_t pooled) {
  Block block(layers, name);
  const Value a = block.conv("branch1x1", x, 64, square(1));
  Value b = block.conv("branch5x5_1", x, 48, square(1));
  b = block.conv("branch5x5_2", b, 64, square(5, 1, 2));
  Value c = block.conv("branch3x3dbl_1", x, 64, square(1));
  c = block.conv("branch3x3dbl_2", c, 96, square(3, 1, 1));
  c = block.conv("branch3x3dbl_3", c, 96, square(3, 1, 1));
  return layers.concat({a, b, c, block.pooled(x, pooled)});
}

Value inception_b(Layers& layers, const std::string& name, const Value& x) {
  Block block(layers, name);
  const Value a = block.conv("branch3x3", x, 384, square(3, 2));
  Value b = block.conv("branch3x3dbl_1", x, 64, square(1));
  b = block.conv("branch3x3dbl_2", b, 96, square(3, 1, 1));
  b = block.conv("branch3x3dbl_3", b, 96, square(3, 2));
  return layers.concat({a, b, layers.max_pool(x, square(3, 2))});
}

Value inception_c(Layers& layers, const std::string& name, const Value& x, std::int64_t channels) {
  Block block(layers, name);
  const Value a = block.conv("branch1x1", x, 192, square(1));
  Value b = block.conv("branch7x7_1", x, channels, square(1));
  b = block.conv("branch7x7_2", b, channels, wide);
  b = block.conv("branch7x7_3", b, 192, tall);
  Value c = block.conv("branch7x7dbl_1", x, channels, square(1));
  c = block.conv("branch7x7dbl_2", c, channels, tall);
  c = block.conv("branch7x7dbl_3", c, channels, wide);
  c = block.conv("branch7x7dbl_4", c, channels, tall);
  c = block.conv("branch7x7dbl_5", c, 192, wide);
  return layers.concat({a, b, c, block.pooled(x, 192)});
}

Value inception_d(Layers& layers, const std::string& name, const Value& x) {
  Block block(layers, name);
  Value a = block.conv("branch3x3_1", x, 192, square(1));
  a = block.conv("branch3x3_2", a, 320, square(3, 2));
  Value b = block.conv("branch7x7x3_1", x, 192, square(1));
  b = block.conv("branch7x7x3_2", b, 192, wide);
  b = block.conv("branch7x7x3_3", b, 192, tall);
  b = block.conv("branch7x7x3_4", b, 192, square(3, 2));
  return layers.concat({a, b, layers.max_pool(x, square(3, 2))});
}

Value inception_e(Layers& layers, const std::string& name, const Value& x) {
  Block block(layers, name);
  const Value a = block.conv("branch1x1", x, 320, square(1));
  const Value b = block.conv("branch3x3_1", x, 384, square(1));
  const Value b_wide = block.conv("branch3x3_2a", b, 384, wide3);
  const Value b_tall = block.conv("branch3x3_2b", b, 384, tall3);
  Value c = block.conv("branch3x3dbl_1", x, 448, square(1));
  c = block.conv("branch3x3dbl_2", c, 384, square(3, 1, 1));
  const Value c_wide = block.conv("branch3x3dbl_3a", c, 384, wide3);
  const Value c_tall = block.conv("branch3x3dbl_3b", c, 384, tall3);
  return layers.concat(
      {a, layers.concat({b_wide, b_tall}), layers.concat({c_wide, c_tall}), block.pooled(x, 192)});
}

}  // namespace

void inception_v3(Layers& layers, std::int64_t) {
  Block stem(layers, "");
  Value x = stem.conv("Conv2d_1a_3x3", layers.image(), 32, square(3, 2));
  x = stem.conv("Conv2d_2a_3x3", x, 32, square(3));
  x = stem.conv("Conv2d_2b_3x3", x, 64, square(3, 1, 1));
  x = layers.max_pool(x, square(3, 2));
  x = stem.conv("Conv2d_3b_1x1", x, 80, square(1));
  x = stem.conv("Conv2d_4a_3x3", x, 192, square(3));
  x = layers.max_pool(x, square(3, 2));
  x = inception_a(layers, "Mixed_5b", x, 32);
  x = inception_a(layers, "Mixed_5c", x, 64);
  x = inception_a(layers, "Mixed_5d", x, 64);
  x = inception_b(layers, "Mixed_6a", x);
  x = inception_c(layers, "Mixed_6b", x, 128);
  x = inception_c(layers, "Mixed_6c", x, 160);
  x = inception_c(layers, "Mixed_6d", x, 160);
  x = inception_c(layers, "Mixed_6e", x, 192);
  x = inception_d(layers, "Mixed_7a", x);
  x = inception_e(layers, "Mixed_7b", x);
  x = inception_e(layers, "Mixed_7c", x);
  layers.classifier("fc", layers.flatten(layers.global_average_pool(x)));
}

}  // namespace ocs::networks
