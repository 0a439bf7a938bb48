// How alike the directions of two results are: what counts for embeddings, which are compared by their angles.
#pragma once

#include <cstdint>
#include <span>

namespace ocs {

// Cosine similarity of two vectors: sum a b / sqrt(sum a^2 * sum b^2), in double, within [-1, 1]. 1 for two vectors of zeros, 0 for
// one. Places where the reference is not finite are left out (the -inf of a mask); 0 where `value` is not finite elsewhere. NaN
// for vectors of different length or of none.
[[nodiscard]] double cosine_similarity(std::span<const float> reference,
                                       std::span<const float> value);

// Mean and least of cosines over samples; adding two of them is adding what they saw.
struct CosineSimilarity {
  double sum = 0.0;
  double least = 1.0;
  std::int64_t samples = 0;
  bool comparable = true;  // false once a NaN was added: there is no answer

  void add(double cosine);
  void add(const CosineSimilarity& other);
  [[nodiscard]] double mean() const;     // NaN where nothing was comparable, or no sample was added
  [[nodiscard]] double minimum() const;  // likewise
  bool operator==(const CosineSimilarity&) const = default;
};

}  // namespace ocs
