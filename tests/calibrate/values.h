// Values that strain statistics: every magnitude a float has, exact bounds of bins, zeros of both
// signs.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <functional>
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
