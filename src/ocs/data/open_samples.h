// What a path holds, as samples. The one list of known forms is in open_samples.cpp.
//
//   images   a folder of JPEG, PNG, PPM or PGM files (or of folders of such), or a single one
//   list     a text file: one path a line, relative to the list's folder, an optional label behind
//   npy      a folder of .npy or .npz files, or a single one; keys are input names
//   zoo      test_data_set_* folders with input_K.pb and output_K.pb
//   cifar10  CIFAR-10 binary files: a label byte and 3072 bytes of pixels for each image
//   raw      .bin files of float32 values in the shape of the model's one input, one sample or more
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ocs/core/samples.h"
#include "ocs/core/tensor.h"
#include "ocs/data/preprocess.h"

namespace ocs {

struct DataOptions {
  std::string format{};            // a name of data_formats(); "": by what is there
  std::filesystem::path labels{};  // one `file label` a line; "": none, or those inside the data
  std::optional<Preprocess> preprocess{};  // for images and CIFAR-10; none: pixels 0..255, RGB
  std::size_t count_limit = 0;             // the first so many samples, in order; 0: all
  // Leaves out what cannot be read instead of failing. Costs one reading of all samples beforehand,
  // so that the count is right.
  bool skip_bad_samples = false;
  // Gets a sentence for each thing left out: bad samples, images that do not fill the last batch of
  // a model with a fixed batch. Called from the calling thread, in order.
  std::function<void(const std::string&)> note{};
};

// Names of the forms, for DataOptions::format.
[[nodiscard]] std::vector<std::string> data_formats();

// Samples for a model with these inputs. Files are taken in the order of their names (bytes
// compared); nothing but headers is read before `load`. A sample is one item (batch 1), or the
// model's batch where that is fixed. Loading depends on the index alone and may be done by several
// threads.
//
// Throws Error(bad_input), naming path or file, for a path that does not exist or holds no data or
// several forms of it, data that do not fit the inputs (with both shapes), damaged files, and
// labels that do not match.
[[nodiscard]] Samples open_samples(const std::filesystem::path& path,
                                   const std::vector<Port>& inputs, const DataOptions& options);

// Made-up samples: standard normal values for floats, whole numbers 0 and 1 for integers, either
// for bool. Free extents: 1 for the first; of an image-like input (four axes) 3 for the channels
// and 224 for height and width; 16 for any other. Sample i is the same for any count.
[[nodiscard]] Samples synthetic_samples(const std::vector<Port>& inputs, std::size_t count,
                                        std::uint64_t seed);

// Lines to print about the first sample: shape, minimum, maximum and mean of each input, then
// "warning: ..." lines where these look wrong for a model: NaN or infinity, one constant, pixels
// that were not scaled, a spread that hints at scaling done twice or not at all. Throws what
// loading throws.
[[nodiscard]] std::vector<std::string> check_first_sample(const Samples& samples,
                                                          const std::vector<Port>& inputs,
                                                          const DataOptions& options);

}  // namespace ocs
