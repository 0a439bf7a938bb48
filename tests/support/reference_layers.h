// The published code's figures for six real weight tensors (shared/data/reference), with the
// tensors themselves. They lie beside the repository, not in it: tests skip where they are absent.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "ocs/core/json.h"
#include "ocs/quant/channel_matrix.h"

namespace ocs {

struct ReferenceLayer {
  std::string weight{};
  Json figures{};               // one record of ocs_layers.json; its README explains the keys
  std::vector<float> values{};  // [outputs, inputs, taps]
  std::int64_t outputs = 0;
  std::int64_t inputs = 0;
  std::int64_t taps = 1;

  [[nodiscard]] ChannelMatrix matrix() const;
};

// `shared`: the folder that holds data/. Empty where the reference or a model is absent.
[[nodiscard]] std::vector<ReferenceLayer> read_reference_layers(
    const std::filesystem::path& shared);

}  // namespace ocs
