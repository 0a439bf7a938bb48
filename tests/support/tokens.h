// Words of a text model: names and numbers, quoted strings, single characters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ocs {

struct Token {
  enum class Kind { word, text, sign, end };
  Kind kind = Kind::end;
  std::string text{};  // without quotes
};

// Throws Error(bad_input) for a quote that is not closed and for characters outside the grammar.
[[nodiscard]] std::vector<Token> tokens_of(std::string_view text);

// Reads tokens one by one; every complaint shows what comes next.
class TokenReader {
 public:
  explicit TokenReader(std::string_view text) : tokens_(tokens_of(text)) {}

  [[nodiscard]] bool at_end() const { return peek().kind == Token::Kind::end; }
  [[nodiscard]] bool next_is(std::string_view sign) const {
    return peek().kind != Token::Kind::text && peek().text == sign;
  }
  [[nodiscard]] const Token& peek(std::size_t ahead = 0) const;
  Token take();
  bool take_if(std::string_view sign);  // true: it was next and is taken
  void expect(std::string_view sign);
  std::string name();  // a word or a quoted text
  [[noreturn]] void fail(const std::string& wanted) const;

 private:
  std::vector<Token> tokens_;
  std::size_t next_ = 0;
};

}  // namespace ocs
