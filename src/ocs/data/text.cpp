#include "ocs/data/text.h"

#include <fstream>
#include <string_view>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

constexpr std::string_view end_of_line = "<eos>";
constexpr std::string_view unknown_word = "<unk>";
constexpr std::string_view white_space = " \t\r\v\f";

std::ifstream open_text_file(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) throw_bad_input(file.string() + ": no such file");
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file))
    throw_bad_input(file.string() + ": cannot be read");
  return stream;
}

// Calls work(line, number) until it returns false; numbers count from 1.
template <typename Work>
void for_each_line(const std::filesystem::path& file, Work&& work) {
  std::ifstream stream = open_text_file(file);
  std::size_t number = 0;
  for (std::string line; std::getline(stream, line);) {
    ++number;
    if (line.find('\0') != std::string::npos)
      throw_bad_input(
          fmt::format("{}, line {}: holds a zero byte: not a text", file.string(), number));
    if (!work(std::string_view(line), number)) return;
  }
}

// The tokens of a line, without `<eos>`.
std::vector<std::string_view> tokens_of(std::string_view line) {
  std::vector<std::string_view> tokens;
  std::size_t at = line.find_first_not_of(white_space);
  while (at != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(white_space, at), line.size());
    tokens.push_back(line.substr(at, end - at));
    at = line.find_first_not_of(white_space, end);
  }
  return tokens;
}

}  // namespace

Vocabulary read_vocabulary(const std::filesystem::path& file) {
  Vocabulary vocabulary{.file = file};
  for_each_line(file, [&](std::string_view line, std::size_t number) {
    const std::vector<std::string_view> tokens = tokens_of(line);
    if (tokens.size() != 1) {
      throw_bad_input(fmt::format("{}, line {}: {} tokens; a vocabulary has one token a line",
                                  file.string(), number, tokens.size()));
    }
    const auto id = static_cast<std::int64_t>(number) - 1;
    const auto [held, is_new] = vocabulary.ids.try_emplace(std::string(tokens.front()), id);
    if (!is_new) {
      throw_bad_input(fmt::format("{}, line {}: '{}' is in line {} already", file.string(), number,
                                  tokens.front(), held->second + 1));
    }
    return true;
  });
  if (vocabulary.ids.empty()) throw_bad_input(file.string() + ": the vocabulary is empty");
  if (!vocabulary.ids.contains(end_of_line)) {
    throw_bad_input(fmt::format("{}: the vocabulary lacks '{}', which ends every line of a text",
                                file.string(), end_of_line));
  }
  return vocabulary;
}

TokenText read_text(const std::filesystem::path& file, const Vocabulary& vocabulary,
                    std::size_t limit) {
  const auto unknown = vocabulary.ids.find(unknown_word);
  const std::int64_t end = vocabulary.ids.find(end_of_line)->second;
  TokenText text;
  const auto is_full = [&] { return limit > 0 && text.ids.size() >= limit; };
  for_each_line(file, [&](std::string_view line, std::size_t number) {
    for (const std::string_view token : tokens_of(line)) {
      if (is_full()) return false;
      auto known = vocabulary.ids.find(token);
      if (known == vocabulary.ids.end()) {
        if (unknown == vocabulary.ids.end()) {
          throw_bad_input(
              fmt::format("{}, line {}: '{}' is not in the vocabulary {}, which has no '{}' either",
                          file.string(), number, token, vocabulary.file.string(), unknown_word));
        }
        known = unknown;
        ++text.unknown;
      }
      text.ids.push_back(known->second);
    }
    if (is_full()) return false;
    text.ids.push_back(end);
    return true;
  });
  if (text.ids.empty()) throw_bad_input(file.string() + ": the text is empty");
  return text;
}

}  // namespace ocs
