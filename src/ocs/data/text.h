// Text for word-level language models: a token is what stands between white space, and every line ends in the token `<eos>`, which is
// not written (WikiText-2, Merity et al. 2016).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ocs {

// The tokens that a model knows; the id of a token is the number of its line, from 0 on.
struct Vocabulary {
  std::filesystem::path file{};
  std::map<std::string, std::int64_t, std::less<>> ids{};
};

// One token a line. Throws Error(bad_input) naming the file, and the line, for an empty file, an empty line, white space inside a token,
// a token that is there twice, and where `<eos>` is missing.
[[nodiscard]] Vocabulary read_vocabulary(const std::filesystem::path& file);

struct TokenText {
  std::vector<std::int64_t> ids{};
  std::size_t unknown =
      0;  // tokens that the vocabulary does not have and that were read as `<unk>`
};

// The first `limit` tokens of a text, `<eos>` counted (0: all). A token outside the vocabulary is read as `<unk>`. Throws
// Error(bad_input) naming file, line and token where there is no `<unk>` either, and for a file that is missing, empty or not text.
[[nodiscard]] TokenText read_text(const std::filesystem::path& file, const Vocabulary& vocabulary,
                                  std::size_t limit);

}  // namespace ocs
