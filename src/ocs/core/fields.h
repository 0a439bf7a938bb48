// Names and help of the options of a struct: read by recipes, --help and the docs.
#pragma once

#include <string_view>

namespace ocs {

template <typename Struct, typename Value>
struct Field {
  std::string_view name{};
  Value Struct::*member = nullptr;
  std::string_view help{};

  constexpr Field(std::string_view field_name, Value Struct::*pointer, std::string_view text)
      : name(field_name), member(pointer), help(text) {}
};

}  // namespace ocs
