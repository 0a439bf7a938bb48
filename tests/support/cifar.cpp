#include "support/cifar.h"

#include <cstdint>

namespace ocs {

std::string cifar_pictures(std::size_t count) {
  constexpr int numbers = 3 * 32 * 32;
  std::string bytes;
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < count; ++i) {
    bytes += static_cast<char>(i % 10);
    for (int k = 0; k < numbers; ++k) {
      state = state * 1664525U + 1013904223U;
      bytes += static_cast<char>(state >> 24U);
    }
  }
  return bytes;
}

}  // namespace ocs
