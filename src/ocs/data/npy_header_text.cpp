#include "ocs/data/npy_header_text.h"

#include <limits>
#include <set>

#include <fmt/format.h>

#include "ocs/core/error.h"

namespace ocs {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  // Whether the next sign is `sign`; if so, it is taken.
  bool take(char sign) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != sign) return false;
    ++at_;
    return true;
  }

  void expect(char sign) {
    if (!take(sign)) fail(fmt::format("'{}' is expected", sign));
  }

  std::string quoted() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[')
      throw_bad_input("an array of records, which no model takes");
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') fail("a word in quotes is expected");
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string::npos) fail("a quote is not closed");
    std::string word = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return word;
  }

  bool truth() {
    skip_space();
    for (const auto& [word, value] : {std::pair{"True", true}, std::pair{"False", false}}) {
      if (text_.compare(at_, std::string_view(word).size(), word) != 0) continue;
      at_ += std::string_view(word).size();
      return value;
    }
    fail("True or False is expected");
  }

  Shape extents() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      shape.push_back(whole_number());
      if (take(',')) continue;
      expect(')');
      break;
    }
    return shape;
  }

  bool at_end() {
    skip_space();
    return at_ >= text_.size();
  }

  [[noreturn]] void fail(const std::string& reason) const {
    throw_bad_input(fmt::format("damaged .npy header: {} at byte {}", reason, at_));
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t'))
      ++at_;
  }

  std::int64_t whole_number() {
    skip_space();
    std::int64_t value = 0;
    const std::size_t begin = at_;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
      if (value > std::numeric_limits<std::int64_t>::max() / 10 - 1) fail("an extent is too large");
      value = value * 10 + (text_[at_] - '0');
    }
    if (at_ == begin) fail("a whole number is expected");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // Python 2 wrote 3L
    return value;
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

}  // namespace

NpyHeaderText parse_npy_header_text(const std::string& text) {
  NpyHeaderText header;
  std::set<std::string> seen;
  Reader reader(text);
  reader.expect('{');
  while (!reader.take('}')) {
    const std::string key = reader.quoted();
    reader.expect(':');
    if (!seen.insert(key).second) reader.fail("key '" + key + "' is there twice");
    if (key == "descr") {
      header.descr = reader.quoted();
    } else if (key == "fortran_order") {
      header.is_fortran_order = reader.truth();
    } else if (key == "shape") {
      header.shape = reader.extents();
    } else {
      reader.fail("key '" + key + "' is not known");
    }
    if (reader.take(',')) continue;
    reader.expect('}');
    break;
  }
  if (seen.size() != 3) reader.fail("descr, fortran_order or shape is missing");
  if (!reader.at_end()) reader.fail("text behind the dictionary");
  return header;
}

}  // namespace ocs
