// How far the class scores of a quantized model are from the float ones: the Kullback-Leibler divergence of their softmax,
// sum over classes of p (log p - log q), in nats; 0 where they agree.
#pragma once

#include <cstdint>
#include <span>

namespace ocs {

// Sums over any number of rows; adding two of them is adding what they saw.
struct ClassDivergence {
  double sum = 0.0;  // of all rows, in nats
  std::int64_t rows = 0;

  // Over class_rows of the shape (signal_to_noise.h); adds nothing where the sizes differ. A row that is a distribution already (no value below 0, sum 1) is taken as it stands, together with its
  // counterpart. What is not finite makes the divergence infinite.
  void add(std::span<const std::int64_t> shape, std::span<const float> reference,
           std::span<const float> value);
  void add(const ClassDivergence& other);
  [[nodiscard]] double mean() const;  // of a row; NaN without rows
  bool operator==(const ClassDivergence&) const = default;
};

}  // namespace ocs
