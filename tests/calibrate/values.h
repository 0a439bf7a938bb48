// Values that strain statistics: every magnitude a float has, exact bounds of bins, zeros of both
// signs.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <hwy/targets.h>

#include "ocs/core/error.h"
#include "ocs/core/random.h"

namespace ocs::values {

// Any finite bit pattern.
inline std::vector<float> any_finite(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  std::vector<float> values;
  while (values.size() < count) {
    const auto value =
        std::bit_cast<float>(static_cast<std::uint32_t>(random.below(std::uint64_t{1} << 32U)));
    if (std::isfinite(value)) values.push_back(value);
  }
  return values;
}

// Normals of which about half are exact zeros, as behind a Relu, or with their sign.
inline std::vector<float> activations(std::uint64_t seed, std::size_t count, bool relu,
                                      float scale = 1.0F) {
  std::vector<float> values = Random(seed).normals(count, scale);
  if (relu)
    for (float& value : values) value = std::max(value, 0.0F);
  return values;
}

// `item`, [channels, inner], in blocks of channels; what fills the last one up with NaN: nobody may read it.
inline std::vector<float> blocked(const std::vector<float>& item, std::int64_t channels,
                                  std::int64_t inner, std::int64_t block) {
  const std::int64_t blocks = (channels + block - 1) / block;
  std::vector<float> result(static_cast<std::size_t>(blocks * inner * block),
                            std::numeric_limits<float>::quiet_NaN());
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t i = 0; i < inner; ++i)
      result[static_cast<std::size_t>((c / block * inner + i) * block + c % block)] =
          item[static_cast<std::size_t>(c * inner + i)];
  return result;
}

// Calls work() with each instruction set that this build has and this machine can run.
inline void for_each_target(const std::function<void(const std::string& target)>& work) {
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    work(hwy::TargetName(target));
  }
  hwy::SetSupportedTargetsForTest(0);
}

// What an Error says; "" where `work` throws none.
template <typename Work>
std::string message_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace ocs::values
