// Sums of products of uint8 and int8 as the engine makes them on this processor, and as they should be.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "ocs/core/tensor.h"

namespace ocs {

// Seeded, of the whole range of the type but -128: "uint8" or "int8".
[[nodiscard]] std::vector<std::int64_t> integers(const std::string& type, std::uint64_t seed,
                                                 std::int64_t count);

// An initializer as text_model takes it.
[[nodiscard]] std::string constant(const std::string& name, const std::string& type,
                                   const Shape& shape, const std::vector<std::int64_t>& values);

using Sum = std::int64_t (*)(std::span<const std::int64_t> data,
                             std::span<const std::int64_t> weight);
// Of data[k] * weight[k], each two neighbours' sum limited to 16 bits.
[[nodiscard]] std::int64_t sum_in_pairs(std::span<const std::int64_t> data,
                                        std::span<const std::int64_t> weight);
[[nodiscard]] std::int64_t sum_in_full(std::span<const std::int64_t> data,
                                       std::span<const std::int64_t> weight);

// The first output of the model `text` for its input x, of this type: "uint8", "int8" or "float".
[[nodiscard]] std::vector<float> run(const std::string& text, const Shape& shape,
                                     const std::vector<std::int64_t>& data,
                                     const std::string& type = "uint8");

// What ocs lint says of the node 'n' for processors that do; it must run on integers.
[[nodiscard]] std::string warning_of(const std::string& text);

}  // namespace ocs
