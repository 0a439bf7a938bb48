// A small classifier of CIFAR-10's pictures, and made-up pictures for it.
#pragma once

#include <cstddef>
#include <string>

namespace ocs {

// For text_model(): x [N, 3, 32, 32] -> y [N, 10].
inline constexpr auto small_classifier = R"(
    input x float[N,3,32,32]; init w float[8,3,3,3] random 1; init v float[8,8,1,1] random 2; init f float[8,10] random 3;
    conv1: a = Conv(x, w); relu1: r = Relu(a); conv2: c = Conv(r, v); pool: g = GlobalAveragePool(c); flat: h = Flatten(g);
    fc: y = MatMul(h, f); output y float[N,10];)";

// The bytes of a CIFAR-10 file with labels that go round.
[[nodiscard]] std::string cifar_pictures(std::size_t count);

}  // namespace ocs
