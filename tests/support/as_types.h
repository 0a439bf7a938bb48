#pragma once

#include <variant>

#include <gtest/gtest.h>

namespace ocs {

// The alternatives of a variant as the types of a typed test suite:
//   TYPED_TEST_SUITE(ClipContract, AsTypes<Clip>::type);
template <typename Variant>
struct AsTypes;
template <typename... Alternative>
struct AsTypes<std::variant<Alternative...>> {
  using type = testing::Types<Alternative...>;
};

}  // namespace ocs
