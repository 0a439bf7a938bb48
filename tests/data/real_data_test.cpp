// Real photographs, read and prepared here and by Pillow and NumPy: every value equal, bit for bit.
//
// The checksums are CRC-32 of all float32 values behind each other, made by
//   pixels = np.asarray(Image.open(file).convert("RGB").resize(..., Image.BILINEAR).crop(...))
//   ((pixels * scale - mean) / std).astype(np.float32), channels first
// with Pillow 13.0 and NumPy, over the first 64 images in the order of their names.
#include <filesystem>

#include <gtest/gtest.h>
#include <zlib.h>

#include "ocs/data/open_samples.h"

namespace ocs {
namespace {

namespace fs = std::filesystem;

const fs::path shared = fs::path(OCS_SOURCE_DIR) / "../shared/data";

uLong checksum(const Samples& samples) {
  uLong sum = crc32(0, nullptr, 0);
  for (std::size_t i = 0; i < samples.count; ++i) {
    const Tensor tensor = samples.load(i).inputs.at("x");
    const auto values = tensor.as<float>();
    sum = crc32(sum, static_cast<const Bytef*>(static_cast<const void*>(values.data())),
                static_cast<uInt>(values.size_bytes()));
  }
  return sum;
}

TEST(RealData, PhotographsEqualPillowAndNumpy) {
  if (!fs::exists(shared / "imagenet")) GTEST_SKIP() << "the photographs are not here: " << shared;
  const std::vector<Port> inputs{{.name = "x", .shape = {-1, 3, -1, -1}}};
  DataOptions options{.labels = shared / "imagenet/val_labels.txt", .count_limit = 64};
  options.preprocess = find_sidecar(shared / "models/resnet50.onnx");
  EXPECT_EQ(checksum(open_samples(shared / "imagenet/val", inputs, options)), 0x2095a6a0UL);
  options.preprocess = parse_preprocess("imagenet-torch,resize=160,crop=128");
  EXPECT_EQ(checksum(open_samples(shared / "imagenet/val", inputs, options)), 0x9378d2b0UL);
}

TEST(RealData, CifarEqualsNumpy) {
  if (!fs::exists(shared / "cifar10")) GTEST_SKIP() << "CIFAR-10 is not here: " << shared;
  const std::vector<Port> inputs{{.name = "x", .shape = {-1, 3, 32, 32}}};
  const Samples samples =
      open_samples(shared / "cifar10/test.bin", inputs,
                   {.preprocess = parse_preprocess("cifar10"), .count_limit = 256});
  EXPECT_EQ(samples.load(0).labels, std::vector<int>{3});  // the first test image is a cat
  EXPECT_EQ(checksum(samples), 0x4dd0de7cUL);
}

}  // namespace
}  // namespace ocs
